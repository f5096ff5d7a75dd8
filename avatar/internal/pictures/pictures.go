// Package pictures makes pictures for tests: valid, unusual and hostile ones.
package pictures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
)

var (
	Red    = color.NRGBA{R: 220, G: 30, B: 30, A: 255}
	Green  = color.NRGBA{R: 30, G: 200, B: 30, A: 255}
	Blue   = color.NRGBA{R: 30, G: 30, B: 220, A: 255}
	Yellow = color.NRGBA{R: 230, G: 220, B: 30, A: 255}
)

// Solid is a picture of one colour.
func Solid(width, height int, c color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < len(m.Pix); i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = c.R, c.G, c.B, c.A
	}
	return m
}

// Quadrants is red and green above blue and yellow, so that its eight orientations all look different.
func Quadrants(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := [2][2]color.NRGBA{{Red, Green}, {Blue, Yellow}}[2*y/height][2*x/width]
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// Stored returns the pixels that a camera stores for an upright picture, together with the EXIF orientation.
func Stored(upright *image.NRGBA, orientation int) *image.NRGBA {
	w, h := upright.Rect.Dx(), upright.Rect.Dy()
	if orientation >= 5 {
		w, h = h, w
	}
	stored := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range upright.Rect.Dy() {
		for x := range upright.Rect.Dx() {
			var sx, sy int
			switch orientation {
			case 1:
				sx, sy = x, y
			case 2:
				sx, sy = w-1-x, y
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sx, sy = x, h-1-y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			stored.SetNRGBA(sx, sy, upright.NRGBAAt(x, y))
		}
	}
	return stored
}

// JPEG encodes m, with segments (see Exif) after its first marker.
func JPEG(m image.Image, segments ...[]byte) []byte {
	var b bytes.Buffer
	must(jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}))
	data := b.Bytes()
	return bytes.Join([][]byte{data[:2], bytes.Join(segments, nil), data[2:]}, nil)
}

// PNG encodes m, with chunks (see PNGChunk) after its header.
func PNG(m image.Image, chunks ...[]byte) []byte {
	const headerEnd = 8 + 25
	var b bytes.Buffer
	must(png.Encode(&b, m))
	data := b.Bytes()
	return bytes.Join([][]byte{data[:headerEnd], bytes.Join(chunks, nil), data[headerEnd:]}, nil)
}

// GIF encodes an animation with one solid frame for each colour.
func GIF(width, height int, frames ...color.NRGBA) []byte {
	animation := &gif.GIF{}
	for _, c := range frames {
		animation.Image = append(animation.Image,
			image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{c, color.Black}))
		animation.Delay = append(animation.Delay, 10)
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, animation))
	return b.Bytes()
}

// AnimatedWebP makes an animation of still lossy WebP pictures of one size.
func AnimatedWebP(width, height int, stills ...[]byte) []byte {
	le := binary.LittleEndian
	dims := append(uint24(width-1), uint24(height-1)...)
	body := []byte("WEBP")
	body = append(body, riff("VP8X", append([]byte{1 << 1, 0, 0, 0}, dims...))...)
	body = append(body, riff("ANIM", make([]byte, 6))...)
	for _, still := range stills {
		for rest := still[12:]; len(rest) >= 8; {
			size := int(le.Uint32(rest[4:]))
			size += size & 1
			if string(rest[:4]) == "VP8 " {
				frame := append(make([]byte, 6), dims...)
				frame = append(frame, 100, 0, 0, 0) // milliseconds, flags
				body = append(body, riff("ANMF", append(frame, rest[:8+size]...))...)
			}
			rest = rest[8+size:]
		}
	}
	return riff("RIFF", body)
}

func riff(id string, payload []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(payload)))
	chunk = append(chunk, payload...)
	if len(payload)%2 == 1 {
		chunk = append(chunk, 0)
	}
	return chunk
}

func uint24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

// BlankPNG is a black picture with one bit a pixel: small whatever its dimensions.
func BlankPNG(width, height int) []byte {
	return rawPNG(width, height, width, height)
}

// ForgedPNG has a header with one size, and pixels of another.
func ForgedPNG(headerWidth, headerHeight, width, height int) []byte {
	return rawPNG(headerWidth, headerHeight, width, height)
}

func rawPNG(headerWidth, headerHeight, width, height int) []byte {
	header := binary.BigEndian.AppendUint32(nil, uint32(headerWidth))
	header = binary.BigEndian.AppendUint32(header, uint32(headerHeight))
	header = append(header, 1, 0, 0, 0, 0) // bits, greyscale, deflate, filters, not interlaced
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"),
		PNGChunk("IHDR", header),
		PNGChunk("IDAT", deflate(make([]byte, (1+(width+7)/8)*height))),
		PNGChunk("IEND", nil),
	}, nil)
}

// PNGChunk returns a chunk with its length and checksum.
func PNGChunk(id string, payload []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	chunk = append(append(chunk, id...), payload...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// PNGProfile returns the chunk of an ICC profile.
func PNGProfile(profile []byte) []byte {
	return PNGChunk("iCCP", append([]byte("profile\x00\x00"), deflate(profile)...))
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := io.Copy(w, bytes.NewReader(data))
	must(err)
	must(w.Close())
	return b.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// WebP returns a still lossy picture with a profile, if any.
func WebP(still, profile []byte) []byte {
	if profile == nil {
		return still
	}
	m := still[12:]
	size := int(binary.LittleEndian.Uint32(m[4:]))
	width, height := int(binary.LittleEndian.Uint16(m[14:]))&0x3fff, int(binary.LittleEndian.Uint16(m[16:]))&0x3fff
	dims := append(uint24(width-1), uint24(height-1)...)
	body := append([]byte("WEBP"), riff("VP8X", append([]byte{1 << 5, 0, 0, 0}, dims...))...)
	body = append(body, riff("ICCP", profile)...)
	return riff("RIFF", append(body, m[:8+size+size&1]...))
}
