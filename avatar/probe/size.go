package probe

import (
	"encoding/binary"
	"hash/crc32"
)

// The following functions return 0 if the header does not have the size.

// sizeOfPNG reads the first chunk, which has to be a complete IHDR.
func sizeOfPNG(data []byte) (width, height int) {
	const start, end = 12, 29 // of the chunk's type and data
	if len(data) < end+4 || string(data[8:16]) != "\x00\x00\x00\x0dIHDR" ||
		crc32.ChecksumIEEE(data[start:end]) != binary.BigEndian.Uint32(data[end:]) {
		return 0, 0
	}
	return int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
}

// sizeOfGIF reads the size of the canvas.
func sizeOfGIF(data []byte) (width, height int) {
	if len(data) < 13 {
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
}

// sizeOfWebP reads the first chunk: the canvas of an extended file, or the only frame (RFC 9649, 2.5 to 2.7; RFC 6386,
// 9.1).
func sizeOfWebP(data []byte) (width, height int) {
	if len(data) < 30 {
		return 0, 0
	}
	switch chunk := data[20:]; string(data[12:16]) {
	case "VP8X":
		return 1 + uint24(chunk[4:]), 1 + uint24(chunk[7:])
	case "VP8L":
		if chunk[0] == 0x2f {
			bits := binary.LittleEndian.Uint32(chunk[1:])
			return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff)
		}
	case "VP8 ":
		if string(chunk[3:6]) == "\x9d\x01\x2a" {
			return int(binary.LittleEndian.Uint16(chunk[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(chunk[8:]) & 0x3fff)
		}
	}
	return 0, 0
}

func uint24(data []byte) int { return int(data[0]) | int(data[1])<<8 | int(data[2])<<16 }
