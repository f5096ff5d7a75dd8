package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// reportPage is what the page of a report shows: an activity report has series, one of the clean-up has shares.
type reportPage struct {
	Report         contract.Report
	State, Trigger string
	DryRun         bool
	Series         []series
	Shares         []share
	Errors         map[string]string
}

// series is one figure of each day.
type series struct {
	Name   string
	Total  int64
	Before string // the total of the period before; empty if it was not counted
	Width  int
	Bars   []bar
}

// share is a count, and how large it is compared with the largest one.
type share struct {
	Name    string
	Count   int64
	Percent int
}

func readReport(c *Console, r *http.Request, _ url.Values) (any, *string, error) {
	var answer contract.ReportAnswer
	if err := c.get(r, fill("/admin/reports/{id}", r), &answer); err != nil {
		return nil, nil, err
	}
	var data struct {
		Days []struct {
			Day     string         `json:"day"`
			Figures map[string]any `json:"figures"`
		} `json:"days"`
		Figures  map[string]any    `json:"figures"`
		Previous map[string]any    `json:"previous"`
		State    string            `json:"state"`
		Trigger  string            `json:"trigger"`
		DryRun   bool              `json:"dry_run"`
		Counts   map[string]int64  `json:"counts"`
		Errors   map[string]string `json:"errors"`
	}
	if err := json.Unmarshal(answer.Data.Data, &data); err != nil {
		return nil, nil, fmt.Errorf("console: read the report: %w", err)
	}
	page := reportPage{
		Report: answer.Data, State: data.State, Trigger: data.Trigger, DryRun: data.DryRun, Errors: data.Errors,
		Shares: shares(data.Counts),
	}
	for _, name := range slices.Sorted(maps.Keys(data.Figures)) {
		total, isNumber := data.Figures[name].(float64)
		if !isNumber {
			continue
		}
		s := series{Name: name, Total: int64(total), Width: max(1, len(data.Days)) * barWidth}
		if before, known := data.Previous[name].(float64); known {
			s.Before = number(int64(before))
		}
		var days []int64
		largest := int64(1)
		for _, d := range data.Days {
			n, _ := d.Figures[name].(float64) // 0 for a day before counting began
			days = append(days, int64(n))
			largest = max(largest, int64(n))
		}
		for i, n := range days {
			height := int(n * barHeight / largest)
			s.Bars = append(s.Bars, bar{
				X: i * barWidth, Good: height, Top: chartHeight - height, Label: data.Days[i].Day + ": " + number(n),
			})
		}
		page.Series = append(page.Series, s)
	}
	return page, nil, nil
}

// The size of charts, as the templates have it.
const (
	barWidth    = 24 // of one bar, with the space behind it
	barHeight   = 60 // of the highest bar
	chartHeight = 64
)

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// shares returns the counts of a run, the largest first.
func shares(counts map[string]int64) (all []share) {
	largest := int64(1)
	for _, n := range counts {
		largest = max(largest, n)
	}
	for _, policy := range watchparty.Policies() {
		if n, counted := counts[string(policy)]; counted {
			all = append(all, share{string(policy), n, int(n * 100 / largest)})
		}
	}
	slices.SortStableFunc(all, func(a, b share) int { return cmp.Compare(b.Count, a.Count) })
	return all
}
