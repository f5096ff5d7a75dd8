package avatar

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/h2non/bimg"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

func TestRenderTurnsUpright(t *testing.T) {
	const tolerance = 3
	for _, size := range []image.Point{{700, 700}, {900, 600}} {
		upright := pictures.Quadrants(size.X, size.Y)
		// Something to see, off the middle, so that a crop before the turn would not be the crop after it.
		eye := image.Rect(0, 0, 200, 200).Add(size.Div(8))
		draw.Draw(upright, eye, image.White, image.Point{}, draw.Src)

		wantThumbnail, wantMedium := renderImages(t, pictures.JPEG(upright))
		requireColor(t, pictures.Red, wantMedium, 0.02, 0.02)
		requireColor(t, pictures.Blue, wantMedium, 0.02, 0.98)
		for orientation := 1; orientation <= 8; orientation++ {
			stored := pictures.Stored(upright, orientation)
			data := pictures.JPEG(stored, pictures.Exif(binary.LittleEndian, orientation))
			thumbnail, medium := renderImages(t, data)
			require.Less(t, distance(wantThumbnail, thumbnail), float64(tolerance), "orientation %d", orientation)
			requireColor(t, pictures.Red, medium, 0.02, 0.02)
			requireColor(t, pictures.Blue, medium, 0.02, 0.98)
			requireColor(t, pictures.Yellow, medium, 0.98, 0.98)
		}
	}
}

// distance is the mean difference of two pictures' samples.
func distance(a, b image.Image) float64 {
	var sum, n float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := pixel(a, x, y), pixel(b, x, y)
			sum += math.Abs(float64(p.R)-float64(q.R)) + math.Abs(float64(p.G)-float64(q.G)) +
				math.Abs(float64(p.B)-float64(q.B))
			n += 3
		}
	}
	return sum / n
}

func TestRenderCropsToWhatIsSeen(t *testing.T) {
	m := pictures.Solid(1600, 600, color.NRGBA{R: 128, G: 128, B: 128, A: 255})
	face := image.Rect(1250, 150, 1500, 450)
	draw.Draw(m, face, image.NewUniform(color.NRGBA{R: 224, G: 172, B: 140, A: 255}), image.Point{}, draw.Src)
	_, medium := renderImages(t, pictures.JPEG(m))
	seen := 0
	for x := range Medium.Pixels {
		if c := pixel(medium, x, Medium.Pixels/2); int(c.R) > int(c.B)+32 {
			seen++
		}
	}
	require.Greater(t, seen, 200, "the face is 213 pixels wide and far from the centre")
}

func TestRenderEveryFormat(t *testing.T) {
	m := pictures.Quadrants(600, 600)
	still, err := New(1, probe.Limits{}).Render(t.Context(), pictures.PNG(m))
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"jpeg": pictures.JPEG(m), "png": pictures.PNG(m), "webp": still[1].Data,
		"polyglot": append(pictures.JPEG(m), "PK\x05\x06 and more of an archive"...),
	} {
		t.Run(name, func(t *testing.T) {
			thumbnail, medium := renderImages(t, data)
			requireQuadrants(t, thumbnail)
			requireQuadrants(t, medium)
		})
	}
}

func TestRenderFirstFrame(t *testing.T) {
	render := func(c color.NRGBA) []byte {
		rendered, err := New(1, probe.Limits{}).Render(t.Context(), pictures.PNG(pictures.Solid(8, 8, c)))
		require.NoError(t, err)
		return rendered[0].Data
	}
	t.Run("gif", func(t *testing.T) {
		requireSolid(t, pictures.Red, pictures.GIF(300, 200, pictures.Red, pictures.Blue, pictures.Green))
	})
	t.Run("webp", func(t *testing.T) {
		requireSolid(t, pictures.Red, pictures.AnimatedWebP(128, 128, render(pictures.Red), render(pictures.Blue)))
	})
}

func TestRenderAnySize(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 20000}, {20000, 1}, {3, 500}, {127, 129}, {511, 513}, {20000, 64}} {
		t.Run(size.String(), func(t *testing.T) {
			requireSolid(t, pictures.Green, pictures.PNG(pictures.Solid(size.X, size.Y, pictures.Green)))
		})
	}
	t.Run("enlarged", func(t *testing.T) {
		thumbnail, medium := renderImages(t, pictures.PNG(pictures.Quadrants(40, 40)))
		requireQuadrants(t, thumbnail)
		requireQuadrants(t, medium)
	})
}

func TestRenderSizes(t *testing.T) {
	opaque, sheer := pictures.Red, color.NRGBA{R: 255, A: 128}
	// A palette with a transparent colour that no pixel has: libvips reads it with an alpha channel.
	idleAlpha := pictures.PNG(image.NewPaletted(image.Rect(0, 0, 300, 300), color.Palette{opaque, sheer}))
	for name, test := range map[string]struct {
		data []byte
		want []string
	}{
		"all": {pictures.JPEG(pictures.Solid(1400, 1024, opaque)),
			[]string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}},
		"turned": {pictures.JPEG(pictures.Solid(1024, 1400, opaque), pictures.Exif(binary.BigEndian, 6)),
			[]string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}},
		"a pixel too few": {pictures.JPEG(pictures.Solid(1400, 1023, opaque)),
			[]string{"thumbnail.webp", "medium.webp", "medium.jpg"}},
		"transparent": {pictures.PNG(pictures.Solid(300, 300, sheer)),
			[]string{"thumbnail.webp", "medium.webp", "medium.png"}},
		"alpha for nothing": {idleAlpha, []string{"thumbnail.webp", "medium.webp", "medium.jpg"}},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := New(1, probe.Limits{}).Render(t.Context(), test.data)
			require.NoError(t, err)
			requireSound(t, rendered)
			var names []string
			for _, r := range rendered {
				names = append(names, r.Name)
			}
			require.Equal(t, test.want, names)
		})
	}
	t.Run("show the same", func(t *testing.T) {
		rendered, err := New(1, probe.Limits{}).Render(t.Context(), pictures.JPEG(pictures.Quadrants(1500, 1200)))
		require.NoError(t, err)
		for _, r := range rendered {
			requireQuadrants(t, decode(t, r.Data))
		}
	})
}

