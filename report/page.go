package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"

	"github.com/watchparty/watchparty"
)

var errNoDays = errors.New("report: the report has no days")

//go:embed page.html.tmpl
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// page is the data of the template.
type page struct {
	Period, Previous string
	Counted          string // since when; empty if the whole period was counted
	Known            bool   // whether a day of it was counted
	Compared         bool   // whether it is compared with the previous period
	Rows             []Row
	Charts           []drawn
	Removed          []removed
	Columns          []string
	Days             []dayRow
}

type drawn struct {
	Title string
	Says  string
	SVG   template.HTML
}

type removed struct{ Policy, Count string }

type dayRow struct {
	Day    watchparty.Day
	Values []string
}

// Page returns the report as a fragment of HTML, a main element, without scripts and styles: web/assets/report.css has
// its styles.
func Page(r watchparty.ActivityReport) ([]byte, error) {
	if len(r.Days) == 0 {
		return nil, errNoDays
	}
	w := english()
	p := page{
		Period: Period(watchparty.English, r), Previous: PreviousPeriod(watchparty.English, r), Compared: r.Previous != nil,
		Counted: Counted(watchparty.English, r), Known: r.Figures != nil,
		Rows: Table(watchparty.English, r), Removed: w.removed(r),
	}
	for _, c := range charts(w, r) {
		svg, err := c.svg(w)
		if err != nil {
			return nil, err
		}
		picture := template.HTML(svg) //nolint:gosec // drawn from numbers and this package's own words
		p.Charts = append(p.Charts, drawn{Title: c.title, Says: c.says(w), SVG: picture})
	}
	for _, f := range figures() {
		p.Columns = append(p.Columns, w.figures[f.key])
	}
	for _, d := range r.Days {
		row := dayRow{Day: d.Day}
		for _, f := range figures() {
			row.Values = append(row.Values, w.known(f, d.Figures))
		}
		p.Days = append(p.Days, row)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("report: writing the page: %w", err)
	}
	return b.Bytes(), nil
}

// removed returns what each policy has removed, in the order of the policies.
func (w words) removed(r watchparty.ActivityReport) []removed {
	var all []removed
	for _, p := range watchparty.Policies() {
		if n := r.RemovedBy[p]; n > 0 {
			all = append(all, removed{w.policies[p], w.number(n)})
		}
	}
	return all
}
