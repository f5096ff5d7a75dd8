package avatar

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

func TestStripPNG(t *testing.T) {
	m := pictures.Quadrants(50, 40)
	plain := pictures.PNG(m)
	for name, stays := range map[string]bool{
		"PLTE": true, "tRNS": true, "eXIf": true, "ABCD": true, // an unknown critical one
		"acTL": false, "bKGD": false, "cHRM": false, "cICP": false, "gAMA": false, "hIST": false, "iCCP": false,
		"iTXt": false, "pHYs": false, "sBIT": false, "sPLT": false, "sRGB": false, "tEXt": false, "tIME": false, "zTXt": false,
		"abCd": false,
	} {
		data := pictures.PNG(m, pictures.PNGChunk(name, []byte("something")))
		want := plain
		if stays {
			want = data
		}
		stripped, _ := stripPNG(data)
		require.Equal(t, want, stripped, name)
		stripped, _ = stripPNG(append(slices.Clone(data), "what follows IEND"...))
		require.Equal(t, want, stripped, name)
	}
	for end := range plain {
		stripped, _ := stripPNG(plain[:end])
		require.Equal(t, plain[:end], stripped, "what is incomplete stays so")
	}
}

// A file of a megabyte can inflate to a thousand.
func TestRenderInflatesOnlyPixels(t *testing.T) {
	text := pictures.PNGChunk("zTXt", append([]byte("Comment\x00\x00"), deflated(7<<20)...))
	texts := pictures.PNG(pictures.Quadrants(50, 40), bytes.Repeat(text, 200))
	began := cpu()
	rendered, err := New(1, probe.Limits{}).Render(t.Context(), texts)
	require.NoError(t, err)
	requireSound(t, rendered)
	require.Less(t, cpu()-began, 2*time.Second)

	for name, interlaced := range map[string]byte{"rows": 0, "interlaced": 1} {
		bomb := pictures.BlankPNG(20, 20)[:8]
		header := []byte{0, 0, 0, 20, 0, 0, 0, 20, 8, 0, 0, 0, interlaced}
		for _, chunk := range [][]byte{
			pictures.PNGChunk("IHDR", header), pictures.PNGChunk("IDAT", deflated(1<<27)), pictures.PNGChunk("IEND", nil),
		} {
			bomb = append(bomb, chunk...)
		}
		_, err = New(1, probe.Limits{}).Render(t.Context(), bomb)
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, probe.CodeUnreadable, refused.Code, name)
	}
}

// deflated is a stream of so many zero bytes.
func deflated(size int64) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.CopyN(w, zeros{}, size)
	_ = w.Close()
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestSizeOfPixels(t *testing.T) {
	r := image.Rect(0, 0, 13, 7)
	two := color.Palette{color.Black, color.White}
	for name, m := range map[string]image.Image{
		"grey": image.NewGray(r), "grey of 16 bits": image.NewGray16(r), "palette of 1 bit": image.NewPaletted(r, two),
		"palette of 2 bits": image.NewPaletted(r, append(two, color.Gray{Y: 9})), "colours": image.NewRGBA(r),
		"colours of 16 bits": image.NewRGBA64(r), "with alpha": image.NewNRGBA(r),
		"with alpha of 16 bits": image.NewNRGBA64(r),
	} {
		data := pictures.PNG(m)
		_, pixels := stripPNG(data)
		stream, err := zlib.NewReader(bytes.NewReader(pixels))
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, stream)
		require.NoError(t, err)
		require.Equal(t, n, sizeOfPixels(data), name)
	}
	for side, want := range map[byte]int64{1: 2, 2: 2 + 2 + 3, 8: 2 + 2 + 3 + 6 + 10 + 20 + 36} {
		data := pictures.PNG(image.NewGray(image.Rect(0, 0, int(side), int(side))))
		data[28] = 1 // interlaced
		require.Equal(t, want, sizeOfPixels(data), "%d", side)
	}
}
