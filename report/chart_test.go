package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestScale(t *testing.T) {
	for top, want := range map[float64][]float64{
		0: {0, 1}, 1: {0, 1}, 2: {0, 1, 2}, 3: {0, 1, 2, 3}, 4: {0, 1, 2, 3, 4}, 5: {0, 2, 4, 6}, 8: {0, 2, 4, 6, 8},
		9:   {0, 5, 10},
		2.3: {0, 1, 2, 3}, 20: {0, 5, 10, 15, 20}, 21: {0, 10, 20, 30}, 100: {0, 50, 100}, 999: {0, 500, 1000},
		1001:   {0, 500, 1000, 1500},
		123456: {0, 50000, 100000, 150000},
	} {
		require.Equal(t, want, scale(top), "%g", top)
	}
	for top := 1.0; top < 1e15; top *= 1.7 {
		grid := scale(top)
		last := grid[len(grid)-1]
		require.GreaterOrEqual(t, last, top)
		require.LessOrEqual(t, len(grid), maxSteps+1)
		for _, value := range grid {
			require.Equal(t, math.Trunc(value), value)
		}
	}
}

func TestFewDatesAreLabelled(t *testing.T) {
	for days, want := range map[int]int{
		1: 1, 7: 1, 8: 2, 14: 2, 15: 7, 28: 7, 31: 7, 49: 7, 50: 14, 92: 14, 99: 21, 366: 56,
	} {
		require.Equal(t, want, labelled(days), "%d days", days)
	}
	w := english()
	for days := 1; days <= 400; days++ {
		dates := w.chart(reportOf("2026-01-01", days, quiet), "", "").dates(w)
		shown := 0
		for _, d := range dates {
			if d.Label != "" {
				shown++
			}
		}
		require.GreaterOrEqual(t, shown, 1)
		require.LessOrEqual(t, shown, maxLabels)
		require.GreaterOrEqual(t, dates[len(dates)-1].Value, float64(days-1))
	}
}

func TestApart(t *testing.T) {
	for _, tt := range [][6]float64{ // two places, their distance, the top, and where they go
		{1, 9, 2, 10, 1, 9}, {0, 0, 2, 10, 3, 1}, {10, 10, 2, 10, 10, 8}, {4, 5, 2, 10, 3.5, 5.5}, {5, 4, 2, 10, 5.5, 3.5},
	} {
		a, b := apart(tt[0], tt[1], tt[2], tt[3])
		require.InDelta(t, tt[4], a, 1e-9)
		require.InDelta(t, tt[5], b, 1e-9)
	}
}

func TestChartsSayTheirFigures(t *testing.T) {
	r := reportOf("2026-03-02", 7, quiet)
	r.Figures = &watchparty.Figures{ActiveUsers: 1200, MinutesTogether: 300, Messages: 5}
	r.Days[3].ActiveUsers, r.Days[4].ActiveUsers = 900, 900
	r.Days[1].MinutesTogether = 300
	r.Days[6].Messages = 5
	says := map[string]string{}
	for _, l := range watchparty.Languages() {
		for _, c := range charts(in(l), r) {
			says[string(l)+" "+c.id] = c.says(in(l))
		}
	}
	require.Equal(t, map[string]string{
		"en people":   "Active people: 1,200 in all, most on 5 March (900). New people: none.",
		"en together": "Hours together: 5.0 in all, most on 3 March (5.0).",
		"en talk":     "Messages: 5 in all, most on 8 March (5). People in rooms: none.",
		"en emails":   "Emails sent: none. Emails failed: none.",
		"de people":   "Aktive Personen: 1.200 insgesamt, die meisten am 5. März (900). Neue Personen: keine.",
		"de together": "Gemeinsame Stunden: 5,0 insgesamt, die meisten am 3. März (5,0).",
		"de talk":     "Nachrichten: 5 insgesamt, die meisten am 8. März (5). Personen in Räumen: keine.",
		"de emails":   "Verschickte E-Mails: keine. Fehlgeschlagene E-Mails: keine.",
	}, says)
}

