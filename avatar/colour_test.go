package avatar

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/avatar/icc"
	"github.com/watchparty/watchparty/avatar/internal/pictures"
	"github.com/watchparty/watchparty/avatar/probe"
)

// colourful are pictures of one colour each, with every way to say what its numbers mean.
func colourful(t *testing.T) map[string][]byte {
	t.Helper()
	const side = 32
	fill := func(m draw.Image, c color.Color) image.Image {
		draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
		return m
	}
	r := image.Rect(0, 0, side, side)
	orange := color.NRGBA{R: 200, G: 120, B: 60, A: 255}
	rgb, deep := fill(image.NewNRGBA(r), orange), fill(image.NewNRGBA64(r), orange)
	grey, deepGrey := fill(image.NewGray(r), color.Gray{Y: 120}), fill(image.NewGray16(r), color.Gray16{Y: 120 << 8})
	palette := fill(image.NewPaletted(r, color.Palette{color.Black, orange}), orange)
	sheer := fill(image.NewNRGBA(r), color.NRGBA{R: 200, G: 120, B: 60, A: 128})

	p3 := pictures.Matrix(4, pictures.P3Red, pictures.P3Green, pictures.P3Blue, icc.SRGB.Tag())
	turned := func(d []float64) [3]float64 { return [3]float64{d[1], d[2], d[0]} }
	dull := func(d []float64) [3]float64 { return [3]float64{d[0] * 0.8, d[1] * 0.8, d[2] * 0.8} }
	press := func(d []float64) [3]float64 {
		paper := 1 - 0.8*d[3]
		return [3]float64{(1 - 0.8*d[0]) * paper, (1 - 0.7*d[1]) * paper, (1 - 0.6*d[2]) * paper}
	}
	profiles := map[string][]byte{
		"a matrix":            pictures.DisplayP3(),
		"a matrix, version 4": p3,
		"linear light":        pictures.Matrix(2, pictures.SRGBRed, pictures.SRGBGreen, pictures.SRGBBlue, pictures.Gamma(1)),
		"a perceptual table":  pictures.TableProfile("RGB", map[string]func([]float64) [3]float64{"A2B0": turned}),
		"a relative table":    pictures.TableProfile("RGB", map[string]func([]float64) [3]float64{"A2B1": turned}),
		"two tables": pictures.TableProfile("RGB", map[string]func([]float64) [3]float64{"A2B0": turned,
			"A2B1": dull}),
		"curves and a matrix":  pictures.CurvesAndMatrix(),
		"a broken profile":     p3[:200],
		"a grey profile":       pictures.Grey(2, pictures.Gamma(1)),
		"a profile of a press": pictures.TableProfile("CMYK", map[string]func([]float64) [3]float64{"A2B0": press}),
	}
	all := map[string][]byte{
		"JPEG":                pictures.JPEG(rgb),
		"PNG":                 pictures.PNG(rgb),
		"PNG of 16 bits":      pictures.PNG(deep),
		"grey JPEG":           pictures.JPEG(grey),
		"grey PNG":            pictures.PNG(grey),
		"grey PNG of 16 bits": pictures.PNG(deepGrey),
		"palette PNG":         pictures.PNG(palette),
		"GIF":                 pictures.GIF(side, side, orange),
		"transparent PNG":     pictures.PNG(sheer),
		"WebP":                pictures.WebP(webpOf(t, rgb), nil),
	}
	for name, profile := range profiles {
		all["JPEG with "+name] = pictures.JPEG(rgb, pictures.JPEGProfile(profile))
		all["PNG with "+name] = pictures.PNG(rgb, pictures.PNGProfile(profile))
		all["grey JPEG with "+name] = pictures.JPEG(grey, pictures.JPEGProfile(profile))
		all["grey PNG with "+name] = pictures.PNG(grey, pictures.PNGProfile(profile))
		all["grey PNG of 16 bits with "+name] = pictures.PNG(deepGrey, pictures.PNGProfile(profile))
		all["WebP with "+name] = pictures.WebP(webpOf(t, rgb), profile)
	}
	all["PNG of 16 bits with a matrix"] = pictures.PNG(deep, pictures.PNGProfile(p3))
	all["PNG of 16 bits with a perceptual table"] = pictures.PNG(deep, pictures.PNGProfile(profiles["a perceptual table"]))
	all["palette PNG with a matrix"] = pictures.PNG(palette, pictures.PNGProfile(p3))
	all["transparent PNG with a matrix"] = pictures.PNG(sheer, pictures.PNGProfile(p3))

	gamma := func(g float64) []byte {
		return pictures.PNGChunk("gAMA", binary.BigEndian.AppendUint32(nil, uint32(math.Round(g*100000))))
	}
	chromaticities := func(xy ...float64) []byte {
		var b []byte
		for _, v := range xy {
			b = binary.BigEndian.AppendUint32(b, uint32(math.Round(v*100000)))
		}
		return pictures.PNGChunk("cHRM", b)
	}
	ofP3 := chromaticities(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
	cicp := func(primaries, transfer byte) []byte {
		return pictures.PNGChunk("cICP", []byte{primaries, transfer, 0, 1})
	}
	intent := pictures.PNGChunk("sRGB", []byte{0})
	linear := pictures.PNGProfile(profiles["linear light"])
	broken := func(chunk []byte) []byte { // its checksum
		chunk = slices.Clone(chunk)
		chunk[len(chunk)-1] ^= 1
		return chunk
	}
	for name, chunks := range map[string][][]byte{
		"gAMA 1.0": {gamma(1)}, "gAMA 1/2.2": {gamma(1 / 2.2)}, "gAMA 1/1.8": {gamma(1 / 1.8)}, "gAMA 0": {gamma(0)},
		"gAMA and cHRM":    {gamma(1 / 2.2), ofP3},
		"cHRM":             {ofP3},
		"cHRM of nonsense": {gamma(1 / 2.2), chromaticities(0, 0, 0, 0, 0, 0, 0, 0)},
		"sRGB over gAMA":   {gamma(1), intent}, "sRGB over cHRM": {gamma(1), ofP3, intent},
		"iCCP over gAMA": {gamma(1), pictures.PNGProfile(p3)},
		"iCCP over sRGB": {linear, intent}, "iCCP over sRGB before it": {intent, linear},
		"the first of two iCCP": {linear, pictures.PNGProfile(p3)}, "the first of two gAMA": {gamma(1), gamma(1 / 1.8)},
		"broken gAMA": {broken(gamma(1))}, "broken iCCP": {broken(linear)}, "broken cICP": {broken(cicp(12, 13))},
		"broken sRGB": {gamma(1), broken(intent)}, "broken iCCP before iCCP": {broken(linear), pictures.PNGProfile(p3)},
		"iCCP that is not deflated": {pictures.PNGChunk("iCCP", []byte("profile\x00\x00nothing"))},
		"iCCP of another method":    {pictures.PNGChunk("iCCP", []byte("profile\x00\x01nothing")), gamma(1)},
		"cICP of sRGB":              {cicp(1, 13)},
		"cICP of Display P3":        {cicp(12, 13)},
		"cICP of BT.709":            {cicp(1, 1)},
		"cICP of BT.2020":           {cicp(9, 14)},
		"cICP of BT.2020, 1":        {cicp(9, 1)},
		"cICP linear":               {cicp(1, 8)}, "cICP 2.2": {cicp(1, 4)}, "cICP 2.8": {cicp(5, 5)},
		"cICP over iCCP":   {cicp(1, 13), pictures.PNGProfile(p3)},
		"cICP over sRGB":   {cicp(12, 13), intent},
		"cICP over gAMA":   {gamma(1), cicp(12, 13)},
		"cICP of nonsense": {cicp(77, 99)},
		"unspecified cICP": {cicp(2, 2)},
		"cICP of DCI-P3":   {cicp(11, 17)},
		"cICP of 240M":     {cicp(1, 7)},
	} {
		all["PNG with "+name] = pictures.PNG(rgb, chunks...)
		all["PNG of 16 bits with "+name] = pictures.PNG(deep, chunks...)
		all["grey PNG with "+name] = pictures.PNG(grey, chunks...)
		all["palette PNG with "+name] = pictures.PNG(palette, chunks...)
	}
	// A colour that is far from white: brighter ones are cut off otherwise than in Chromium.
	dim := fill(image.NewNRGBA64(r), color.NRGBA{R: 120, G: 100, B: 90, A: 255})
	for name, chunk := range map[string][]byte{
		"PQ": cicp(9, 16), "HLG": cicp(9, 18), "PQ, sRGB's primaries": cicp(1, 16),
	} {
		all["PNG of 16 bits with cICP of "+name] = pictures.PNG(dim, chunk)
		all["grey PNG with cICP of "+name] = pictures.PNG(grey, chunk)
	}
	for name, inks := range map[string][4]byte{
		"no ink":    {},
		"cyan":      {255, 0, 0, 0},
		"magenta":   {0, 255, 0, 0},
		"yellow":    {0, 0, 255, 0},
		"black":     {0, 0, 0, 255},
		"a mixture": {40, 120, 180, 50},
	} {
		all["CMYK JPEG, "+name] = pictures.CMYK(inks)
		with := pictures.JPEGProfile(profiles["a profile of a press"])
		start, rest := pictures.CMYK(inks)[:2], pictures.CMYK(inks)[2:]
		all["CMYK JPEG with a profile of a press, "+name] = slices.Concat(start, with, rest)
		all["CMYK JPEG with an RGB profile, "+name] = slices.Concat(start, pictures.JPEGProfile(p3), rest)
	}
	for _, name := range []string{"arithmetic.jpg", "cmyk-2111.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		all[name] = data
	}
	return all
}

func webpOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	New(1, probe.Limits{})
	rendered, err := render(pictures.PNG(m), probe.Limits{}.WithDefaults(), []Size{Thumbnail})
	require.NoError(t, err)
	return rendered[0].Data
}

