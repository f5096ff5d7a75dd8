package pictures

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
)

// SVG is a drawing that refers to each of the addresses in every way that a renderer may follow.
func SVG(addresses ...string) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0"?><!DOCTYPE svg [`)
	for i, address := range addresses {
		fmt.Fprintf(&b, `<!ENTITY e%d SYSTEM "%s">`, i, address)
	}
	b.WriteString(
		`]><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64">`,
	)
	for i, address := range addresses {
		fmt.Fprintf(
			&b,
			`<image xlink:href="%[2]s" width="9" height="9"/><use href="%[2]s#a"/><style>@import url("%[2]s");</style><text>&e%[1]d;</text>`,
			i,
			address,
		)
	}
	b.WriteString(`<rect width="64" height="64" fill="red"/></svg>`)
	return b.Bytes()
}

// PDF is a document of one empty page.
func PDF() []byte {
	return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" +
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 64 64]>>endobj\n" +
		"trailer<</Root 1 0 R>>\n%%EOF\n")
}

// GreyTIFF is a complete TIFF picture of one grey pixel.
func GreyTIFF() []byte {
	le := binary.LittleEndian
	tags := [][2]uint16{{256, 1}, {257, 1}, {258, 8}, {259, 1}, {262, 1}, {273, 0}, {277, 1}, {278, 1}, {279, 1}}
	pixelAt := 8 + 2 + 12*len(tags) + 4
	b := le.AppendUint32([]byte("II*\x00"), 8)
	b = le.AppendUint16(b, uint16(len(tags)))
	for _, tag := range tags {
		if tag[0] == 273 { // where the pixels are
			tag[1] = uint16(pixelAt)
		}
		b = le.AppendUint16(le.AppendUint16(b, tag[0]), 3)
		b = le.AppendUint32(le.AppendUint32(b, 1), uint32(tag[1]))
	}
	return append(le.AppendUint32(b, 0), 100)
}

// HEIC is the beginning of a file from a phone's camera.
func HEIC() []byte {
	box := func(name string, payload []byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(payload))), name...), payload...)
	}
	return bytes.Join([][]byte{
		box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")), box("meta", make([]byte, 64)), box("mdat", make([]byte, 64)),
	}, nil)
}

// ForgedJPEG has a header with one size, and the pixels of m.
func ForgedJPEG(headerWidth, headerHeight int, m image.Image) []byte {
	data := JPEG(m)
	size := bytes.Index(data, []byte{0xff, 0xc0}) + 5
	binary.BigEndian.PutUint16(data[size:], uint16(headerHeight))
	binary.BigEndian.PutUint16(data[size+2:], uint16(headerWidth))
	return data
}

// ForgedGIF has a canvas of 9×9, and a frame of another size that does not fit into it.
func ForgedGIF(frameWidth, frameHeight int) []byte {
	data := GIF(9, 9, Red)
	size := bytes.Index(data, []byte{0x2c, 0, 0, 0, 0}) + 5
	binary.LittleEndian.PutUint16(data[size:], uint16(frameWidth))
	binary.LittleEndian.PutUint16(data[size+2:], uint16(frameHeight))
	return data
}

// JPEGAndZIP is a valid JPEG and, read from its end, a valid ZIP archive.
func JPEGAndZIP(m image.Image) []byte {
	data := JPEG(m)
	le := binary.LittleEndian
	name, content := "SECRET-PLACE.txt", "SECRET-PLACE"
	localAt := len(data)
	sizes := func(b []byte) []byte {
		b = le.AppendUint32(b, 0) // checksum
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(content))), uint32(len(content)))
		return le.AppendUint16(le.AppendUint16(b, uint16(len(name))), 0)
	}
	data = sizes(append(data, "PK\x03\x04\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	data = append(append(data, name...), content...)
	directoryAt := len(data)
	data = sizes(append(data, "PK\x01\x02\x0a\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	data = le.AppendUint32(append(data, make([]byte, 10)...), uint32(localAt))
	data = append(data, name...)
	length := len(data) - directoryAt
	data = append(data, "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00"...)
	return append(le.AppendUint32(le.AppendUint32(data, uint32(length)), uint32(directoryAt)), 0, 0)
}

// JPEGAndHTML is a valid JPEG and, to a browser that guesses the type, a page with a script.
func JPEGAndHTML(m image.Image) []byte {
	page := []byte("<!doctype html><script>alert('SECRET-PLACE')</script><!--")
	return append(JPEG(m, Segment(0xfe, page)), page...)
}
