package vorbis

import (
	"encoding/binary"
	"math"
)

const (
	blockSize = 1024
	// Hop is how many samples each packet adds, but for the first, which adds none.
	Hop = blockSize / 2

	levels    = 100 // the largest coefficient, in units of 2^unit
	unit      = -8
	partition = 8   // coefficients that are coded together, or left out together
	coded     = 128 // coefficients: those above are left out
	together  = 4   // partitions whose kinds are coded in one number
)

// Stream is what a container has to store.
type Stream struct {
	Headers [3][]byte
	Packets [][]byte
}

// Encode encodes samples between −1 and 1. What is above a quarter of
// their spectrum is left out, and loud sums of tones are cut.
func Encode(samples []float64, rate int) Stream {
	blocks := make([][]int, 0, len(samples)/Hop+1)
	for start := -Hop; start < len(samples); start += Hop {
		blocks = append(blocks, spectrum(samples, start))
	}
	values, kinds := make([]int, 2*levels+1), make([]int, 1<<together)
	for _, block := range blocks {
		if isSilent(block) {
			continue
		}
		walk(block, func(kind int) { kinds[kind]++ }, func(value int) { values[value+levels]++ })
	}
	kindBook, valueBook := newCodebook(kinds), newCodebook(values)
	s := Stream{Headers: [3][]byte{identification(rate), comment(), setup(kindBook, valueBook)}}
	for _, block := range blocks {
		s.Packets = append(s.Packets, packet(block, kindBook, valueBook))
	}
	return s
}

// walk visits the numbers of a block in their order in a packet: the kinds of some partitions, then their values.
func walk(block []int, visitKind, visitValue func(int)) {
	for first := 0; first < coded; first += together * partition {
		kind := 0
		for i := range together {
			kind <<= 1
			if !isSilent(block[first+i*partition:][:partition]) {
				kind |= 1
			}
		}
		visitKind(kind)
		for i := range together {
			if kind>>(together-1-i)&1 == 0 {
				continue
			}
			for _, value := range block[first+i*partition:][:partition] {
				visitValue(value)
			}
		}
	}
}

func isSilent(values []int) bool {
	for _, value := range values {
		if value != 0 {
			return false
		}
	}
	return true
}

// spectrum is the MDCT of a block, quantized (4.3.7 has the inverse). The block is folded first: then it is a DCT of
// half its size.
func spectrum(samples []float64, start int) []int {
	var windowed [blockSize]float64
	for n := range blockSize {
		if at := start + n; at >= 0 && at < len(samples) {
			windowed[n] = samples[at] * window[n]
		}
	}
	const quarter = Hop / 2
	var folded [Hop]float64
	for n := range quarter {
		folded[n] = -windowed[3*quarter-1-n] - windowed[3*quarter+n]
		folded[quarter+n] = windowed[n] - windowed[Hop-1-n]
	}
	out := make([]int, coded)
	for k := range out {
		sum := 0.0
		for n, cosine := range cosines[k] {
			sum += folded[n] * cosine
		}
		value := sum * 2 / Hop * math.Pow(2, -unit)
		out[k] = int(math.Round(min(max(value, -levels), levels)))
	}
	return out
}

// window is that of 4.3.1, and cosines are those of the transform.
var window, cosines = tables()

func tables() (window [blockSize]float64, cosines [coded][Hop]float64) {
	for n := range window {
		inner := math.Sin((float64(n) + 0.5) / blockSize * math.Pi)
		window[n] = math.Sin(math.Pi / 2 * inner * inner)
	}
	for k := range cosines {
		for n := range cosines[k] {
			cosines[k][n] = math.Cos(math.Pi / Hop * (float64(n) + 0.5) * (float64(k) + 0.5))
		}
	}
	return window, cosines
}

func identification(rate int) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("\x01vorbis"), 0)
	b = append(b, 1) // channel
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = append(b, make([]byte, 12)...) // bit rates are not said
	return append(b, 10|10<<4, 1)      // both sizes of blocks are 2^10
}

func comment() []byte {
	const vendor = "WatchParty"
	b := binary.LittleEndian.AppendUint32([]byte("\x03vorbis"), uint32(len(vendor)))
	b = append(b, vendor...)
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(b, 1)
}

// setup describes the codebooks, the floor, the residue, the mapping and the mode (4.2.4).
func setup(kinds, values codebook) []byte {
	p := &packer{out: []byte("\x05vorbis")}
	p.count(2, 8)
	kinds.header(p, together, 0, 0)
	values.header(p, 1, levels, unit)
	p.count(1, 6) // a placeholder
	p.number(0, 16)

	p.count(1, 6)
	p.number(1, 16) // floor of type 1
	p.number(1, 5)  // of one partition
	p.number(0, 4)  // whose class is 0,
	p.count(1, 3)   // which has one point
	p.number(0, 2)
	p.number(0, 8) // that is on the line between the ends
	p.count(1, 2)  // all 256 levels
	p.number(9, 4)
	p.number(Hop/2, 9)

	p.count(1, 6)
	p.number(1, 16) // residue of type 1
	p.number(0, 24)
	p.number(coded, 24)
	p.number(partition-1, 24)
	p.count(2, 6)  // kinds of partitions
	p.number(0, 8) // are coded by the first codebook
	p.number(0, 3+1)
	p.number(1, 3+1)
	p.number(1, 8) // the second kind by the second one

	p.count(1, 6)
	p.number(0, 16+1+1+2) // mapping of type 0, without submaps and coupling
	p.number(0, 8+8+8)    // to the one floor and the one residue

	p.count(1, 6)
	p.number(0, 1+16+16+8)
	p.bit(true)
	return p.out
}

func packet(block []int, kinds, values codebook) []byte {
	p := &packer{}
	p.bit(false) // audio
	if isSilent(block) {
		p.bit(false)
		return p.out
	}
	p.bit(true)
	const one = 255 // the level of the floor that stands for 1
	p.number(one, 8)
	p.number(one, 8)
	walk(block, func(kind int) { kinds.write(p, kind) }, func(value int) { values.write(p, value+levels) })
	return p.out
}
