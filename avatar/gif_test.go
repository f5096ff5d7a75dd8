package avatar

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
)

// Where the first frame leaves the canvas open, browsers show nothing.
func TestRenderOpenCanvas(t *testing.T) {
	const side = 200
	palette := color.Palette{pictures.Red, pictures.Blue}
	left, whole := image.Rect(0, 0, side/2, side), image.Rect(0, 0, side, side)
	for name, test := range map[string]struct {
		frames  []*image.Paletted
		global  color.Palette
		comment bool
		covered bool
	}{
		"covered":                       {frames: []*image.Paletted{image.NewPaletted(whole, palette)}, covered: true},
		"open":                          {frames: []*image.Paletted{image.NewPaletted(left, palette)}},
		"open, after a comment":         {frames: []*image.Paletted{image.NewPaletted(left, palette)}, comment: true},
		"open, a frame of many colours": {frames: []*image.Paletted{image.NewPaletted(left, manyColours())}},
		"open, a global colour table":   {frames: []*image.Paletted{image.NewPaletted(left, palette)}, global: palette},
		"open until the second frame": {
			frames: []*image.Paletted{image.NewPaletted(left, palette), image.NewPaletted(whole, palette)},
		},
		"open, and transparent itself": {
			frames: []*image.Paletted{image.NewPaletted(left, color.Palette{pictures.Red, color.Transparent})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			animation := gif.GIF{Image: test.frames, Delay: make([]int, len(test.frames))}
			animation.Config.Width, animation.Config.Height = side, side
			if test.global != nil {
				animation.Config.ColorModel = test.global
			}
			var b bytes.Buffer
			require.NoError(t, gif.EncodeAll(&b, &animation))
			data := b.Bytes()
			if test.comment {
				header := 13 + colourTable(data[10])
				data = bytes.Join([][]byte{data[:header], []byte("\x21\xfe\x02\x2c\x00\x00"), data[header:]}, nil)
			}
			for _, got := range both(renderImages(t, data)) {
				requireColor(t, pictures.Red, got, 0.25, 0.5)
				if test.covered {
					requireColor(t, pictures.Red, got, 0.75, 0.5)
					continue
				}
				require.Zero(t, pixel(got, got.Bounds().Dx()*3/4, got.Bounds().Dy()/2).A)
			}
		})
	}
}

func manyColours() color.Palette {
	all := make(color.Palette, 256)
	for i := range all {
		all[i] = color.NRGBA{R: pictures.Red.R, G: pictures.Red.G, B: pictures.Red.B + byte(i), A: 255}
	}
	return all
}

// A GIF that breaks off before the end of its first frame is not changed, so that it stays unreadable.
func TestWithHolesOfBrokenData(t *testing.T) {
	var b bytes.Buffer
	m := image.NewPaletted(image.Rect(5, 5, 20, 20), manyColours())
	require.NoError(t, gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{m}, Delay: []int{0}, Config: image.Config{Width: 30, Height: 30},
	}))
	data := b.Bytes()
	for end := range len(data) - 1 {
		require.Equal(t, data[:end], withHoles(data[:end]))
	}
	require.Len(t, withHoles(data), len(data)+len(emptyFrame))
}
