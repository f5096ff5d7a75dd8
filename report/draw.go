package report

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"time"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"

	"github.com/watchparty/watchparty"
)

// size is the size of a drawing in the reader's pixels. One of them is density units, which keeps pictures sharp, and
// the library, which rounds to units, precise.
type size struct{ width, height, text, density float64 }

// Both are small enough for texts to be readable on a phone. Where there is more room, they are scaled up.
var (
	onPage = size{width: 380, height: 230, text: 12, density: 2}
	inMail = size{width: 440, height: 220, text: 14, density: 2.5}
)

// Colours of pictures. A page has its own.
var (
	ink    = drawing.ColorFromHex("1d1a26")
	faint  = drawing.ColorFromHex("dcd8e6")
	first  = drawing.ColorFromHex("5b3fd1")
	second = drawing.ColorFromHex("a84300")
)

// Classes of drawn elements. The library adds its own: "stroke", "fill" and "text".
const (
	classGround = "ground"
	classAxis   = "axis"
	classGrid   = "grid"
	classLine   = "line"
	className   = "name"
)

// mostDots is the largest number of days that are drawn with a dot each.
const mostDots = 31

// drawing makes a chart for a renderer of the library.
func (c chart) drawing(s size, w words) chartdraw.Chart {
	unit := func(pixels float64) float64 { return pixels * s.density }
	top := 0.0
	for _, l := range c.lines {
		top = max(top, l.top())
	}
	grid := scale(top)
	top = grid[len(grid)-1]
	axis := chartdraw.Style{
		ClassName: classAxis, StrokeColor: faint, StrokeWidth: unit(1),
		FontStyle: chartdraw.FontStyle{FontSize: unit(s.text), FontColor: ink},
	}
	pad := int(unit(s.text / 2))
	d := chartdraw.Chart{
		Width:  int(unit(s.width)),
		Height: int(unit(s.height)),
		DPI:    72, // a point is a unit
		Background: chartdraw.Style{
			ClassName: classGround, FillColor: drawing.ColorWhite,
			Padding: chartdraw.Box{Top: 2 * pad, Left: pad, Right: pad, Bottom: pad, IsSet: true},
		},
		Canvas: chartdraw.Style{ClassName: classGround, FillColor: drawing.ColorWhite},
		XAxis: chartdraw.XAxis{
			Style:          axis,
			Ticks:          c.dates(w),
			GridMajorStyle: chartdraw.Hidden(),
			GridMinorStyle: chartdraw.Hidden(),
		},
		// The library's first axis is on the right, where the names of the lines are.
		YAxis: chartdraw.YAxis{Style: chartdraw.Hidden(), Range: &chartdraw.ContinuousRange{Max: 1}},
		YAxisSecondary: chartdraw.YAxis{
			Style: axis, Zero: chartdraw.GridLine{Style: chartdraw.Hidden()},
			GridMajorStyle: chartdraw.Style{StrokeColor: faint, StrokeWidth: unit(1)}, GridMinorStyle: chartdraw.Hidden(),
		},
	}
	for i, value := range grid {
		d.YAxisSecondary.Ticks = append(
			d.YAxisSecondary.Ticks, chartdraw.Tick{Value: value, Label: w.number(int64(value)) + "\u00a0"},
		)
		if i > 0 {
			d.YAxisSecondary.GridLines = append(d.YAxisSecondary.GridLines, chartdraw.GridLine{Value: value})
		}
	}
	for _, i := range c.order() {
		d.Series = append(d.Series, c.lines[i].series(i, c.first, unit))
	}
	d.Series = append(d.Series, c.labelSeries(s, top, unit))
	return d
}

// order draws the first line last, so that it is on top.
func (c chart) order() []int {
	if len(c.lines) == 1 {
		return []int{0}
	}
	return []int{1, 0}
}

// dates returns the labels below the chart. Labels without a text only mark its ends.
func (c chart) dates(w words) []chartdraw.Tick {
	if len(c.days) == 1 {
		return []chartdraw.Tick{{Value: -1}, {Value: 0, Label: w.short(c.days[0])}, {Value: 1}}
	}
	// The first day is a little to the right of the axis, so that its date does not touch the zero of the axis.
	all := []chartdraw.Tick{{Value: -max(0.5, 0.06*float64(len(c.days)))}}
	last, month := len(c.days)-1, time.Month(0)
	for i := 0; i <= last; i += labelled(len(c.days)) {
		label := w.day(c.days[i])
		if now := c.days[i].Time().Month(); now != month { // each month once
			label, month = w.short(c.days[i]), now
		}
		all = append(all, chartdraw.Tick{Value: float64(i), Label: label})
	}
	if all[len(all)-1].Value < float64(last) {
		all = append(all, chartdraw.Tick{Value: float64(last)})
	}
	return all
}

// look returns the style of the first or the second line, with its class.
func look(i int, class string) chartdraw.Style {
	if i == 0 {
		return chartdraw.Style{ClassName: class + " first", StrokeColor: first}
	}
	return chartdraw.Style{ClassName: class + " second", StrokeColor: second}
}

func (l line) series(i, first int, unit func(float64) float64) chartdraw.Series {
	style := look(i, classLine)
	style.StrokeWidth = unit(2)
	if i > 0 {
		style.StrokeDashArray = []float64{unit(5), unit(3)}
	}
	if len(l.values) <= mostDots {
		style.DotColor, style.DotWidth = style.StrokeColor, unit(2.5)
	}
	s := chartdraw.ContinuousSeries{Style: style, YAxis: chartdraw.YAxisSecondary, YValues: l.values}
	for day := range l.values {
		s.XValues = append(s.XValues, float64(first+day))
	}
	return s
}

