package avatar

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/h2non/bimg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/image/webp"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		os.Exit(child(task))
	}
	goleak.VerifyTestMain(m)
}

// renderImages renders data and decodes the results, having checked what holds for every one.
func renderImages(t *testing.T, data []byte) (thumbnail, medium image.Image) {
	t.Helper()
	rendered, err := New(1, probe.Limits{}).Render(t.Context(), data)
	require.NoError(t, err)
	requireSound(t, rendered)
	return decode(t, rendered[0].Data), decode(t, rendered[1].Data)
}

// requireSound wants each size once, as what it says it is, and the large one only if there is one.
func requireSound(t *testing.T, rendered []Rendered) {
	t.Helper()
	require.Contains(t, []int{3, 4}, len(rendered))
	for i, size := range []Size{Thumbnail, Medium, Plain, Large}[:len(rendered)] {
		r := rendered[i]
		endings := map[string]string{size.Name + ".webp": "image/webp"}
		if size.Plain {
			endings = map[string]string{"medium.jpg": "image/jpeg", "medium.png": "image/png"}
		}
		require.Contains(t, endings, r.Name)
		require.Equal(t, endings[r.Name], r.ContentType)
		require.Equal(t, [2]int{size.Pixels, size.Pixels}, [2]int{r.Width, r.Height})
		m, format, err := image.Decode(bytes.NewReader(r.Data))
		require.NoError(t, err)
		require.Equal(t, r.ContentType, "image/"+format)
		require.Equal(t, image.Rect(0, 0, size.Pixels, size.Pixels), m.Bounds())
	}
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	m, format, err := image.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	if format == "webp" {
		return m
	}
	converted := image.NewNRGBA(m.Bounds())
	draw.Draw(converted, m.Bounds(), m, image.Point{}, draw.Src)
	return converted
}

// pixel knows, as golang.org/x/image/webp does not, that WebP's YCbCr is BT.601 in the limited range.
func pixel(m image.Image, x, y int) color.NRGBA {
	var c color.NYCbCrA
	switch m := m.(type) {
	case *image.YCbCr:
		c = color.NYCbCrA{YCbCr: m.YCbCrAt(x, y), A: 255}
	case *image.NYCbCrA:
		c = m.NYCbCrAAt(x, y)
	default:
		return color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
	}
	luma, cb, cr := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
	clamp := func(v float64) uint8 { return uint8(math.Round(min(max(v, 0), 255))) }
	return color.NRGBA{
		R: clamp(luma + 1.596*cr),
		G: clamp(luma - 0.392*cb - 0.813*cr),
		B: clamp(luma + 2.017*cb),
		A: c.A,
	}
}

// requireColor wants the pixel at (x, y), given in parts of the width and height, to be nearly c.
func requireColor(t *testing.T, c color.NRGBA, m image.Image, x, y float64) {
	t.Helper()
	const tolerance = 8
	at := m.Bounds().Max
	got := pixel(m, int(x*float64(at.X)), int(y*float64(at.Y)))
	want, have := [4]uint8{c.R, c.G, c.B, c.A}, [4]uint8{got.R, got.G, got.B, got.A}
	for i := range want {
		require.InDelta(t, want[i], have[i], tolerance, "at (%g, %g): want %v, got %v", x, y, c, got)
	}
}

func requireSolid(t *testing.T, c color.NRGBA, data []byte) {
	t.Helper()
	thumbnail, medium := renderImages(t, data)
	for _, m := range []image.Image{thumbnail, medium} {
		for _, at := range []float64{0, 0.5, 0.99} {
			requireColor(t, c, m, at, at)
		}
	}
}

func requireQuadrants(t *testing.T, m image.Image) {
	t.Helper()
	requireColor(t, pictures.Red, m, 0.2, 0.2)
	requireColor(t, pictures.Green, m, 0.8, 0.2)
	requireColor(t, pictures.Blue, m, 0.2, 0.8)
	requireColor(t, pictures.Yellow, m, 0.8, 0.8)
}

func TestRenderKeepsMemoryLow(t *testing.T) {
	// Tracked by libvips: unpacked pictures, which is what grows when a picture is rotated or opened the wrong way.
	const limit = 24 << 20
	m := image.NewGray(image.Rect(0, 0, 4000, 3000))
	for name, data := range map[string][]byte{
		"upright": pictures.JPEG(m),
		"rotated": pictures.JPEG(m, pictures.Exif(binary.BigEndian, 6)),
		"png":     pictures.BlankPNG(4000, 3000),
	} {
		renderImages(t, data)
		require.Less(t, bimg.VipsMemory().MemoryHighwater, int64(limit), name)
	}
}

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
		"all":               {pictures.JPEG(pictures.Solid(1400, 1024, opaque)), []string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}},
		"turned":            {pictures.JPEG(pictures.Solid(1024, 1400, opaque), pictures.Exif(binary.BigEndian, 6)), []string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}},
		"a pixel too few":   {pictures.JPEG(pictures.Solid(1400, 1023, opaque)), []string{"thumbnail.webp", "medium.webp", "medium.jpg"}},
		"transparent":       {pictures.PNG(pictures.Solid(300, 300, sheer)), []string{"thumbnail.webp", "medium.webp", "medium.png"}},
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

