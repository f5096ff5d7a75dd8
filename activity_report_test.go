package watchparty_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestLastPeriod(t *testing.T) {
	for _, c := range []struct {
		at       string
		every    watchparty.ReportPeriod
		from, to watchparty.Day
	}{
		{"2026-03-02T00:00:00Z", watchparty.ReportWeek, "2026-02-23", "2026-03-01"}, // a Monday's first moment
		{"2026-03-01T23:59:59Z", watchparty.ReportWeek, "2026-02-16", "2026-02-22"}, // a Sunday's last second
		{"2026-03-02T05:00:00+14:00", watchparty.ReportWeek, "2026-02-16", "2026-02-22"},
		{"2026-03-01T20:00:00-06:00", watchparty.ReportWeek, "2026-02-23", "2026-03-01"},
		{"2026-01-01T05:00:00Z", watchparty.ReportWeek, "2025-12-22", "2025-12-28"},
		{"2028-03-06T05:00:00Z", watchparty.ReportWeek, "2028-02-28", "2028-03-05"}, // over a leap day
		{"2028-03-01T05:00:00Z", watchparty.ReportMonth, "2028-02-01", "2028-02-29"},
		{"2026-03-31T05:00:00Z", watchparty.ReportMonth, "2026-02-01", "2026-02-28"},
		{"2026-01-01T00:00:00Z", watchparty.ReportMonth, "2025-12-01", "2025-12-31"},
		{"2026-01-01T05:00:00+14:00", watchparty.ReportMonth, "2025-11-01", "2025-11-30"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		from, to := c.every.Last(at)
		require.Equal(t, [2]watchparty.Day{c.from, c.to}, [2]watchparty.Day{from, to}, "%s before %s", c.every, c.at)
	}
}
