package avatar

import (
	"bytes"
	"encoding/binary"
)

// emptyFrame is a transparent frame of 1×1 pixels, with a colour table of its own.
var emptyFrame = []byte("\x21\xf9\x04\x01\x00\x00\x00\x00" +
	"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x80" + "\x00\x00\x00\x00\x00\x00" + "\x02\x02\x44\x01\x00")

// withHoles makes libvips read a GIF with an alpha channel if the first frame leaves parts of the canvas open, which
// are transparent in browsers. libvips only has an alpha channel if a frame is marked as transparent, and makes the
// open parts black otherwise. So withHoles adds such a frame after the first, which is the only one that is decoded.
func withHoles(data []byte) []byte {
	const (
		header, descriptor = 13, 10
		extension, frame   = 0x21, 0x2c
	)
	if len(data) < header {
		return data
	}
	width, height := binary.LittleEndian.Uint16(data[6:]), binary.LittleEndian.Uint16(data[8:])
	rest := after(data, header+colourTable(data[10]))
	for len(rest) >= 2 && rest[0] == extension {
		rest = skipBlocks(rest[2:])
	}
	if len(rest) < descriptor || rest[0] != frame {
		return data
	}
	number := func(at int) uint16 { return binary.LittleEndian.Uint16(rest[at:]) }
	if number(1) == 0 && number(3) == 0 && number(5) >= width && number(7) >= height {
		return data
	}
	rest = skipBlocks(after(rest, descriptor+colourTable(rest[9])+1))
	if rest == nil {
		return data
	}
	return bytes.Join([][]byte{data[:len(data)-len(rest)], emptyFrame, rest}, nil)
}

// colourTable returns the size of the colour table that the flags announce, in bytes.
func colourTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skipBlocks returns the data after a sequence of sub-blocks, which ends with an empty one; nil if it does not end.
func skipBlocks(data []byte) []byte {
	for len(data) > 0 && data[0] != 0 {
		data = after(data, 1+int(data[0]))
	}
	if len(data) == 0 {
		return nil
	}
	return data[1:]
}

func after(data []byte, n int) []byte { return data[min(n, len(data)):] }
