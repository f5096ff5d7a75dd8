package avatar

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/h2non/bimg"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

// odd is a file that someone may upload, and what becomes of it: a code, or a picture.
type odd struct {
	name string
	data []byte
	code string // empty: it becomes an avatar
}

func oddities(ctx context.Context) []odd {
	small := pictures.Quadrants(200, 150)
	jpeg, png := pictures.JPEG(small), pictures.PNG(small)
	rendered, err := New(1, probe.Limits{}).Render(ctx, png)
	if err != nil {
		panic(err)
	}
	still := rendered[0].Data
	return []odd{
		{"zero bytes", nil, probe.CodeEmpty},
		{"text named .jpg", []byte("This is holiday.jpg, honestly."), probe.CodeUnsupportedFormat},
		{"SVG", pictures.SVG("http://127.0.0.1:1/"), probe.CodeUnsupportedFormat},
		{"PDF", pictures.PDF(), probe.CodeUnsupportedFormat},
		{"TIFF", pictures.GreyTIFF(), probe.CodeUnsupportedFormat},
		{"HEIC", pictures.HEIC(), probe.CodeUnsupportedFormat},
		{"truncated JPEG", jpeg[:len(jpeg)/2], probe.CodeUnreadable},
		{"truncated PNG", png[:len(png)/2], probe.CodeUnreadable},
		{"truncated WebP", still[:len(still)/2], probe.CodeUnreadable},
		{"PNG bomb", pictures.BlankPNG(15000, 15000), probe.CodeTooManyPixels},
		{"JPEG with a huge header", pictures.ForgedJPEG(60000, 60000, small), probe.CodeTooManyPixels},
		// To refuse what is missing before a JPEG's end would be to refuse what some cameras write.
		{"JPEG with a larger header", pictures.ForgedJPEG(4000, 3000, small), ""},
		{"JPEG with a smaller header", pictures.ForgedJPEG(100, 80, small), ""},
		{"PNG with a larger header", pictures.ForgedPNG(900, 900, 9, 9), probe.CodeUnreadable},
		{"PNG with a smaller header", pictures.ForgedPNG(9, 9, 900, 900), ""},
		{"scan bomb", pictures.ScanBomb(640, 90), ""},
		{"GIF of 5,000 frames", pictures.GIF(100, 80, slicesOf(5000, pictures.Red, pictures.Blue)...), ""},
		{"GIF with a frame that is larger than its canvas", pictures.ForgedGIF(15000, 15000), probe.CodeTooManyPixels},
		{"animated WebP", pictures.AnimatedWebP(128, 128, still, still, still), ""},
		{"JPEG that is a ZIP too", pictures.JPEGAndZIP(small), ""},
		{"JPEG that is HTML too", pictures.JPEGAndHTML(small), ""},
		{"1×1", pictures.PNG(pictures.Solid(1, 1, pictures.Green)), ""},
		{"1×20,000", pictures.PNG(pictures.Solid(1, 20_000, pictures.Green)), ""},
		{"CMYK JPEG with Adobe's marker", pictures.CMYK([4]byte{1, 2, 3, 4}), ""},
		{"16-bit PNG", pictures.PNG(image.NewNRGBA64(image.Rect(0, 0, 50, 50))), ""},
		{
			"palette PNG with transparency",
			pictures.PNG(image.NewPaletted(image.Rect(0, 0, 50, 50), color.Palette{color.Transparent, color.Black})),
			"",
		},
		{"turned", pictures.JPEG(small, pictures.Exif(binary.BigEndian, 6)), ""},
		{"Display P3", pictures.JPEG(small, pictures.JPEGProfile(pictures.DisplayP3())), ""},
		{"broken profile", pictures.JPEG(small, pictures.JPEGProfile([]byte("no profile"))), ""},
	}
}

func slicesOf(n int, colours ...color.NRGBA) []color.NRGBA {
	all := make([]color.NRGBA, n)
	for i := range all {
		all[i] = colours[i%len(colours)]
	}
	return all
}

