package probe

import (
	"bytes"
	"encoding/binary"
)

// jpegFrame is the content of a JPEG's segments. Width and height are 0 without a frame. Orientation is 1 unless there
// is a valid one. Scans are counted up to maxScans and one more.
type jpegFrame struct{ width, height, orientation, scans int }

func walkJPEG(data []byte) jpegFrame {
	const (
		startOfScan = 0xda
		endOfImage  = 0xd9
		app1        = 0xe1
	)
	frame := jpegFrame{orientation: 1}
	haveExif := false
	rest := data[2:]
	for frame.scans <= maxScans {
		rest = nextMarker(rest)
		if len(rest) < 4 || rest[1] == endOfImage {
			break
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < 2 || 2+length > len(rest) {
			break
		}
		segment := rest[4 : 2+length]
		switch marker := rest[1]; {
		case marker == startOfScan:
			frame.scans++
		case startsFrame(marker) && frame.width == 0 && len(segment) >= 5:
			frame.height = int(binary.BigEndian.Uint16(segment[1:]))
			frame.width = int(binary.BigEndian.Uint16(segment[3:]))
		case marker == app1:
			exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00"))
			if ok && !haveExif {
				haveExif = true
				frame.orientation = exifOrientation(exif)
			}
		}
		rest = rest[2+length:]
	}
	return frame
}

// startsFrame reports whether a marker begins a frame, of any process, arithmetic and lossless ones included (ITU-T
// T.81, table B.1).
func startsFrame(marker byte) bool {
	const (
		huffmanTables          = 0xc4
		extension              = 0xc8
		arithmeticConditioning = 0xcc
	)
	return marker >= 0xc0 && marker <= 0xcf && marker != huffmanTables && marker != extension &&
		marker != arithmeticConditioning
}

// nextMarker returns the data from the next marker that has a segment or ends the picture. It skips fill bytes, stuffed
// bytes and restarts, which belong to a scan's data.
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
