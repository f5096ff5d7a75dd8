package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestTallyActivity(t *testing.T) {
	t.Parallel()
	stacktest.AwayFromMidnight(t)
	s := openStore(t)
	env := environment(&activities.Report{Store: s})
	tally := func() int {
		t.Helper()
		result, err := env.ExecuteActivity(job.ActivityTally)
		require.NoError(t, err)
		var done job.TallyResult
		require.NoError(t, result.Get(&done))
		return done.Days
	}
	require.Zero(t, tally(), "there is nobody")
	register(t, s, "ann")
	require.Zero(t, tally(), "her first day is not over")
	execute(t, s, "UPDATE activity_since SET day = day - 4")
	require.Equal(t, 4, tally())
	require.Zero(t, tally())
	day, err := s.UntalliedDay(t.Context())
	require.NoError(t, err)
	require.Equal(t, watchparty.DayOf(time.Now().Add(-time.Minute)), day, "today is not over")
}

func TestCreateActivityReport(t *testing.T) {
	t.Parallel()
	stacktest.AwayFromMidnight(t)
	s := openStore(t)
	execute(t, s, "UPDATE activity_since SET day = day - 20")
	env := environment(&activities.Report{Store: s})
	create := func(from watchparty.Day) (string, error) {
		t.Helper()
		result, err := env.ExecuteActivity(
			job.ActivityCreateReport, job.CreateReportInput{Every: watchparty.ReportWeek, From: from, To: from.Add(6)},
		)
		if err != nil {
			return "", err
		}
		var id string
		require.NoError(t, result.Get(&id))
		return id, nil
	}
	today := watchparty.DayOf(time.Now())
	id, err := create(today.Add(-8))
	require.NoError(t, err, "it tallies what is missing")
	again, err := create(today.Add(-8))
	require.NoError(t, err)
	require.Equal(t, id, again)

	_, err = create(today.Add(-6))
	requireFailure(t, err, "wrapError", false) // today is not over

	execute(t, s, "UPDATE activity_days SET active_users = 1 WHERE day = ?", string(today.Add(-10)))
	_, err = create(today.Add(-15))
	requireFailure(t, err, job.ErrorPeriodGone, true)
}

func TestQueueReportEmails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	id, err := s.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.NoError(t, err)
	queue := func(recipients ...string) (n int) {
		t.Helper()
		env := environment(&activities.Report{Store: s, Settings: config.Report{Recipients: recipients}})
		result, err := env.ExecuteActivity(job.ActivityQueueReportEmails, job.QueueReportEmailsInput{ReportID: id})
		require.NoError(t, err)
		require.NoError(t, result.Get(&n))
		return n
	}
	require.Zero(t, queue())
	require.Equal(t, 2, queue("ops@watchparty.test", "boss@watchparty.test"))
	require.Equal(
		t, 1, queue("Ops@WatchParty.test", "new@watchparty.test"), "however it is written, an address gets it once",
	)
}
