package pictures

import (
	"encoding/binary"
)

// Segment returns a JPEG segment with its length.
func Segment(marker byte, payload []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(payload)+2))
	return append(segment, payload...)
}

// Exif returns the APP1 segment of a JPEG with EXIF; see TIFF.
func Exif(order binary.AppendByteOrder, orientation int) []byte {
	return Segment(0xe1, append([]byte("Exif\x00\x00"), TIFF(order, orientation)...))
}

// TIFF returns the content of EXIF: an orientation, and a place by GPS, with SECRET-PLACE as the map datum.
func TIFF(order binary.AppendByteOrder, orientation int) []byte {
	const (
		short, ascii, long = 3, 2, 4
		gpsAt              = 8 + 2 + 2*12 + 4
		gpsDataAt          = gpsAt + 2 + 2*12 + 4
	)
	magic := "MM\x00*"
	if order.String() == "LittleEndian" {
		magic = "II*\x00"
	}
	datum := "SECRET-PLACE\x00"
	b := order.AppendUint32([]byte(magic), 8)
	entry := func(tag, kind uint16, count uint32, value func([]byte) []byte) {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count)
		b = value(b)
	}
	u32 := func(v uint32) func([]byte) []byte {
		return func(b []byte) []byte { return order.AppendUint32(b, v) }
	}
	b = order.AppendUint16(b, 2)
	entry(0x0112, short, 1, func(b []byte) []byte {
		return append(order.AppendUint16(b, uint16(orientation)), 0, 0)
	})
	entry(0x8825, long, 1, u32(gpsAt))
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 2)
	entry(0x0001, ascii, 2, func(b []byte) []byte { return append(b, "N\x00\x00\x00"...) })
	entry(0x0012, ascii, uint32(len(datum)), u32(gpsDataAt))
	b = order.AppendUint32(b, 0)
	return append(b, datum...)
}

// XMP returns the APP1 segment of a JPEG with a packet of XMP.
func XMP() []byte {
	return Segment(0xe1,
		[]byte("http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET-PLACE</x:xmpmeta>"))
}

// JPEGProfile returns the APP2 segment of a JPEG with an ICC profile.
func JPEGProfile(profile []byte) []byte {
	return Segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

// DisplayP3Gamma is the exponent of DisplayP3's tone curve. Apple's profile has the curve of sRGB; a plain power keeps
// the profile and the expected values short.
const DisplayP3Gamma = 563.0 / 256

// DisplayP3 is an ICC profile with the primaries of Display P3, adapted to D50.
func DisplayP3() []byte { return Matrix(2, P3Red, P3Green, P3Blue, Gamma(DisplayP3Gamma)) }
