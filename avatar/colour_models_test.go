package avatar

import (
	"image"
	"image/color"
	"image/draw"
	_ "image/png"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
)

func TestRenderColourModels(t *testing.T) {
	fill := func(m draw.Image, c color.Color) image.Image {
		draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
		return m
	}
	r := image.Rect(0, 0, 200, 150)
	grey := color.NRGBA{R: 100, G: 100, B: 100, A: 255}
	half := color.NRGBA{R: 200, G: 100, B: 50, A: 128}
	for name, test := range map[string]struct {
		data []byte
		want color.NRGBA
	}{
		"grey jpeg":         {pictures.JPEG(fill(image.NewGray(r), grey)), grey},
		"grey png":          {pictures.PNG(fill(image.NewGray(r), grey)), grey},
		"1-bit png":         {pictures.BlankPNG(200, 150), color.NRGBA{A: 255}},
		"16-bit grey png":   {pictures.PNG(fill(image.NewGray16(r), grey)), grey},
		"16-bit png":        {pictures.PNG(fill(image.NewNRGBA64(r), pictures.Green)), pictures.Green},
		"16-bit png, alpha": {pictures.PNG(fill(image.NewNRGBA64(r), half)), half},
		"palette png": {pictures.PNG(fill(image.NewPaletted(r, color.Palette{color.Black, pictures.Yellow}),
			pictures.Yellow)), pictures.Yellow},
		"palette png, alpha": {pictures.PNG(fill(image.NewPaletted(r, color.Palette{color.Black, half}), half)), half},
		"cmyk jpeg, no ink":  {pictures.CMYK([4]byte{}), color.NRGBA{R: 255, G: 255, B: 255, A: 255}},
	} {
		t.Run(name, func(t *testing.T) { requireSolid(t, test.want, test.data) })
	}
	t.Run("cmyk jpeg, inks", func(t *testing.T) {
		// Which red and black they become is up to the profile of a press; that they are red and black is not.
		_, red := renderImages(t, pictures.CMYK([4]byte{0, 255, 255, 0}))
		c := pixel(red, 256, 256)
		require.Greater(t, c.R, uint8(180))
		require.Less(t, max(c.G, c.B), uint8(90))
		_, black := renderImages(t, pictures.CMYK([4]byte{0, 0, 0, 255}))
		c = pixel(black, 256, 256)
		require.Less(t, max(c.R, c.G, c.B), uint8(60))
	})
}

func TestRenderConvertsProfiles(t *testing.T) {
	inP3 := color.NRGBA{R: 200, G: 120, B: 60, A: 255}
	inSRGB := p3ToSRGB(inP3)
	require.NotEqual(t, inP3, inSRGB)
	m := pictures.Solid(300, 300, inP3)
	profile := pictures.DisplayP3()

	t.Run("jpeg", func(t *testing.T) {
		requireSolid(t, inSRGB, pictures.JPEG(m, pictures.JPEGProfile(profile)))
	})
	t.Run("png", func(t *testing.T) {
		requireSolid(t, inSRGB, pictures.PNG(m, pictures.PNGProfile(profile)))
	})
	t.Run("broken", func(t *testing.T) {
		requireSolid(t, inP3, pictures.PNG(m, pictures.PNGProfile(profile[:200])))
		requireSolid(t, inP3, pictures.JPEG(m, pictures.JPEGProfile([]byte("no profile"))))
	})
	t.Run("of another colour model", func(t *testing.T) {
		grey := image.NewGray(image.Rect(0, 0, 300, 300))
		requireSolid(t, color.NRGBA{A: 255}, pictures.JPEG(grey, pictures.JPEGProfile(profile)))
		cmyk := pictures.CMYK([4]byte{})
		cmyk = append(append([]byte("\xff\xd8"), pictures.JPEGProfile(profile)...), cmyk[2:]...)
		requireSolid(t, color.NRGBA{R: 255, G: 255, B: 255, A: 255}, cmyk)
	})
}

// p3ToSRGB follows CSS Color 4's matrices from Display P3 to sRGB, with the tone curve of pictures.DisplayP3.
func p3ToSRGB(c color.NRGBA) color.NRGBA {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, pictures.DisplayP3Gamma) }
	encode := func(v float64) uint8 {
		if v = min(max(v, 0), 1); v <= 0.0031308 {
			return uint8(math.Round(255 * 12.92 * v))
		}
		return uint8(math.Round(255 * (1.055*math.Pow(v, 1/2.4) - 0.055)))
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	return color.NRGBA{
		R: encode(1.2249*r - 0.2249*g),
		G: encode(-0.0421*r + 1.0421*g),
		B: encode(-0.0196*r - 0.0786*g + 1.0983*b),
		A: c.A,
	}
}
