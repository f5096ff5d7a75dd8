package avatar

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zlib"
)

// stripPNG removes the chunks that libvips does not need: it would inflate each compressed text and profile, to any
// size. Critical chunks stay, so that an unknown one is still refused, and so do transparency and orientation. What
// colours mean is read by meaningOfPNG. pixels is what is in the chunks IDAT, which is one stream.
func stripPNG(data []byte) (stripped, pixels []byte) {
	const (
		signature = 8
		overhead  = 12
		ancillary = 0x20 // in the first letter of a chunk's name
	)
	stripped = append(make([]byte, 0, len(data)), data[:min(len(data), signature)]...)
	rest := data[len(stripped):]
	for len(rest) >= overhead {
		length := int64(binary.BigEndian.Uint32(rest))
		if length > int64(len(rest)-overhead) {
			break // incomplete, which it stays
		}
		chunk, name := rest[:overhead+length], string(rest[4:8])
		rest = rest[len(chunk):]
		if name[0]&ancillary == 0 || name == "tRNS" || name == "eXIf" {
			stripped = append(stripped, chunk...)
		}
		switch name {
		case "IDAT":
			pixels = append(pixels, chunk[8:8+length]...)
		case "IEND":
			return stripped, pixels
		}
	}
	return append(stripped, rest...), pixels
}

// tolerated is how much more than the pixels the stream of a PNG may have. libvips inflates all of it, at some 8 ms for
// each megabyte, and browsers show the picture.
const tolerated = 16 << 20

// inflatesTooFar reports whether the stream of a PNG has much more than the pixels that its header announces.
func inflatesTooFar(header, pixels []byte) bool {
	stream, err := zlib.NewReader(bytes.NewReader(pixels))
	if err != nil {
		return false // libvips refuses it
	}
	most := sizeOfPixels(header) + tolerated
	n, _ := io.Copy(io.Discard, io.LimitReader(stream, most+1))
	return n > most
}

// sizeOfPixels returns the size of a PNG's pixels before compression, with the byte of a filter before each row. The
// header is what probe.Check has accepted: the signature and IHDR.
func sizeOfPixels(header []byte) int64 {
	width, height := int64(binary.BigEndian.Uint32(header[16:])), int64(binary.BigEndian.Uint32(header[20:]))
	channels := [8]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[25]&7] // by the colour type
	bits := int64(header[24]) * channels
	size := func(columns, rows int64) int64 {
		if columns == 0 {
			return 0
		}
		return rows * (1 + (columns*bits+7)/8)
	}
	if header[28] == 0 {
		return size(width, height)
	}
	var all int64
	for _, pass := range [7][4]int64{ // Adam7: the first column and row, and the steps
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		count := func(length, first, step int64) int64 { return max(0, (length-first+step-1)/step) }
		all += size(count(width, pass[0], pass[2]), count(height, pass[1], pass[3]))
	}
	return all
}
