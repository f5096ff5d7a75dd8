package probe

import "encoding/binary"

// exifOrientation reads the orientation from the first directory of a TIFF structure. A missing, broken or impossible
// value is 1, which is upright.
func exifOrientation(tiff []byte) int {
	const (
		headerSize     = 8
		entrySize      = 12
		orientationTag = 0x0112
		typeShort      = 3
	)
	if len(tiff) < headerSize {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	offset := int64(order.Uint32(tiff[4:]))
	if offset+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[offset+2:]
	for count := int(order.Uint16(tiff[offset:])); count > 0 && len(entries) >= entrySize; count-- {
		if order.Uint16(entries) == orientationTag && order.Uint16(entries[2:]) == typeShort {
			if value := int(order.Uint16(entries[8:])); value >= 1 && value <= 8 {
				return value
			}
			return 1
		}
		entries = entries[entrySize:]
	}
	return 1
}
