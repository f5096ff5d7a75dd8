package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty"
)

// CSV returns the days of the report as in RFC 4180: a header with the JSON names of the figures, and a row for each
// day. A day that was not counted says so in each column.
func CSV(r watchparty.ActivityReport) ([]byte, error) {
	var b bytes.Buffer
	table := csv.NewWriter(&b)
	table.UseCRLF = true
	header := []string{"day"}
	for _, f := range figures() {
		header = append(header, f.key)
	}
	rows := [][]string{header}
	for _, d := range r.Days {
		row := []string{cell(string(d.Day))}
		for _, f := range figures() {
			if d.Figures == nil {
				row = append(row, english().notKnown)
				continue
			}
			row = append(row, strconv.FormatInt(f.of(*d.Figures), 10))
		}
		rows = append(rows, row)
	}
	err := table.WriteAll(rows)
	return b.Bytes(), err
}

// cell prevents a spreadsheet from executing a text: a text that looks like a formula gets an apostrophe, which
// spreadsheets read as "this is text".
func cell(text string) string {
	start := strings.TrimLeft(text, " \u00a0")
	if start != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(start)[0]) {
		return "'" + text
	}
	return text
}
