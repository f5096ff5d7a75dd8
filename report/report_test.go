package report

import (
	"encoding/csv"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// reportOf has days from one on, each with figures made by of.
func reportOf(from watchparty.Day, days int, of func(day int64) watchparty.Figures) watchparty.ActivityReport {
	r := watchparty.ActivityReport{
		Every:   watchparty.ReportWeek,
		From:    from,
		To:      from.Add(days - 1),
		Figures: &watchparty.Figures{},
	}
	for i := range days {
		figures := of(int64(i))
		r.Days = append(r.Days, watchparty.ActivityDay{Day: from.Add(i), Figures: &figures})
	}
	return r
}

func quiet(int64) watchparty.Figures { return watchparty.Figures{} }

// busy gives every figure of every day a value of its own.
func busy(day int64) watchparty.Figures {
	var f watchparty.Figures
	v := reflect.ValueOf(&f).Elem()
	for i := range v.NumField() {
		v.Field(i).SetInt(day*100 + int64(i) + 1)
	}
	return f
}

// TestFiguresAreAllOfTheDomains: none is forgotten, each under its own name and in its place.
func TestFiguresAreAllOfTheDomains(t *testing.T) {
	kind := reflect.TypeFor[watchparty.Figures]()
	require.Len(t, figures(), kind.NumField())
	for i, f := range figures() {
		require.Equal(t, kind.Field(i).Tag.Get("json"), f.key)
		require.Equal(t, int64(i)+1, f.of(busy(0)))
		for _, l := range watchparty.Languages() {
			require.NotEmpty(t, in(l).figures[f.key])
		}
	}
}

func TestPoliciesHaveNames(t *testing.T) {
	for _, l := range watchparty.Languages() {
		for _, p := range watchparty.Policies() {
			require.NotEmpty(t, in(l).policies[p], "%s has no name in the language %s", p, l)
		}
	}
}

func TestCSV(t *testing.T) {
	t.Run("a known report", func(t *testing.T) {
		data, err := CSV(reportOf("2028-02-28", 3, busy))
		require.NoError(t, err)
		require.Equal(t, "day,new_users,active_users,returning_users,rooms_opened,participants,minutes_together,messages,"+
			"invitations_sent,invitations_accepted,emails_sent,emails_failed,avatars,removed\r\n"+
			"2028-02-28,1,2,3,4,5,6,7,8,9,10,11,12,13\r\n"+
			"2028-02-29,101,102,103,104,105,106,107,108,109,110,111,112,113\r\n"+
			"2028-03-01,201,202,203,204,205,206,207,208,209,210,211,212,213\r\n", string(data))
	})
	t.Run("every day has a row, quiet ones zeros", func(t *testing.T) {
		data, err := CSV(reportOf("2026-01-01", 92, quiet))
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1+92)
		for _, n := range rows[92][1:] {
			require.Equal(t, "0", n)
		}
	})
	t.Run("no text is a formula", func(t *testing.T) {
		hostile := watchparty.Day(`=HYPERLINK("https://evil.test","x")`)
		r := watchparty.ActivityReport{Days: []watchparty.ActivityDay{{Day: hostile, Figures: &watchparty.Figures{}}}}
		data, err := CSV(r)
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, "'"+string(hostile), rows[1][0])
	})
}

func TestCell(t *testing.T) {
	for _, text := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠1",
	} {
		require.Equal(t, "'"+text, cell(text), "%q", text)
	}
	for _, text := range []string{"", " ", "2026-03-02", "a=1", "'=1", "1-1"} {
		require.Equal(t, text, cell(text), "%q", text)
	}
}

func TestPeriod(t *testing.T) {
	for _, tt := range []struct {
		from, to         watchparty.Day
		every            watchparty.ReportPeriod
		english, german  string
		previous, vorher string
	}{
		{"2026-03-02", "2026-03-08", watchparty.ReportWeek, "2–8 March 2026", "2.–8. März 2026",
			"23 February – 1 March 2026", "23. Februar – 1. März 2026"},
		{"2025-12-29", "2026-01-04", watchparty.ReportWeek, "29 December 2025 – 4 January 2026",
			"29. Dezember 2025 – 4. Januar 2026", "22–28 December 2025", "22.–28. Dezember 2025"},
		{"2028-03-01", "2028-03-31", watchparty.ReportMonth, "March 2028", "März 2028", "February 2028", "Februar 2028"},
		{"2026-01-01", "2026-01-31", watchparty.ReportMonth, "January 2026", "Januar 2026", "December 2025", "Dezember 2025"},
	} {
		r := watchparty.ActivityReport{Every: tt.every, From: tt.from, To: tt.to}
		require.Equal(t, tt.english, Period(watchparty.English, r))
		require.Equal(t, tt.german, Period(watchparty.German, r))
		require.Equal(t, tt.previous, PreviousPeriod(watchparty.English, r))
		require.Equal(t, tt.vorher, PreviousPeriod(watchparty.German, r))
	}
}