func both(a, b image.Image) []image.Image { return []image.Image{a, b} }

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
		"grey jpeg":          {pictures.JPEG(fill(image.NewGray(r), grey)), grey},
		"grey png":           {pictures.PNG(fill(image.NewGray(r), grey)), grey},
		"1-bit png":          {pictures.BlankPNG(200, 150), color.NRGBA{A: 255}},
		"16-bit grey png":    {pictures.PNG(fill(image.NewGray16(r), grey)), grey},
		"16-bit png":         {pictures.PNG(fill(image.NewNRGBA64(r), pictures.Green)), pictures.Green},
		"16-bit png, alpha":  {pictures.PNG(fill(image.NewNRGBA64(r), half)), half},
		"palette png":        {pictures.PNG(fill(image.NewPaletted(r, color.Palette{color.Black, pictures.Yellow}), pictures.Yellow)), pictures.Yellow},
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

func TestRenderStripsMetadata(t *testing.T) {
	m := pictures.Quadrants(640, 480)
	profile := pictures.DisplayP3()
	for name, data := range map[string][]byte{
		"jpeg": pictures.JPEG(m, pictures.Exif(binary.LittleEndian, 6), pictures.XMP(), pictures.JPEGProfile(profile),
			pictures.Segment(0xfe, []byte("SECRET-PLACE"))),
		"alpha": pictures.PNG(pictures.Solid(640, 480, color.NRGBA{A: 128}), pictures.PNGProfile(profile),
			pictures.PNGChunk("eXIf", pictures.TIFF(binary.LittleEndian, 1)), pictures.PNGChunk("tEXt", []byte("A\x00SECRET-PLACE"))),
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

func TestRenderReleasesEverything(t *testing.T) {
	r := New(2, probe.Limits{})
	whole := pictures.JPEG(pictures.Quadrants(900, 600), pictures.Exif(binary.BigEndian, 5))
	for range 3 {
		_, err := r.Render(t.Context(), whole)
		require.NoError(t, err)
		_, err = r.Render(t.Context(), whole[:len(whole)/2])
		require.Error(t, err)
	}
	// After a failure, libvips' own threads let go of their buffers a little later.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		memory := bimg.VipsMemory()
		require.Zero(c, memory.Memory)
		require.Zero(c, memory.Allocations)
	}, 5*time.Second, time.Millisecond)
}

func TestRenderConcurrently(t *testing.T) {
	r := New(2, probe.Limits{})
	red, blue := pictures.PNG(
		pictures.Solid(600, 400, pictures.Red),
	), pictures.JPEG(
		pictures.Solid(400, 600, pictures.Blue),
	)
	broken := blue[:len(blue)/2]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for data, c := range map[string]color.NRGBA{string(red): pictures.Red, string(blue): pictures.Blue} {
				rendered, err := r.Render(t.Context(), []byte(data))
				if assert.NoError(t, err) {
					m, err := webp.Decode(bytes.NewReader(rendered[1].Data))
					assert.NoError(t, err)
					got := pixel(m, 256, 256)
					assert.InDelta(t, c.R, got.R, 8)
					assert.InDelta(t, c.B, got.B, 8)
				}
			}
			_, err := r.Render(t.Context(), broken)
			assert.Error(t, err)
		})
	}
	wg.Wait()
}

func TestRenderWaitsForASlot(t *testing.T) {
	data := pictures.PNG(pictures.Solid(8, 8, pictures.Red))
	r := New(1, probe.Limits{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		require.True(t, r.slots.TryAcquire(1), "someone else is rendering")
		var rendered []Rendered
		var err error
		done := false
		go func() {
			rendered, err = r.Render(ctx, data)
			done = true
		}()
		synctest.Wait()
		require.False(t, done, "it waits")

		cancel()
		synctest.Wait()
		require.True(t, done)
		require.Nil(t, rendered)
		require.ErrorIs(t, err, context.Canceled)
		var refused *Error
		require.NotErrorAs(t, err, &refused)
		r.slots.Release(1)

		_, err = r.Render(ctx, data)
		require.ErrorIs(t, err, context.Canceled, "a slot is free, yet nobody wants the picture")
	})
	_, err := r.Render(t.Context(), data)
	require.NoError(t, err)
	require.True(t, r.slots.TryAcquire(1), "the slot came back")
}

func TestEnvironment(t *testing.T) {
	env, changed := Environment([]string{"PATH=/bin", "MALLOC_ARENA_MAX=4"})
	require.True(t, changed)
	require.ElementsMatch(t, []string{"PATH=/bin", "MALLOC_ARENA_MAX=4", "VIPS_BLOCK_UNTRUSTED=1"}, env)
	again, changed := Environment(env)
	require.False(t, changed)
	require.Equal(t, env, again)
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
