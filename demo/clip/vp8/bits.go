package vp8

// writer is the boolean entropy encoder (RFC 6386, 7.3).
type writer struct {
	out    []byte
	bottom uint32
	width  uint32
	count  int // shifts until the next byte is out
}

func newWriter() *writer { return &writer{width: 255, count: 24} }

// bit writes a bit that is false with a probability of p/256.
func (w *writer) bit(value bool, p uint8) {
	split := 1 + (w.width-1)*uint32(p)>>8
	if value {
		w.bottom += split
		w.width -= split
	} else {
		w.width = split
	}
	for w.width < 128 {
		w.width <<= 1
		w.shift()
	}
}

func (w *writer) shift() {
	if w.bottom&(1<<31) != 0 {
		w.carry()
	}
	w.bottom <<= 1
	w.count--
	if w.count == 0 {
		w.out = append(w.out, byte(w.bottom>>24))
		w.bottom &= 1<<24 - 1
		w.count = 8
	}
}

// carry adds one to what is out.
func (w *writer) carry() {
	for i := len(w.out) - 1; i >= 0; i-- {
		w.out[i]++
		if w.out[i] != 0 {
			return
		}
	}
}

// flag writes a bit of which nothing is known.
func (w *writer) flag(value bool) { w.bit(value, 128) }

// number writes the lowest bits of a number, the highest of them first.
func (w *writer) number(value uint32, bits int) {
	for bits--; bits >= 0; bits-- {
		w.flag(value>>bits&1 != 0)
	}
}

// close returns all that was written.
func (w *writer) close() []byte {
	for range 32 {
		w.shift()
	}
	return w.out
}