func TestTable(t *testing.T) {
	now := watchparty.Figures{
		NewUsers:        3,
		ActiveUsers:     1200,
		ReturningUsers:  5,
		RoomsOpened:     0,
		MinutesTogether: 90,
		Messages:        1000,
		Removed:         7,
	}
	before := watchparty.Figures{
		NewUsers:        2,
		ActiveUsers:     1500,
		ReturningUsers:  5,
		RoomsOpened:     4,
		MinutesTogether: 60,
		Messages:        999,
	}
	row := func(l watchparty.Language, r watchparty.ActivityReport, key string) Row {
		for _, row := range Table(l, r) {
			if row.Key == key {
				return row
			}
		}
		return Row{}
	}
	r := watchparty.ActivityReport{Figures: &now, Previous: &before}
	for _, want := range []Row{
		{"new_users", "New people", "3", "2", "+1", "+50%"},
		{"active_users", "Active people", "1,200", "1,500", "−300", "−20%"},
		{"returning_users", "Returning people", "5", "5", "±0", "±0%"},
		{"rooms_opened", "Rooms opened", "0", "4", "−4", "−100%"},
		{minutesTogether, "Hours together", "1.5", "1.0", "+0.5", "+50%"},
		{"messages", "Messages", "1,000", "999", "+1", "+0.1%"},
		{"removed", "Removed by clean-up", "7", "0", "+7", "–"},
		{"avatars", "Avatars published", "0", "0", "±0", "–"},
	} {
		require.Equal(t, want, row(watchparty.English, r, want.Key))
	}
	require.Equal(t, Row{"active_users", "Aktive Personen", "1.200", "1.500", "−300", "−20\u00a0%"},
		row(watchparty.German, r, "active_users"))
	require.Equal(t, Row{minutesTogether, "Gemeinsame Stunden", "1,5", "1,0", "+0,5", "+50\u00a0%"},
		row(watchparty.German, r, minutesTogether))
	r.Previous = nil
	for _, row := range Table(watchparty.English, r) {
		require.Equal(t, []string{"–", "–", "–"}, []string{row.Previous, row.Change, row.Percent})
	}
}

func TestActivePeople(t *testing.T) {
	for n, want := range map[int64][2]string{
		0: {"0 active people", "0 aktive Personen"}, 1: {"1 active person", "1 aktive Person"},
		1234: {"1,234 active people", "1.234 aktive Personen"},
	} {
		r := watchparty.ActivityReport{Figures: &watchparty.Figures{ActiveUsers: n}}
		require.Equal(t, want, [2]string{ActivePeople(watchparty.English, r), ActivePeople(watchparty.German, r)},
			strconv.FormatInt(n, 10))
	}
}

// since leaves the report's days before one unknown.
func since(r watchparty.ActivityReport, day watchparty.Day) watchparty.ActivityReport {
	r.CountedSince = &day
	if day > r.To {
		r.Figures = nil
	}
	for i := range r.Days {
		if r.Days[i].Day < day {
			r.Days[i].Figures = nil
		}
	}
	return r
}

// TestWhatWasNotCounted: each form of a report says in words what is not known, and none says 0.
func TestWhatWasNotCounted(t *testing.T) {
	for _, tt := range []struct {
		since watchparty.Day
		known int // days
	}{{"2026-03-09", 0}, {"2026-03-08", 1}, {"2026-03-05", 4}} {
		r := since(reportOf("2026-03-02", 7, busy), tt.since)
		counted := "Counting began on " + english().date(tt.since) + " 2026; what happened before is not known."
		require.Equal(t, counted, Counted(watchparty.English, r))
		require.Contains(t, Counted(watchparty.German, r), "Gezählt wird seit dem "+german().date(tt.since)+" 2026;")

		table, err := CSV(r)
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
		require.NoError(t, err)
		for i, row := range rows[1:] {
			for _, cell := range row[1:] {
				require.Equal(t, i < 7-tt.known, cell == "not known", "%v", row)
			}
		}

		page, err := Page(r)
		require.NoError(t, err)
		require.Contains(t, string(page), counted)
		require.Equal(t, tt.known > 0, strings.Contains(string(page), "<svg"))
		require.Equal(t, tt.known > 0, strings.Contains(string(page), "<p>Nothing.</p>"))
		require.NotContains(t, string(page), "NaN")
		pictures, err := Pictures(watchparty.English, r)
		require.NoError(t, err)
		if tt.known == 0 {
			require.Empty(t, pictures)
			require.Equal(t, "not known", ActivePeople(watchparty.English, r))
			require.Equal(t, "nicht bekannt", ActivePeople(watchparty.German, r))
		} else {
			require.Len(t, pictures, 3)
		}
		r.Previous = &watchparty.Figures{NewUsers: 1}
		for _, row := range Table(watchparty.English, r) {
			require.Equal(t, tt.known == 0, row.Value == "not known")
			require.Equal(t, tt.known == 0, row.Change == unknown)
		}
		for _, c := range charts(english(), r) {
			require.Equal(
				t, tt.known > 1, strings.Contains(c.says(english()), "most on 8 March"), "the last day, which is the busiest",
			)
		}
	}
	require.Empty(t, Counted(watchparty.English, reportOf("2026-03-02", 7, quiet)))
}