func TestTimeTogetherIsInMinutesWhileItIsShort(t *testing.T) {
	r := reportOf("2026-03-02", 7, quiet)
	r.Figures.MinutesTogether, r.Days[0].MinutesTogether = 119, 119
	c := english().together(r)
	require.Equal(t, "Minutes together: 119 in all, most on 2 March (119).", c.says(english()))
	require.Equal(t, 119.0, c.lines[0].top())
	r.Days[1].MinutesTogether, r.Figures.MinutesTogether = 120, 239
	c = english().together(r)
	require.Equal(t, "Hours together: 4.0 in all, most on 3 March (2.0).", c.says(english()))
	require.Equal(t, 2.0, c.lines[0].top())
}

// periods are those whose charts are at the edge of what can be drawn.
func periods() map[string]watchparty.ActivityReport {
	large := func(day int64) watchparty.Figures {
		f := busy(day)
		f.ActiveUsers, f.Messages, f.MinutesTogether = 1<<40, 1<<50, 1<<50
		return f
	}
	return map[string]watchparty.ActivityReport{
		"a week":              reportOf("2026-03-02", 7, busy),
		"an uneven quarter":   sample("2026-03-01", 92),
		"a week of nothing":   reportOf("2026-03-02", 7, quiet),
		"one day":             reportOf("2028-02-29", 1, busy),
		"one day of nothing":  reportOf("2026-03-02", 1, quiet),
		"two days":            reportOf("2026-03-02", 2, busy),
		"a month":             reportOf("2026-03-01", 31, busy),
		"a quarter":           reportOf("2026-03-01", 92, busy),
		"a year":              reportOf("2026-01-01", 365, busy),
		"numbers beyond sane": reportOf("2026-03-02", 7, large),
	}
}

var (
	pathPoint = regexp.MustCompile(`[ML] (-?[\d.]+) (-?[\d.]+)`)
	decimals  = regexp.MustCompile(`^(-?[\d.]+)$`)
)

// TestSVG: every element has a class and no style, and none lies outside of the drawing.
func TestSVG(t *testing.T) {
	for name, r := range periods() {
		t.Run(name, func(t *testing.T) {
			for _, c := range charts(english(), r) {
				drawing, err := c.svg(english())
				require.NoError(t, err)
				elements := 0
				for decoder := xml.NewDecoder(strings.NewReader(drawing)); ; {
					token, err := decoder.Token()
					if errors.Is(err, io.EOF) {
						break
					}
					require.NoError(t, err)
					start, ok := token.(xml.StartElement)
					if !ok {
						continue
					}
					elements++
					require.Contains(t, []string{"svg", "title", "desc", "path", "circle", "text"}, start.Name.Local)
					attributes := map[string]string{}
					for _, a := range start.Attr {
						attributes[a.Name.Local] = a.Value
						if start.Name.Local != "svg" && decimals.MatchString(a.Value) {
							n, err := strconv.ParseFloat(a.Value, 64)
							require.NoError(t, err)
							require.GreaterOrEqual(t, n, 0.0)
							require.LessOrEqual(t, n, onPage.width*onPage.density)
						}
					}
					require.NotContains(t, attributes, "style", start.Name.Local)
					if start.Name.Local != "title" && start.Name.Local != "desc" {
						require.NotEmpty(t, attributes["class"], start.Name.Local)
					}
					for _, point := range pathPoint.FindAllStringSubmatch(attributes["d"], -1) {
						x, _ := strconv.ParseFloat(point[1], 64)
						y, _ := strconv.ParseFloat(point[2], 64)
						require.True(
							t, x >= 0 && x <= onPage.width*onPage.density && y >= 0 && y <= onPage.height*onPage.density, "%v of %s", point,
							c.id,
						)
					}
				}
				require.Greater(t, elements, 10)
				require.Contains(t, drawing, `role="img"`)
				require.Contains(t, drawing, c.title+"</title>")
				require.Contains(t, drawing, c.says(english())+"</desc>")
				require.Contains(t, drawing, ">0\u00a0</text>", "the axis begins at zero")
				for _, l := range c.lines {
					require.Contains(t, drawing, l.label+"</text>", "the line has its name beside it")
				}
				require.Equal(t, len(c.lines) == 2, strings.Contains(drawing, "line second"))
			}
		})
	}
}

