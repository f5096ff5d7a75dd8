package vorbis

// packer packs numbers into bytes, their lowest bits first (2.1).
type packer struct {
	out  []byte
	used int // bits of the last byte; 0 when it is full
}

func (p *packer) number(value uint32, bits int) {
	for i := range bits {
		p.bit(value>>i&1 != 0)
	}
}

// count packs how many there are of something that there is at least one of.
func (p *packer) count(n uint32, bits int) { p.number(n-1, bits) }

func (p *packer) bit(value bool) {
	if p.used == 0 {
		p.out = append(p.out, 0)
	}
	if value {
		p.out[len(p.out)-1] |= 1 << p.used
	}
	p.used = (p.used + 1) % 8
}

// float packs mantissa × 2^exponent (9.2.2).
func (p *packer) float(mantissa, exponent int) {
	const bias = 788
	packed := uint32(exponent+bias) << 21
	if mantissa < 0 {
		packed |= 1 << 31
		mantissa = -mantissa
	}
	p.number(packed|uint32(mantissa), 32)
}