func TestRenderKeepsAlpha(t *testing.T) {
	// Green where nothing is to be seen: a resize that does not weigh colours by alpha lets it bleed into the red.
	m := pictures.Solid(700, 700, color.NRGBA{G: 255})
	draw.Draw(m, image.Rect(0, 0, 347, 700), image.NewUniform(pictures.Red), image.Point{}, draw.Src)
	half := pictures.Solid(700, 700, color.NRGBA{R: 255, A: 128})

	for name, size := range map[string]int{"shrunk": 700, "enlarged": 60} {
		t.Run(name, func(t *testing.T) {
			cut := m.SubImage(image.Rect(347-size/2, 0, 347+size/2, size))
			for i, got := range both(renderImages(t, pictures.PNG(cut))) {
				requireColor(t, pictures.Red, got, 0.1, 0.5)
				_, _, _, a := got.At(got.Bounds().Dx()*9/10, got.Bounds().Dy()/2).RGBA()
				require.Zero(t, a, "size %d is transparent on the right", i)
				for x := range got.Bounds().Dx() {
					c := pixel(got, x, 60)
					if c.A > 100 {
						require.Less(t, c.G, uint8(90), "green bleeds into the edge at %d", x)
					}
				}
			}
		})
	}
	t.Run("half", func(t *testing.T) {
		requireSolid(t, color.NRGBA{R: 255, A: 128}, pictures.PNG(half))
	})
}

// TestRenderUncommonJPEGs renders what image/jpeg cannot even read the size of.
func TestRenderUncommonJPEGs(t *testing.T) {
	for _, name := range []string{"arithmetic.jpg", "arithmetic-progressive.jpg", "cmyk-2111.jpg"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			_, err = jpeg.DecodeConfig(bytes.NewReader(data))
			require.Error(t, err)
			requireSolid(t, pictures.Red, data)
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	jpeg := pictures.JPEG(pictures.Quadrants(800, 800))
	png := pictures.PNG(pictures.Quadrants(800, 800))
	gif := pictures.GIF(300, 200, pictures.Red)
	wideFrame := bytes.Replace(gif, []byte{',', 0, 0, 0, 0, 44, 1}, []byte{',', 0, 0, 0, 0, 0xff, 0xff}, 1)
	tests := map[string]struct {
		data []byte
		code string
	}{
		"nothing": {nil, probe.CodeEmpty},
		"text":    {[]byte("text named picture.jpg"), probe.CodeUnsupportedFormat},
		"svg": {
			[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`),
			probe.CodeUnsupportedFormat,
		},
		"bomb":                   {pictures.BlankPNG(15000, 15000), probe.CodeTooManyPixels},
		"truncated jpeg":         {jpeg[:len(jpeg)/2], probe.CodeUnreadable},
		"truncated png":          {png[:len(png)/2], probe.CodeUnreadable},
		"truncated gif":          {gif[:len(gif)/2], probe.CodeUnreadable},
		"header larger than all": {pictures.ForgedPNG(5000, 5000, 50, 50), probe.CodeUnreadable},
		"frame over its canvas":  {wideFrame, probe.CodeTooManyPixels},
		"scan bomb":              {pictures.ScanBomb(6400, 20_000), probe.CodeUnreadable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rendered, err := New(1, probe.Limits{}).Render(t.Context(), test.data)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.code, refused.Code)
			require.NotEmpty(t, refused.Message)
			require.Nil(t, rendered)
		})
	}
	t.Run("but not a header smaller than the data", func(t *testing.T) {
		requireSolid(t, color.NRGBA{A: 255}, pictures.ForgedPNG(50, 50, 5000, 5000))
	})
}

func TestOnlyUploadFormatsLoad(t *testing.T) {
	New(1, probe.Limits{})
	m := pictures.PNG(pictures.Solid(8, 8, pictures.Red))
	_, err := bimg.NewImage(m).Convert(bimg.JPEG)
	require.NoError(t, err)
	tiff, err := bimg.NewImage(m).Convert(bimg.TIFF)
	require.NoError(t, err)
	_, err = bimg.NewImage(tiff).Convert(bimg.PNG)
	require.ErrorContains(t, err, "block")
}

func FuzzRender(f *testing.F) {
	r := New(2, probe.Limits{MaxPixels: 1_000_000})
	for _, o := range oddities(f.Context()) {
		if len(o.data) < 64<<10 { // a large seed makes the fuzzer slow
			f.Add(o.data)
		}
	}
	f.Add(pictures.BlankPNG(1001, 1000))
	f.Add(pictures.GIF(20, 30, pictures.Red, pictures.Blue))
	f.Fuzz(func(t *testing.T, data []byte) {
		rendered, err := r.Render(t.Context(), data)
		if err != nil {
			var refused *Error
			require.ErrorAs(t, err, &refused, "only a picture that can never work fails")
			return
		}
		requireSound(t, rendered)
	})
}
