package avatar

import (
	"bytes"
	"encoding/binary"
	"image/color"
	_ "image/png"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

func TestRenderStripsMetadata(t *testing.T) {
	m := pictures.Quadrants(640, 480)
	profile := pictures.DisplayP3()
	for name, data := range map[string][]byte{
		"jpeg": pictures.JPEG(m, pictures.Exif(binary.LittleEndian, 6), pictures.XMP(), pictures.JPEGProfile(profile),
			pictures.Segment(0xfe, []byte("SECRET-PLACE"))),
		"alpha": pictures.PNG(pictures.Solid(640, 480, color.NRGBA{A: 128}), pictures.PNGProfile(profile),
			pictures.PNGChunk("eXIf", pictures.TIFF(binary.LittleEndian, 1)), pictures.PNGChunk("tEXt",
				[]byte("A\x00SECRET-PLACE"))),
		"png": pictures.PNG(m, pictures.PNGProfile(profile), pictures.PNGChunk("tEXt", []byte("Comment\x00SECRET-PLACE")),
			pictures.PNGChunk("eXIf", pictures.TIFF(binary.LittleEndian, 1)),
			pictures.PNGChunk("iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00<x:xmpmeta>SECRET-PLACE</x:xmpmeta>"))),
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(data), "SECRET-PLACE")
			rendered, err := New(1, probe.Limits{}).Render(t.Context(), data)
			require.NoError(t, err)
			for _, r := range rendered {
				requireOnlyPixels(t, r, name == "alpha")
				for _, trace := range []string{"SECRET", "EXIF", "Exif", "GPS", "XMP ", "xmp", "ICC", "libvips"} {
					require.NotContains(t, string(r.Data), trace)
				}
			}
		})
	}
}

// requireOnlyPixels wants nothing in a file but what a decoder needs for the pixels.
func requireOnlyPixels(t *testing.T, r Rendered, alpha bool) {
	t.Helper()
	switch {
	case r.ContentType == "image/jpeg":
		header, _, _ := bytes.Cut(r.Data, []byte{0xff, 0xda})
		for marker := range 0x0f {
			require.NotContains(t, string(header), string([]byte{0xff, byte(0xe0 + marker)}), "a segment of an application's")
		}
	case r.ContentType == "image/png":
		require.Equal(t, []string{"IHDR", "pHYs", "IDAT", "IEND"}, slices.Compact(pngChunks(r.Data)))
		const meter = "\x00\x00\x03\xe8\x00\x00\x03\xe8\x01" // a pixel for each millimetre, whatever the camera said
		require.Contains(t, string(r.Data), "pHYs"+meter)
	case alpha:
		require.Equal(t, []string{"VP8X", "ALPH", "VP8 "}, chunks(r.Data))
		require.EqualValues(t, 1<<4, r.Data[20], "alpha is all that the extended format announces")
	default:
		require.Equal(t, []string{"VP8 "}, chunks(r.Data))
	}
	if r.ContentType == "image/webp" {
		require.EqualValues(t, len(r.Data)-8, binary.LittleEndian.Uint32(r.Data[4:]))
	}
}

func pngChunks(data []byte) (names []string) {
	for rest := data[8:]; len(rest) > 0; {
		names = append(names, string(rest[4:8]))
		rest = rest[12+binary.BigEndian.Uint32(rest):]
	}
	return names
}

// chunks names a WebP picture's chunks, which must fill it to the last byte.
func chunks(data []byte) []string {
	var names []string
	rest := data[12:]
	for len(rest) > 0 {
		size := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
		names, rest = append(names, string(rest[:4])), rest[size+size&1:]
	}
	return names
}
