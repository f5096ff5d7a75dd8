package avatar

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	_ "image/png"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

// patience is for what takes moments on an idle machine.
const patience = 2 * time.Minute

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

func both(a, b image.Image) []image.Image { return []image.Image{a, b} }
