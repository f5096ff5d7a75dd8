package vp8

// Kinds of blocks (RFC 6386, 13.3).
const (
	lumaRest = iota // luma without its first coefficient, which lumaFirsts has
	lumaFirsts
	chroma
)

var (
	zigzag = [16]int{0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15}
	bands  = [16]int{0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7}
)

// category holds values from least on, whose further bits have these probabilities (RFC 6386, 13.2).
type category struct {
	least int32
	bits  []uint8
}

var categories = [6]category{
	{5, []uint8{159}},
	{7, []uint8{165, 145}},
	{11, []uint8{173, 148, 140}},
	{19, []uint8{176, 155, 140, 135}},
	{35, []uint8{180, 157, 141, 134, 130}},
	{67, []uint8{254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}},
}

// tokens writes the coefficients of a block. The context is how many of the blocks above and to the left have any. It
// returns whether this one has.
func (w *writer) tokens(b *block, kind, context int) bool {
	first := 0
	if kind == lumaRest {
		first = 1
	}
	end := 16
	for end > first && b[zigzag[end-1]] == 0 {
		end--
	}
	afterZero := false
	for i := first; i < 16; i++ {
		p := &tokenProbabilities[kind][bands[i]][context]
		if !afterZero {
			w.bit(i < end, p[0])
		}
		if i == end {
			break
		}
		value := b[zigzag[i]]
		w.bit(value != 0, p[1])
		if afterZero = value == 0; afterZero {
			context = 0
			continue
		}
		context = w.value(value, p)
	}
	return end > first
}

// value writes a coefficient that is not 0, and returns the context of the next one.
func (w *writer) value(value int32, p *[11]uint8) int {
	size := max(value, -value)
	w.bit(size > 1, p[2])
	switch {
	case size == 1:
	case size <= 4:
		w.bit(false, p[3])
		w.bit(size > 2, p[4])
		if size > 2 {
			w.bit(size == 4, p[5])
		}
	default:
		w.bit(true, p[3])
		w.large(size, p)
	}
	w.flag(value < 0)
	if size == 1 {
		return 1
	}
	return 2
}

func (w *writer) large(size int32, p *[11]uint8) {
	c := len(categories) - 1
	for size < categories[c].least {
		c--
	}
	w.bit(c >= 2, p[6])
	switch {
	case c < 2:
		w.bit(c == 1, p[7])
	default:
		w.bit(c >= 4, p[8])
		w.bit(c&1 == 1, p[9+(c-2)/2])
	}
	rest := size - categories[c].least
	for i, probability := range categories[c].bits {
		w.bit(rest>>(len(categories[c].bits)-1-i)&1 != 0, probability)
	}
}