// labelSeries places the names of the lines at their ends, apart from each other.
func (c chart) labelSeries(s size, top float64, unit func(float64) float64) chartdraw.Series {
	last := len(c.days) - 1
	height := top * 1.4 * s.text / (s.height - 5*s.text) // of a name, on the axis' scale
	at := make([]float64, len(c.lines))
	for i, l := range c.lines {
		at[i] = max(l.values[len(l.values)-1], height/2) // above the axis
	}
	if len(at) == 2 {
		at[0], at[1] = apart(at[0], at[1], height, top)
	}
	all := chartdraw.AnnotationSeries{YAxis: chartdraw.YAxisSecondary}
	for i, l := range c.lines {
		style := look(i, className)
		style.FontStyle = chartdraw.FontStyle{FontSize: unit(s.text), FontColor: style.StrokeColor}
		style.StrokeColor, style.FillColor = drawing.ColorTransparent, drawing.ColorTransparent
		// The reader's font may be wider than the font by which the library measures.
		style.Padding = chartdraw.Box{
			Left:  int(unit(s.text / 4)),
			Right: int(unit(0.12 * s.text * float64(len(l.label)))),
			IsSet: true,
		}
		all.Annotations = append(
			all.Annotations, chartdraw.Value2{XValue: float64(last), YValue: at[i], Label: l.label, Style: style},
		)
	}
	return all
}

// classed gives a class to the grid, which the library draws without one.
type classed struct{ chartdraw.Renderer }

func (c classed) ResetStyle() {
	c.Renderer.ResetStyle()
	c.SetClassName(classGrid)
}

func classedSVG(width, height int) chartdraw.Renderer { return classed{chartdraw.SVG(width, height)} }

// svg returns the chart as a part of a page, with its description for readers who do not see it.
func (c chart) svg(w words) (string, error) {
	var b strings.Builder
	if err := c.drawing(onPage, w).Render(classedSVG, &b); err != nil {
		return "", fmt.Errorf("report: drawing %s: %w", c.id, err)
	}
	_, drawn, _ := strings.Cut(b.String(), ">")
	return fmt.Sprintf(
		`<svg class="chart" viewBox="0 0 %g %g" role="img" aria-labelledby="chart-%[3]s-title chart-%[3]s-text">`+
			`<title id="chart-%[3]s-title">%[4]s</title><desc id="chart-%[3]s-text">%[5]s</desc>`,
		onPage.width*onPage.density,
		onPage.height*onPage.density,
		c.id,
		html.EscapeString(c.title),
		html.EscapeString(c.says(w)),
	) + drawn, nil
}

// Picture is a chart for emails, since email programs do not show SVG.
type Picture struct {
	Name  string // unique in a report
	Title string
	Alt   string // its description
	PNG   []byte // on white, with more pixels than it is shown with
}

// mostPictures is the largest number of charts in an email.
const mostPictures = 3

// Pictures returns the most important charts; none for a period without a counted day.
func Pictures(l watchparty.Language, r watchparty.ActivityReport) ([]Picture, error) {
	if len(r.Days) == 0 {
		return nil, errNoDays
	}
	w := in(l)
	var all []Picture
	drawn := charts(w, r)
	for _, c := range drawn[:min(mostPictures, len(drawn))] {
		data, err := c.png(w)
		if err != nil {
			return nil, fmt.Errorf("report: drawing %s: %w", c.id, err)
		}
		all = append(all, Picture{Name: c.id, Title: c.title, Alt: c.says(w), PNG: data})
	}
	return all, nil
}

// png returns the chart with a palette, which makes it a third as large.
func (c chart) png(w words) ([]byte, error) {
	var drawn chartdraw.ImageWriter
	if err := c.drawing(inMail, w).Render(chartdraw.PNG, &drawn); err != nil {
		return nil, err
	}
	picture, err := drawn.Image()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&b, paletted(picture))
	return b.Bytes(), err
}

// paletted rounds each channel of the colours to 16 steps, or to fewer until they fit into a palette. White stays
// white.
func paletted(picture image.Image) *image.Paletted {
	rgba, ok := picture.(*image.RGBA)
	if !ok {
		rgba = image.NewRGBA(picture.Bounds())
		draw.Draw(rgba, rgba.Rect, picture, rgba.Rect.Min, draw.Src)
	}
	for _, step := range []int{17, 51} {
		if p := palettedBy(rgba, step); p != nil {
			return p
		}
	}
	return palettedBy(rgba, 85) // at most 64 colours
}

// palettedBy rounds to multiples of step. It returns nil if there are too many colours.
func palettedBy(picture *image.RGBA, step int) *image.Paletted {
	const most = 256
	round := func(channel uint8) uint8 { return uint8(min((int(channel)+step/2)/step*step, 255)) }
	p := image.NewPaletted(picture.Rect, nil)
	index := map[color.RGBA]uint8{}
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			c := picture.RGBAAt(x, y)
			c = color.RGBA{round(c.R), round(c.G), round(c.B), 255}
			i, known := index[c]
			if !known {
				if len(p.Palette) == most {
					return nil
				}
				i = uint8(len(p.Palette))
				index[c], p.Palette = i, append(p.Palette, c)
			}
			p.SetColorIndex(x, y, i)
		}
	}
	return p
}
