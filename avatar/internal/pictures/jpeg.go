package pictures

import (
	"bytes"
	"encoding/binary"
)

// CMYK is a JPEG of 8×8 pixels in one mixture of four inks, each from 0 (none) to 255, with Adobe's marker and stored
// inverted, as Adobe does.
func CMYK(inks [4]byte) []byte {
	var bits bitWriter
	for _, ink := range inks {
		bits.dc(8 * (255 - int(ink) - 128))
		bits.write(0, 1) // end of block
	}
	return bytes.Join([][]byte{
		{0xff, 0xd8},
		Segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")),
		quantisation(),
		frame(0xc0, 8, 8, 4),
		huffman(0x00, dcCounts, dcSymbols),
		huffman(0x10, [16]byte{1}, []byte{0x00}),
		scan(4, 0, 63, bits.flush()),
		{0xff, 0xd9},
	}, nil)
}

// ScanBomb is a grey progressive JPEG that repeats a scan of a few bytes that visits every block of the picture.
func ScanBomb(side, scans int) []byte {
	blocks := (side / 8) * (side / 8)
	var dc bitWriter
	for range blocks {
		dc.dc(0)
	}
	var ac bitWriter // end of band, for runs of 2^14 blocks
	for left := blocks; left > 0; left -= 1 << 14 {
		ac.write(0, 1)
		ac.write(0, 14)
	}
	// Decoders accept any number of refining scans after a first one.
	again := bytes.Repeat(scan(1, 1, 63, ac.flush()), scans)
	return bytes.Join([][]byte{
		{0xff, 0xd8},
		quantisation(),
		frame(0xc2, side, side, 1),
		huffman(0x00, dcCounts, dcSymbols),
		huffman(0x10, [16]byte{1}, []byte{14 << 4}),
		scan(1, 0, 0, dc.flush()),
		again,
		{0xff, 0xd9},
	}, nil)
}

// The codes of the DC categories 0 to 11 are four bits long and equal to their category.
var (
	dcCounts  = [16]byte{3: 12}
	dcSymbols = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
)

func quantisation() []byte {
	return Segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...))
}

func huffman(id byte, counts [16]byte, symbols []byte) []byte {
	return Segment(0xc4, append(append([]byte{id}, counts[:]...), symbols...))
}

func frame(marker byte, width, height, components int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{8}, uint16(height))
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	b = append(b, byte(components))
	for i := range components {
		b = append(b, byte(i+1), 0x11, 0)
	}
	return Segment(marker, b)
}

func scan(components int, from, to byte, bits []byte) []byte {
	b := []byte{byte(components)}
	for i := range components {
		b = append(b, byte(i+1), 0)
	}
	return append(Segment(0xda, append(b, from, to, 0)), bits...)
}

// bitWriter packs entropy-coded data, most significant bit first.
type bitWriter struct {
	out  []byte
	held uint32
	n    uint
}

func (w *bitWriter) write(value uint32, length uint) {
	for i := length; i > 0; i-- {
		w.held = w.held<<1 | value>>(i-1)&1
		if w.n++; w.n == 8 {
			w.out = append(w.out, byte(w.held))
			if byte(w.held) == 0xff {
				w.out = append(w.out, 0)
			}
			w.held, w.n = 0, 0
		}
	}
}

// dc writes the difference of two DC coefficients.
func (w *bitWriter) dc(diff int) {
	size := uint(0)
	for v := max(diff, -diff); v > 0; v >>= 1 {
		size++
	}
	w.write(uint32(size), 4)
	if diff < 0 {
		diff += 1<<size - 1
	}
	w.write(uint32(diff), size)
}

func (w *bitWriter) flush() []byte {
	if w.n > 0 {
		w.write(0xff, 8-w.n)
	}
	return w.out
}
