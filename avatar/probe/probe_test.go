package probe_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

// lossyWebP and canvasWebP have headers only: Check reads no further.
var (
	lossyWebP  = webp("VP8 ", "\x10\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00"+strings.Repeat("\x00", 6))
	canvasWebP = webp("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00")
)

func webp(chunk, payload string) []byte {
	body := "WEBP" + chunk + string(binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))) + payload
	return []byte("RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body)
}

func TestCheckReadsHeaders(t *testing.T) {
	m := pictures.Solid(320, 240, pictures.Red)
	tests := map[string]struct {
		data   []byte
		format probe.Format
	}{
		"jpeg":          {pictures.JPEG(m), probe.JPEG},
		"png":           {pictures.PNG(m), probe.PNG},
		"gif":           {pictures.GIF(320, 240, pictures.Red, pictures.Blue), probe.GIF},
		"lossy webp":    {lossyWebP, probe.WebP},
		"animated webp": {canvasWebP, probe.WebP},
		"jpeg and zip":  {append(pictures.JPEG(m), "PK\x03\x04"...), probe.JPEG},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			info, err := probe.Check(test.data, probe.Limits{})
			require.NoError(t, err)
			require.Equal(t, probe.Info{
				Format: test.format, ContentType: "image/" + string(test.format),
				Width: 320, Height: 240, Orientation: 1,
			}, info)
		})
	}
}

// TestCheckLeavesJudgementToLibvips: image/jpeg refuses each of these headers, and libvips and browsers show such
// pictures.
func TestCheckLeavesJudgementToLibvips(t *testing.T) {
	frame := func(marker byte, components string) []byte {
		segment := "\x08\x00\xf0\x01\x40" + string(rune(len(components)/3)) + components
		return append([]byte("\xff\xd8"), pictures.Segment(marker, []byte(segment))...)
	}
	const grey, cmyk2111 = "\x01\x11\x00", "\x01\x21\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00"
	for name, data := range map[string][]byte{
		"CMYK with 2111 sampling": frame(0xc0, cmyk2111),
		"extended":                frame(0xc1, grey),
		"arithmetic":              frame(0xc9, grey),
		"progressive arithmetic":  frame(0xca, grey),
		"after another's tables":  append([]byte("\xff\xd8\xff\xcc\x00\x04\x00\x10"), frame(0xc9, grey)[2:]...),
	} {
		t.Run(name, func(t *testing.T) {
			info, err := probe.Check(data, probe.Limits{})
			require.NoError(t, err)
			require.Equal(t, []int{320, 240}, []int{info.Width, info.Height})
		})
	}
}

func TestCheckReadsNoPixels(t *testing.T) {
	data := pictures.PNG(pictures.Solid(2000, 2000, pictures.Red))
	_, err := probe.Check(data[:33], probe.Limits{})
	require.NoError(t, err, "the header is enough")
}

