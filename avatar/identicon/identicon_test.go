package identicon_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/identicon"
)

// TestSVGStays: clients keep the picture for ever under its address.
func TestSVGStays(t *testing.T) {
	const want = `<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">` +
		`<rect width="512" height="512" fill="hsl(130,45%,92%)"/><path fill="hsl(130,55%,45%)" d="` +
		`M56 56h80v80h-80zM136 56h80v80h-80zM296 56h80v80h-80zM376 56h80v80h-80zM136 136h80v80h-80zM296 136h80v80h-80z` +
		`M216 216h80v80h-80zM136 296h80v80h-80zM296 296h80v80h-80zM56 376h80v80h-80zM136 376h80v80h-80zM296 376h80v80h-80z` +
		`M376 376h80v80h-80z"/></svg>`
	require.Equal(t, want, string(identicon.SVG("01890000-0000-7000-8000-00000000dead")))
}

func TestSVGDiffers(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		seen[string(identicon.SVG(fmt.Sprint("user ", i)))] = true
	}
	require.Greater(t, len(seen), 990)
}

// TestSVGHoldsNothingOfTheID: no text that anyone wrote, and nothing that a browser would run or fetch.
func TestSVGHoldsNothingOfTheID(t *testing.T) {
	for _, id := range []string{"", `"/><script>alert(1)</script>`, "]]>&x;", strings.Repeat("a", 10_000), "\x00\xff"} {
		drawing := string(identicon.SVG(id))
		require.Less(t, len(drawing), 1500)
		for decoder := xml.NewDecoder(strings.NewReader(drawing)); ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			switch token := token.(type) {
			case xml.StartElement:
				require.Contains(t, []string{"svg", "rect", "path"}, token.Name.Local)
				for _, a := range token.Attr {
					require.Contains(t, []string{"xmlns", "width", "height", "viewBox", "fill", "d"}, a.Name.Local)
				}
			case xml.EndElement:
			default:
				require.Fail(t, "text in the drawing", "%T", token)
			}
		}
	}
}

// TestPNGIsTheSamePicture compares what a browser would make of the SVG: of every cell, and of what is around them.
func TestPNGIsTheSamePicture(t *testing.T) {
	const id = "01890000-0000-7000-8000-00000000dead" // hsl(130,45%,92%) and hsl(130,55%,45%) in CSS
	light, dark := color.RGBA{R: 225, G: 244, B: 228, A: 255}, color.RGBA{R: 52, G: 178, B: 73, A: 255}
	encoded, err := identicon.PNG(id)
	require.NoError(t, err)
	require.Less(t, len(encoded), 2000)
	picture, err := png.Decode(bytes.NewReader(encoded))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 512, 512), picture.Bounds())
	drawing := string(identicon.SVG(id))
	for y := 16; y < 512; y += 80 {
		for x := 16; x < 512; x += 80 {
			want := light
			if strings.Contains(drawing, fmt.Sprintf("M%d %dh80", x-40, y-40)) {
				want = dark
			}
			require.Equal(t, want, color.RGBAModel.Convert(picture.At(x, y)), "%d, %d", x, y)
		}
	}
	again, err := identicon.PNG(id)
	require.NoError(t, err)
	require.Equal(t, encoded, again)
}