func TestDatesNameEachMonthOnce(t *testing.T) {
	for l, want := range map[watchparty.Language][]string{
		watchparty.English: {"", "1 Mar", "15", "29", "12 Apr", "26", "10 May", "24", ""},
		watchparty.German:  {"", "1. März", "15.", "29.", "12. Apr.", "26.", "10. Mai", "24.", ""},
	} {
		labels := []string{}
		for _, tick := range charts(in(l), reportOf("2026-03-01", 92, busy))[0].dates(in(l)) {
			labels = append(labels, tick.Label)
		}
		require.Equal(t, want, labels)
	}
}

// TestPictures: sharp, on white, and small.
func TestPictures(t *testing.T) {
	for name, r := range periods() {
		for _, l := range watchparty.Languages() {
			t.Run(name+" "+string(l), func(t *testing.T) {
				pictures, err := Pictures(l, r)
				require.NoError(t, err)
				require.Len(t, pictures, 3)
				bytesOfAll := 0
				for i, p := range pictures {
					bytesOfAll += len(p.PNG)
					drawn, err := png.Decode(bytes.NewReader(p.PNG))
					require.NoError(t, err)
					require.Equal(t, 1100, drawn.Bounds().Dx())
					red, green, blue, alpha := drawn.At(0, 0).RGBA()
					require.Equal(t, [4]uint32{0xffff, 0xffff, 0xffff, 0xffff}, [4]uint32{red, green, blue, alpha})
					require.Equal(t, charts(in(l), r)[i].says(in(l)), p.Alt)
					require.Regexp(t, `^[a-z]+$`, p.Name)
				}
				require.Less(t, bytesOfAll, 100_000)
			})
		}
	}
}

func TestPaletteOfManyColours(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for x := range 256 {
		for y := range 256 {
			picture.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	picture.Set(0, 0, color.White)
	p := paletted(picture)
	require.LessOrEqual(t, len(p.Palette), 256)
	require.Equal(t, color.RGBA{255, 255, 255, 255}, p.At(0, 0))
}

func TestPage(t *testing.T) {
	r := sample("2026-03-02", 7)
	data, err := Page(r)
	require.NoError(t, err)
	page := string(data)
	require.True(t, strings.HasPrefix(page, `<main class="report"`))
	require.NotRegexp(t, `<script|\sstyle=|<style|\son[a-z]+=|ZgotmplZ`, page)
	require.NotRegexp(t, `<th>|<th class`, page, "every heading says what it heads")
	require.Equal(t, strings.Count(page, "<table"), strings.Count(page, "<caption"))
	require.Equal(t, 4, strings.Count(page, `role="img"`))
	ids := regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1)
	seen := map[string]bool{}
	for _, id := range ids {
		require.False(t, seen[id[1]], id[1])
		seen[id[1]] = true
	}
	for _, labels := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		for id := range strings.FieldsSeq(labels[1]) {
			require.True(t, seen[id], id)
		}
	}
	for _, wanted := range []string{
		"<h1>Activity, 2–8 March 2026</h1>", "23 February – 1 March 2026", `<th scope="row">Old messages</th><td>1,234</td>`,
		`<th scope="row">Emails failed</th><td class="now">2</td><td>0</td><td>&#43;2</td><td>–</td>`,
		`<time datetime="2026-03-08">2026-03-08</time>`,
		"<desc id=\"chart-emails-text\">Emails sent: 137 in all, most on 6 March (27).",
	} {
		require.Contains(t, page, wanted)
	}
	rows := regexp.MustCompile(`(?s)<table class="days">.*?</table>`).FindString(page)
	require.Equal(t, 1+7, strings.Count(rows, "<tr>"))

	r.Previous, r.RemovedBy = nil, nil
	data, err = Page(r)
	require.NoError(t, err)
	require.Contains(t, string(data), `<td class="now">36</td><td>–</td><td>–</td><td>–</td>`)
	require.Contains(t, string(data), "<p>Nothing.</p>")
	require.Contains(t, string(data), "Not everything is known about the period before, 23 February – 1 March 2026.</p>")
	require.NotContains(t, page, "Not everything is known")
}

func TestAReportWithoutDaysIsNone(t *testing.T) {
	_, err := Page(watchparty.ActivityReport{})
	require.ErrorIs(t, err, errNoDays)
	_, err = Pictures(watchparty.English, watchparty.ActivityReport{})
	require.ErrorIs(t, err, errNoDays)
}