// TestColoursAreThoseOfABrowser compares what is rendered with what Chromium draws.
func TestColoursAreThoseOfABrowser(t *testing.T) {
	all := colourful(t)
	names := slices.Sorted(maps.Keys(all))
	drawn := drawnByChromium(t, all, names)
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(all[name], probe.Limits{}.WithDefaults(), []Size{Thumbnail})
			require.NoError(t, err)
			requireColor(t, drawn[i], decode(t, rendered[0].Data), 0.5, 0.5)
		})
	}
}

// drawnByChromium is the colour in the middle of each picture on a canvas of sRGB.
func drawnByChromium(t *testing.T, all map[string][]byte, names []string) []color.NRGBA {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err != nil {
			w.Header().Set("Content-Type", "text/html")
			return
		}
		w.Header().Set("Content-Type", http.DetectContentType(all[names[i]]))
		_, _ = w.Write(all[names[i]])
	}))
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.WSURLReadTimeout(patience))
	allocator, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	tab, cancel = context.WithTimeout(tab, patience)
	t.Cleanup(cancel)
	_, err := chromedp.Run(tab, chromedp.Navigate(server.URL))
	require.NoError(t, err)
	values, err := chromedp.Run(tab, chromedp.Evaluate[[][]int](fmt.Sprintf(`(async () => {
		const values = [];
		for (let i = 0; i < %d; i++) {
			const picture = new Image();
			picture.src = "/" + i;
			await picture.decode().catch((error) => { throw new Error("picture " + i + ": " + error) });
			const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
			context.drawImage(picture, 0, 0);
			values.push(Array.from(context.getImageData(picture.width >> 1, picture.height >> 1, 1, 1).data));
		}
		return values;
	})()`, len(names)), chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	colours := make([]color.NRGBA, len(values))
	for i, v := range values {
		colours[i] = color.NRGBA{R: uint8(v[0]), G: uint8(v[1]), B: uint8(v[2]), A: uint8(v[3])}
	}
	return colours
}