func TestCheckOrientation(t *testing.T) {
	m := pictures.Solid(16, 16, pictures.Red)
	for want := 1; want <= 8; want++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			info, err := probe.Check(pictures.JPEG(m, pictures.XMP(), pictures.Exif(order, want)), probe.Limits{})
			require.NoError(t, err)
			require.Equal(t, want, info.Orientation, order)
		}
	}

	exif := func(tiff string) []byte { return pictures.Segment(0xe1, []byte("Exif\x00\x00"+tiff)) }
	whole := string(pictures.TIFF(binary.BigEndian, 6))
	broken := map[string][]byte{
		"0":                   pictures.Exif(binary.BigEndian, 0),
		"9":                   pictures.Exif(binary.BigEndian, 9),
		"empty":               exif(""),
		"unknown byte order":  exif("XX" + whole[2:]),
		"directory far away":  exif("MM\x00*\xff\xff\xff\xff"),
		"directory in header": exif("MM\x00*\x00\x00\x00\x00"),
		"cut":                 exif(whole[:15]),
		"a million entries":   exif("MM\x00*\x00\x00\x00\x08\xff\xff"),
	}
	for name, segment := range broken {
		t.Run(name, func(t *testing.T) {
			info, err := probe.Check(pictures.JPEG(m, segment), probe.Limits{})
			require.NoError(t, err)
			require.Equal(t, 1, info.Orientation)
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	small := pictures.Solid(16, 16, pictures.Red)
	png := pictures.PNG(small)
	noWidth := bytes.Clone(pictures.GIF(16, 16, pictures.Red))
	noWidth[6] = 0
	tests := map[string]struct {
		data    []byte
		code    string
		message string // a part of it
	}{
		"nothing":         {nil, probe.CodeEmpty, "empty"},
		"a byte too many": {append(png, make([]byte, 5<<20)...), probe.CodeTooLarge, "the limit is 5 MB"},
		"text": {
			[]byte("not a picture, whatever its name"),
			probe.CodeUnsupportedFormat,
			"JPEG, PNG, WebP or GIF",
		},
		"html":         {[]byte("<!doctype html><script>alert(1)</script>"), probe.CodeUnsupportedFormat, ""},
		"svg":          {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), probe.CodeUnsupportedFormat, ""},
		"pdf":          {[]byte("%PDF-1.7\n"), probe.CodeUnsupportedFormat, ""},
		"tiff":         {pictures.TIFF(binary.LittleEndian, 1), probe.CodeUnsupportedFormat, ""},
		"heic":         {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), probe.CodeUnsupportedFormat, ""},
		"bmp":          {[]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00"), probe.CodeUnsupportedFormat, ""},
		"zeros":        {make([]byte, 64), probe.CodeUnsupportedFormat, ""},
		"another riff": {[]byte("RIFF\x00\x00\x00\x00WAVEfmt "), probe.CodeUnsupportedFormat, ""},
		"jpeg's magic": {[]byte("\xff\xd8\xff"), probe.CodeUnreadable, "save it again"},
		"png's magic":  {png[:8], probe.CodeUnreadable, ""},
		"gif's magic":  {[]byte("GIF89a"), probe.CodeUnreadable, ""},
		"no frame": {
			[]byte("\xff\xd8\xff\xc4\x00\x09\x08\x00\xf0\x01\x40\x00\x00\xff\xd9"),
			probe.CodeUnreadable,
			"",
		},
		"a cut frame":   {[]byte("\xff\xd8\xff\xc0\x00\x11\x08\x00\xf0\x01"), probe.CodeUnreadable, ""},
		"another chunk": {webp("ALPH", strings.Repeat("\x00", 16)), probe.CodeUnreadable, ""},
		"no start code": {webp("VP8 ", strings.Repeat("\x00", 16)), probe.CodeUnreadable, ""},
		"webp's magic":  {[]byte("RIFF\x00\x00\x00\x00WEBP"), probe.CodeUnreadable, ""},
		"a wrong checksum": {
			bytes.Replace(png, []byte("IHDR\x00\x00\x00\x10"), []byte("IHDR\x00\x00\x00\x11"), 1),
			probe.CodeUnreadable,
			"",
		},
		"no width": {noWidth, probe.CodeUnreadable, ""},
		"a bomb": {
			pictures.BlankPNG(15000, 15000),
			probe.CodeTooManyPixels,
			"225 megapixels; the limit is 50 megapixels",
		},
		"just too many": {pictures.BlankPNG(5001, 10000), probe.CodeTooManyPixels, "50.01 megapixels"},
		"a long side":   {pictures.BlankPNG(1, 20001), probe.CodeTooManyPixels, "20000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := probe.Check(test.data, probe.Limits{})
			var refused *probe.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.code, refused.Code)
			require.Contains(t, refused.Message, test.message)
		})
	}
}

func TestCheckAtTheLimits(t *testing.T) {
	for name, data := range map[string][]byte{
		"one pixel":      pictures.BlankPNG(1, 1),
		"a long line":    pictures.BlankPNG(1, 20000),
		"50 megapixels":  pictures.BlankPNG(5000, 10000),
		"all five megas": append(pictures.BlankPNG(1, 1), make([]byte, 5<<20-len(pictures.BlankPNG(1, 1)))...),
	} {
		_, err := probe.Check(data, probe.Limits{})
		require.NoError(t, err, name)
	}

	_, err := probe.Check(pictures.BlankPNG(10, 10), probe.Limits{MaxPixels: 99, MaxBytes: 1000})
	require.ErrorContains(t, err, probe.CodeTooManyPixels)
	_, err = probe.Check(pictures.BlankPNG(10, 10), probe.Limits{MaxPixels: 100, MaxBytes: 50})
	require.ErrorContains(t, err, probe.CodeTooLarge)
}

func FuzzCheck(f *testing.F) {
	m := image.NewGray(image.Rect(0, 0, 9, 5))
	f.Add(pictures.JPEG(m, pictures.Exif(binary.BigEndian, 6)))
	f.Add(pictures.JPEG(m, pictures.Exif(binary.LittleEndian, 3)))
	f.Add(pictures.PNG(m))
	f.Add(pictures.GIF(9, 5, pictures.Red))
	f.Add(lossyWebP)
	f.Add(canvasWebP)
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := probe.Check(data, probe.Limits{})
		if err != nil {
			var refused *probe.Error
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Code)
			require.NotEmpty(t, refused.Message)
			return
		}
		require.Contains(t, []probe.Format{probe.JPEG, probe.PNG, probe.WebP, probe.GIF}, info.Format)
		require.Positive(t, info.Width)
		require.Positive(t, info.Height)
		require.LessOrEqual(t, max(info.Width, info.Height), probe.MaxSide)
		require.LessOrEqual(t, info.Width*info.Height, probe.DefaultMaxPixels)
		require.GreaterOrEqual(t, info.Orientation, 1)
		require.LessOrEqual(t, info.Orientation, 8)
	})
}