func TestRenderOddities(t *testing.T) {
	r := New(1, probe.Limits{})
	for _, o := range oddities(t.Context()) {
		t.Run(o.name, func(t *testing.T) {
			require.Less(t, len(o.data), 1<<20, "hostile files are small")
			rendered, err := r.Render(t.Context(), o.data)
			if o.code != "" {
				var refused *Error
				require.ErrorAs(t, err, &refused)
				require.Equal(t, o.code, refused.Code)
				require.NotEmpty(t, refused.Message)
				require.Empty(t, rendered)
				return
			}
			require.NoError(t, err)
			requireSound(t, rendered)
			for _, picture := range rendered {
				require.NotContains(t, string(picture.Data), "SECRET-PLACE")
				require.NotContains(t, string(picture.Data), "<script")
			}
		})
	}
}

// TestPolyglotsAreWhatTheyClaim: otherwise nothing would be shown by their being rendered.
func TestPolyglotsAreWhatTheyClaim(t *testing.T) {
	data := pictures.JPEGAndZIP(pictures.Quadrants(20, 20))
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Len(t, archive.File, 1)
	require.Contains(t, string(pictures.JPEGAndHTML(pictures.Quadrants(20, 20))[:200]), "<script>")
}

// TestSVGReadsNothing: it is refused by its first bytes, and libvips, asked by itself, does not open it either.
func TestSVGReadsNothing(t *testing.T) {
	r := New(1, probe.Limits{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if c, err := l.Accept(); err == nil {
			_ = c.Close()
			t.Error("somebody asked for what the drawing names")
		}
	}()
	secret := filepath.Join(t.TempDir(), "secret.png")
	require.NoError(t, os.WriteFile(secret, pictures.PNG(pictures.Solid(9, 9, pictures.Red)), 0o600))
	drawing := pictures.SVG("http://"+l.Addr().String()+"/pixel.png", "file://"+secret)
	for name, data := range map[string][]byte{
		"plain": drawing, "after a byte order mark": append([]byte("\xef\xbb\xbf"), drawing...),
		"after blanks": append([]byte("\n\n   "), drawing...),
	} {
		_, err := r.Render(t.Context(), data)
		var refused *Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, probe.CodeUnsupportedFormat, refused.Code, name)
		_, err = bimg.NewImage(data).Convert(bimg.PNG)
		require.Error(t, err, name)
	}
	require.NoError(t, l.Close())
	<-asked
}

// TestManyFramesCostOne: the frames after the first are not decoded.
func TestManyFramesCostOne(t *testing.T) {
	requireSolid(t, pictures.Red, pictures.GIF(100, 80, slicesOf(5000, pictures.Red, pictures.Blue)...))
	require.Less(t, bimg.VipsMemory().MemoryHighwater, int64(24<<20), "160 MB, if all were kept")
}

// TestDisplayP3Colours: within ΔE 2 (CIE 1976) of the colours that the matrices give.
func TestDisplayP3Colours(t *testing.T) {
	profile := pictures.DisplayP3()
	for _, inP3 := range []color.NRGBA{
		{R: 200, G: 120, B: 60, A: 255}, {R: 90, G: 140, B: 100, A: 255}, {R: 128, G: 128, B: 128, A: 255},
		{R: 60, G: 80, B: 150, A: 255}, {R: 230, G: 210, B: 190, A: 255}, {R: 20, G: 20, B: 20, A: 255},
	} {
		want := lab(p3ToSRGB(inP3))
		m := pictures.Solid(300, 300, inP3)
		for name, data := range map[string][]byte{
			"jpeg": pictures.JPEG(m, pictures.JPEGProfile(profile)), "png": pictures.PNG(m, pictures.PNGProfile(profile)),
		} {
			rendered, err := New(1, probe.Limits{}).Render(t.Context(), data)
			require.NoError(t, err)
			for _, r := range rendered {
				got := lab(pixel(decode(t, r.Data), r.Width/2, r.Height/2))
				difference := math.Hypot(math.Hypot(want[0]-got[0], want[1]-got[1]), want[2]-got[2])
				require.Less(t, difference, 2.0, "%v as %s in %s", inP3, name, r.Name)
			}
		}
	}
}

// lab is a colour of sRGB in CIE L*a*b*, with the white point of sRGB.
func lab(c color.NRGBA) [3]float64 {
	linear := func(v uint8) float64 {
		if f := float64(v) / 255; f > 0.04045 {
			return math.Pow((f+0.055)/1.055, 2.4)
		}
		return float64(v) / 255 / 12.92
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*r + 0.3576*g + 0.1805*b) / 0.9505)
	y := f(0.2126*r + 0.7152*g + 0.0722*b)
	z := f((0.0193*r + 0.1192*g + 0.9505*b) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}
