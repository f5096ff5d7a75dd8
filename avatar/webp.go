package avatar

import "encoding/binary"

// stripWebP removes everything but pixels from a still WebP picture. libvips adds EXIF to every picture, and up to
// 8.14.1 its option strip has no effect on WebP.
func stripWebP(data []byte) []byte {
	const (
		headerSize = 12
		alphaFlag  = 1 << 4
	)
	stripped := append(make([]byte, 0, len(data)), data[:headerSize]...)
	for rest := data[headerSize:]; len(rest) >= 8; {
		size := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
		size = min(size+size&1, len(rest))
		chunk := rest[:size]
		switch string(chunk[:4]) {
		case "VP8X":
			// The extended format is only needed for metadata and alpha; without both, the simple one is enough.
			if chunk[8]&alphaFlag != 0 {
				stripped = append(stripped, chunk...)
				stripped[headerSize+8] = alphaFlag
			}
		case "VP8 ", "VP8L", "ALPH":
			stripped = append(stripped, chunk...)
		}
		rest = rest[size:]
	}
	binary.LittleEndian.PutUint32(stripped[4:], uint32(len(stripped)-8))
	return stripped
}
