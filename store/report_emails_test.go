package store

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func reportReaders(t *testing.T, typed ...string) (readers []watchparty.Address) {
	t.Helper()
	for _, text := range typed {
		readers = append(readers, parseAddress(t, text))
	}
	return readers
}

func TestReportEmails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := diary{t, s}
	report := d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	queued, err := s.QueueReportEmails(t.Context(), report.ID, reportReaders(t, "one@example.org", "two@bücher.example"))
	require.NoError(t, err)
	require.Equal(t, 2, queued)
	queued, err = s.QueueReportEmails(t.Context(), report.ID,
		reportReaders(t, "Two@xn--bcher-kva.example", "three@example.org"))
	require.NoError(t, err)
	require.Equal(t, 1, queued, "nobody gets it twice")

	var rows []emailRow
	require.NoError(t, s.db.NewSelect().Model(&rows).Order("id").Scan(t.Context()))
	require.Len(t, rows, 3)
	var to []string
	all := reportReaders(t, "three@example.org", "two@XN--BCHER-KVA.example", "one@example.org", "four@example.org")
	for _, row := range rows {
		require.Equal(t, string(watchparty.EmailActivityReport), row.Kind)
		got, recipient, err := s.ReportEmail(t.Context(), row.SubjectID, all)
		require.NoError(t, err)
		require.Equal(t, report, got)
		to = append(to, recipient.String())
		_, _, err = s.ReportEmail(t.Context(), row.SubjectID, all[3:])
		require.ErrorIs(t, err, watchparty.ErrNotFound, "not to whom the settings do not name any more")
		input := readValue[string](t, s, "SELECT input FROM outbox WHERE workflow_id = ?", job.ReportEmailID(row.SubjectID))
		require.JSONEq(t, `{"email_id": "`+row.ID+`"}`, input)
	}
	require.Equal(t, []string{"one@example.org", "two@XN--BCHER-KVA.example", "three@example.org"}, to)
	// One that a former version has queued is still sent.
	execute(t, s, "UPDATE report_mails SET recipient_hash = sha256('two@bücher.example') WHERE id = ?", rows[1].SubjectID)
	_, recipient, err := s.ReportEmail(t.Context(), rows[1].SubjectID, all)
	require.NoError(t, err)
	require.Equal(t, all[1], recipient)

	_, _, err = s.ReportEmail(t.Context(), newID(), all)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	_, err = s.ActivityReport(t.Context(), newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestMissingReports(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := diary{t, s}
	now := readValue[time.Time](t, s, "SELECT now()").UTC()
	_, lastSunday := watchparty.ReportWeek.Last(now)
	thisWeek := lastSunday.Add(1)
	week := func(ago int) Period { return Period{thisWeek.Add(-7 * ago), thisWeek.Add(-7*ago + 6)} }
	atOnce := func(end time.Time) time.Time { return end }
	missing := func(due func(time.Time) time.Time, limit int) []Period {
		t.Helper()
		periods, err := s.MissingReports(t.Context(), watchparty.ReportWeek, due, limit)
		require.NoError(t, err)
		return periods
	}
	require.Empty(t, missing(atOnce, 12), "counting has just begun")
	d.setCountedSince(thisWeek)
	require.Empty(t, missing(atOnce, 12), "the week is not over")
	d.setCountedSince(thisWeek.Add(-1))
	require.Equal(t, []Period{week(1)}, missing(atOnce, 12), "one day of it was counted")
	d.setCountedSince(thisWeek.Add(-7 * 5))
	all := []Period{week(5), week(4), week(3), week(2), week(1)}
	require.Equal(t, all, missing(atOnce, 12))
	require.Equal(t, all[2:], missing(atOnce, 3), "the latest")
	require.Equal(t, all[:4], missing(func(end time.Time) time.Time {
		if end.Equal(thisWeek.Time()) {
			return now.Add(time.Hour)
		}
		return end
	}, 12), "the schedule has yet to start the last one")
	require.Empty(t, missing(func(time.Time) time.Time { return now.Add(time.Hour) }, 12))

	d.tallyThrough(thisWeek.Add(-1))
	d.createReport(watchparty.ReportWeek, week(3).From, week(3).To)
	require.Equal(t, slices.Concat(all[:2], all[3:]), missing(atOnce, 12))
	execute(t, s, "UPDATE activity_days SET active_users = 1 WHERE day = ?", string(week(4).To))
	require.Equal(t, slices.Concat(all[:1], all[3:]), missing(atOnce, 12), "it is not kept who was active")

	months, err := s.MissingReports(t.Context(), watchparty.ReportMonth, atOnce, 12)
	require.NoError(t, err)
	from, to := watchparty.ReportMonth.Last(now)
	require.Equal(t, Period{from, to}, months[len(months)-1])
}
