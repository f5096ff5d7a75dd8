package vorbis

import (
	"cmp"
	"slices"
)

// codebook is a Huffman code for numbers from 0 on.
type codebook struct {
	lengths []int
	words   []uint32 // the highest bit of 32 comes first
}

// newCodebook makes the code that is shortest for numbers as frequent as this. Each number has a word.
func newCodebook(frequencies []int) codebook {
	type node struct {
		weight  int
		members []int
	}
	lengths := make([]int, len(frequencies))
	nodes := make([]node, 0, len(frequencies))
	for i, f := range frequencies {
		nodes = append(nodes, node{f + 1, []int{i}})
	}
	for len(nodes) > 1 {
		slices.SortStableFunc(nodes, func(a, b node) int { return cmp.Compare(b.weight, a.weight) })
		last, next := nodes[len(nodes)-1], nodes[len(nodes)-2]
		merged := node{last.weight + next.weight, slices.Concat(last.members, next.members)}
		for _, member := range merged.members {
			lengths[member]++
		}
		nodes = append(nodes[:len(nodes)-2], merged)
	}
	return codebook{lengths, words(lengths)}
}

// words gives each number, in order, the lowest word of its length that is free (3.2.1).
func words(lengths []int) []uint32 {
	var free [33]uint32 // the free subtree of each depth, if any: there is never more than one
	var has [33]bool
	has[0] = true
	out := make([]uint32, 0, len(lengths))
	for _, length := range lengths {
		depth := length
		for !has[depth] {
			depth--
		}
		word := free[depth]
		has[depth] = false
		for d := depth + 1; d <= length; d++ {
			free[d], has[d] = word|1<<(32-d), true
		}
		out = append(out, word)
	}
	return out
}

// write writes the word of a number.
func (c codebook) write(p *packer, number int) {
	for i := range c.lengths[number] {
		p.bit(c.words[number]>>(31-i)&1 != 0)
	}
}

// header describes the code (3.2.1). With levels it stands for values: those from −levels to levels, in units of
// 2^exponent.
func (c codebook) header(p *packer, dimensions, levels, exponent int) {
	p.number(0x564342, 24)
	p.number(uint32(dimensions), 16)
	p.number(uint32(len(c.lengths)), 24)
	p.number(0, 2) // not ordered, none left out
	for _, length := range c.lengths {
		p.number(uint32(length-1), 5)
	}
	if levels == 0 {
		p.number(0, 4)
		return
	}
	const valueBits = 8
	p.number(1, 4) // a value for each number
	p.float(-levels, exponent)
	p.float(1, exponent)
	p.number(valueBits-1, 4)
	p.bit(false) // values do not add up
	for i := range c.lengths {
		p.number(uint32(i), valueBits)
	}
}
