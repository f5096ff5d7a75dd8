package probe

import (
	"bytes"
	"encoding/binary"
)

// walkJPEG goes through a JPEG's segments. It returns the EXIF orientation, 1 unless there is a valid one, and
// the number of scans, which it stops counting once there are more than maxScans.
func walkJPEG(data []byte) (orientation, scans int) {
	const (
		startOfScan = 0xda
		endOfImage  = 0xd9
		app1        = 0xe1
	)
	orientation = 1
	haveExif := false
	rest := data[2:]
	for scans <= maxScans {
		rest = nextMarker(rest)
		if len(rest) < 4 || rest[1] == endOfImage {
			break
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < 2 || 2+length > len(rest) {
			break
		}
		switch rest[1] {
		case startOfScan:
			scans++
		case app1:
			exif, ok := bytes.CutPrefix(rest[4:2+length], []byte("Exif\x00\x00"))
			if ok && !haveExif {
				haveExif = true
				orientation = exifOrientation(exif)
			}
		}
		rest = rest[2+length:]
	}
	return orientation, scans
}

// nextMarker skips to the next marker that has a segment or ends the picture: over fill bytes, stuffed bytes
// and restarts, which belong to a scan's data.
func nextMarker(data []byte) []byte {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 || i+1 >= len(data) {
			return nil
		}
		data = data[i:]
		switch next := data[1]; {
		case next == 0xff:
			data = data[1:]
		case next == 0x00, next == 0x01, next >= 0xd0 && next <= 0xd8:
			data = data[2:]
		default:
			return data
		}
	}
}
