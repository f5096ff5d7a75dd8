package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestActivityReport(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.tallyThrough("2026-03-01")

	want := watchparty.ActivityReport{
		Every: watchparty.ReportWeek, From: "2026-02-23", To: "2026-03-01",
		Figures: &watchparty.Figures{
			NewUsers: 3, ActiveUsers: 4, ReturningUsers: 2, RoomsOpened: 1, Participants: 12, MinutesTogether: 235, Messages: 3,
			InvitationsSent: 2, InvitationsAccepted: 2, EmailsSent: 2, EmailsFailed: 1, Avatars: 2, Removed: 11,
		},
		Previous: &watchparty.Figures{
			NewUsers: 1, ActiveUsers: 1, RoomsOpened: 1, Participants: 1, Messages: 1, InvitationsSent: 1,
		},
		RemovedBy: map[watchparty.Policy]int64{watchparty.PolicyMessages: 9, watchparty.PolicyRooms: 2},
		Days: []watchparty.ActivityDay{
			{Day: "2026-02-23", Figures: &watchparty.Figures{NewUsers: 1, ActiveUsers: 1, ReturningUsers: 1, RoomsOpened: 1,
				Messages: 1}},
			{Day: "2026-02-24", Figures: &watchparty.Figures{
				ActiveUsers: 3, ReturningUsers: 3, Participants: 3, MinutesTogether: 135, Messages: 1,
				InvitationsSent: 1, InvitationsAccepted: 1, EmailsSent: 1, Avatars: 2,
			}},
			{Day: "2026-02-25", Figures: &watchparty.Figures{
				NewUsers: 1, ActiveUsers: 2, ReturningUsers: 2, Participants: 2, MinutesTogether: 60, InvitationsSent: 1,
				EmailsSent: 1,
			}},
			{Day: "2026-02-26", Figures: &watchparty.Figures{ActiveUsers: 3, ReturningUsers: 3, Participants: 3,
				MinutesTogether: 30, EmailsFailed: 1, Removed: 7}},
			{Day: "2026-02-27", Figures: &watchparty.Figures{ActiveUsers: 2, ReturningUsers: 2, Participants: 2,
				InvitationsAccepted: 1, Removed: 4}},
			{Day: "2026-02-28", Figures: &watchparty.Figures{ActiveUsers: 2, ReturningUsers: 2, Participants: 2,
				MinutesTogether: 10}},
			{Day: "2026-03-01", Figures: &watchparty.Figures{NewUsers: 1, ActiveUsers: 1, ReturningUsers: 1, Messages: 1}},
		},
	}
	got := d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	want.ID = got.ID
	require.Equal(t, want, got)

	t.Run("once", func(t *testing.T) {
		execute(t, s, "DELETE FROM messages")
		execute(t, s, "DELETE FROM activity_days")
		require.Equal(t, want, d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01"))
	})
}

// What clean-up, or its owner, removes after a day is over stays in that day's figures.
func TestTallyOutlivesWhatItCounts(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.tallyThrough("2026-03-01")
	for _, table := range []string{"messages", "invitations", "emails", "participants", "stays", "rooms", "users"} {
		execute(t, s, "DELETE FROM ?", bun.Ident(table))
	}
	require.NoError(t, s.TallyDay(t.Context(), "2026-02-24"), "again")
	report := d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.EqualValues(t, 235, report.Figures.MinutesTogether)
	require.EqualValues(t, 4, report.Figures.ActiveUsers)
	require.EqualValues(t, 3, report.Figures.NewUsers)
	require.EqualValues(t, 3, report.Figures.Messages)
}

func TestActivityReportOfAMonth(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.tallyThrough("2026-02-28")
	report := d.createReport(watchparty.ReportMonth, "2026-02-01", "2026-02-28")
	require.Len(t, report.Days, 28, "days with nothing are there")
	require.Equal(t, watchparty.ActivityDay{Day: "2026-02-01", Figures: &watchparty.Figures{}}, report.Days[0])
	require.EqualValues(t, 3, report.Figures.NewUsers)
	require.EqualValues(t, 1, report.Figures.ReturningUsers, "ann only: her account is older than the month")
	require.Equal(t, &watchparty.Figures{NewUsers: 1}, report.Previous, "January")
}

// TestActivityReportOfWhatIsGone: if rows of active people were removed, no report counts fewer people than there were.
func TestActivityReportOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.tallyThrough("2026-03-01")
	admin := newAdmin(t, s, "admin")
	run := newRun(t, s, admin, false)
	require.Equal(t, 2, drainPolicy(t, s, run.ID, watchparty.PolicyActivity, time.Date(2026, 2, 23, 1, 0, 0, 0, time.UTC)),
		"a stay, and the day of the week before on which bob was active")
	report := d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.EqualValues(t, 4, report.Figures.ActiveUsers)
	require.Nil(t, report.Previous)

	execute(t, s, "DELETE FROM reports")
	drainPolicy(t, s, run.ID, watchparty.PolicyActivity, time.Date(2026, 2, 25, 0, 0, 0, 0, time.UTC))
	_, err := s.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.ErrorIs(t, err, watchparty.ErrPeriodGone)
}

func TestActivityReportBeforeItIsTallied(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.tallyThrough("2026-02-28")
	_, err := s.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.ErrorIs(t, err, errUntallied)
	d.tallyThrough("2026-03-01")
	require.EqualValues(t, 3, d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01").Figures.Messages)
}

// TestFirstActivityReport: nothing is compared with days of which not everything was kept.
func TestFirstActivityReport(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := writeWeek(t, s)
	d.setCountedSince("2026-02-17")
	d.tallyThrough("2026-03-01")
	require.Nil(t, d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01").Previous)
}

func TestActivityReportOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	stacktest.AwayFromMidnight(t)
	s := openStore(t)
	day, err := s.UntalliedDay(t.Context())
	require.NoError(t, err)
	require.Equal(t, watchparty.DayOf(time.Now()), day)
	report := diary{t, s}.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.Len(t, report.Days, 7)
	require.Nil(t, report.Figures, "of the time before nothing is known")
}

// TestWhatWasNotCounted: figures from before counting began are unknown, and not 0.
func TestWhatWasNotCounted(t *testing.T) {
	t.Parallel()
	unknown := func(from watchparty.Day, days int) (all []watchparty.ActivityDay) {
		for i := range days {
			all = append(all, watchparty.ActivityDay{Day: from.Add(i)})
		}
		return all
	}
	counted := func(t *testing.T, since watchparty.Day) watchparty.ActivityReport {
		s := openStore(t)
		d := writeWeek(t, s)
		d.setCountedSince(since)
		d.tallyThrough("2026-03-01")
		return d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	}
	t.Run("a whole period", func(t *testing.T) {
		t.Parallel()
		report := counted(t, "2026-03-02")
		report.ID = ""
		require.Equal(t, watchparty.ActivityReport{
			Every: watchparty.ReportWeek, From: "2026-02-23", To: "2026-03-01", CountedSince: ptr(watchparty.Day("2026-03-02")),
			Days: unknown("2026-02-23", 7),
		}, report)
	})
	t.Run("its first days", func(t *testing.T) {
		t.Parallel()
		report := counted(t, "2026-02-26")
		require.Equal(t, ptr(watchparty.Day("2026-02-26")), report.CountedSince)
		require.Equal(t, unknown("2026-02-23", 3), report.Days[:3])
		for _, day := range report.Days[3:] {
			require.NotNil(t, day.Figures, day.Day)
		}
		require.Nil(t, report.Previous)
		require.EqualValues(t, 40, report.Figures.MinutesTogether)
		require.EqualValues(t, 1, report.Figures.EmailsFailed)
		require.EqualValues(t, 11, report.Figures.Removed)
		require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: 9, watchparty.PolicyRooms: 2},
			report.RemovedBy)
	})
	t.Run("the days before its last", func(t *testing.T) {
		t.Parallel()
		report := counted(t, "2026-03-01")
		require.Equal(t, unknown("2026-02-23", 6), report.Days[:6])
		require.EqualValues(t, 1, report.Figures.ActiveUsers)
		require.Empty(t, report.RemovedBy, "what was removed before is not of the days that were counted")
	})
	t.Run("nothing of it", func(t *testing.T) {
		t.Parallel()
		report := counted(t, "2026-02-23")
		require.Nil(t, report.CountedSince)
		require.EqualValues(t, 235, report.Figures.MinutesTogether)
		require.Nil(t, report.Previous, "the week before was not counted")
	})
	t.Run("the period before", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, counted(t, "2026-02-17").Previous, "not as a whole")
		require.NotNil(t, counted(t, "2026-02-16").Previous)
	})
}

// TestDaysWhereClocksChange: a period has all of its days, even where one has no midnight.
func TestDaysWhereClocksChange(t *testing.T) {
	t.Parallel()
	for zone, period := range map[string][2]watchparty.Day{
		"America/Havana": {"2026-03-01", "2026-03-31"}, "Africa/Cairo": {"2026-04-01", "2026-04-30"},
		"Europe/Berlin": {"2026-10-01", "2026-10-31"},
	} {
		s := openStore(t)
		s.DB().SetMaxOpenConns(1)
		execute(t, s, "SET TIME ZONE '?'", bun.Safe(zone))
		d := diary{t, s}
		d.setCountedSince("2026-01-01")
		d.tallyThrough(period[1])
		execute(t, s, "UPDATE activity_days SET messages = 1")
		report := d.createReport(watchparty.ReportMonth, period[0], period[1])
		require.Len(t, report.Days, period[1].Time().Day(), zone)
		for i, day := range report.Days {
			require.Equal(t, watchparty.ActivityDay{Day: period[0].Add(i), Figures: &watchparty.Figures{Messages: 1}}, day, zone)
		}
	}
}

// Days are those of UTC, whatever a connection's time zone is.
func TestTallyInAnotherTimeZone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	s.DB().SetMaxOpenConns(1)
	execute(t, s, "SET TIME ZONE 'Pacific/Kiritimati'") // UTC+14
	d := writeWeek(t, s)
	d.tallyThrough("2026-03-01")
	report := d.createReport(watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.EqualValues(t, 235, report.Figures.MinutesTogether)
	require.EqualValues(t, 3, report.Figures.NewUsers)
	require.EqualValues(t, 2, report.Figures.ReturningUsers)
	require.EqualValues(t, 135, report.Days[1].MinutesTogether)
	require.Equal(t, watchparty.Day("2026-03-01"), report.Days[6].Day)
}

func TestTalliesAtOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	writeWeek(t, s)
	errs := make(chan error)
	for range 8 {
		go func() { errs <- s.TallyDay(t.Context(), "2026-02-24") }()
	}
	for range 8 {
		require.NoError(t, <-errs)
	}
	require.Equal(t, 3, countRows(t, s, "active_users"))
}

func readStays(t *testing.T, s *Store) []time.Duration {
	t.Helper()
	var lengths []float64
	require.NoError(t, s.db.NewRaw("SELECT extract(epoch FROM ended_at - started_at)::float8 FROM stays ORDER BY id").
		Scan(t.Context(), &lengths))
	return mapRows(lengths, func(seconds float64) time.Duration {
		return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
	})
}

// However a person leaves a room, the record of the stay is kept.
func TestStays(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, ann, bob, cat, dan := newAdmin(t, s, "host"), newUser(t, s, "ann"), newUser(t, s, "bob"), newUser(t, s, "cat"),
		newUser(t, s, "dan")
	room := newRoom(t, s, host, nil)
	joinRoom(t, s, room, ann, bob, cat, dan)
	ago := func(user watchparty.User, since, seen time.Duration) {
		execute(t, s, "UPDATE participants SET last_seen_at = now() - make_interval(secs => ?) WHERE user_id = ?",
			seen.Seconds(), user.ID)
		execute(t, s, "UPDATE participants SET present_since = now() - make_interval(secs => ?) WHERE user_id = ?",
			since.Seconds(), user.ID)
	}
	around := func(want time.Duration) {
		t.Helper()
		got := readStays(t, s)
		require.InDelta(t, want.Seconds(), got[len(got)-1].Seconds(), 5)
	}

	ago(ann, time.Hour, time.Minute)
	_, err := s.Heartbeat(t.Context(), room.ID, ann.ID, time.Hour)
	require.NoError(t, err)
	require.Empty(t, readStays(t, s), "who is seen again soon enough stays")

	ago(ann, time.Hour, 10*time.Minute)
	_, err = s.Heartbeat(t.Context(), room.ID, ann.ID, time.Hour)
	require.NoError(t, err)
	around(50 * time.Minute) // who comes back later has been away
	require.NoError(t, s.LeaveRoom(t.Context(), room.ID, ann.ID))
	around(0)

	ago(bob, 30*time.Minute, time.Minute)
	require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
	around(30 * time.Minute) // present until they left

	ago(cat, time.Hour, 20*time.Minute)
	require.NoError(t, s.Kick(t.Context(), room.ID, host.ID, cat.Username))
	around(40 * time.Minute) // long gone when they were put out

	ago(dan, 2*time.Hour, time.Hour)
	err = s.DeleteAccount(t.Context(), dan.ID, "hash of "+dan.Username)
	require.NoError(t, err)
	around(time.Hour)

	ago(host, 26*time.Hour, 25*time.Hour)
	run := newRun(t, s, host, false)
	applyPolicy(t, s, run.ID, watchparty.PolicyParticipants, time.Now().Add(-24*time.Hour), 10)
	around(time.Hour)
	require.Len(t, readStays(t, s), 6)
	require.InDelta(t, watchparty.PresentFor.Seconds(), readValue[float64](
		t,
		s,
		"SELECT extract(epoch FROM substring(prosrc "+
			"FROM $$apart CONSTANT interval := '([^']+)'$$)::interval)::float8 FROM pg_proc WHERE proname = 'keep_stays' "+
			"AND pronamespace = current_schema()::regnamespace",
	),
		0, "PresentFor and the trigger's interval are one")
}

func TestOldActivity(t *testing.T) {
	t.Parallel()
	atThresholds(t, func(t *testing.T, s *Store, threshold time.Time) {
		user, admin := newID(), newAdmin(t, s, fmt.Sprint("admin", threshold.Unix()))
		want := 0
		for _, d := range distances {
			end := threshold.Add(d.from)
			execute(t, s, "INSERT INTO stays (room_id, user_id, started_at, ended_at) VALUES (?0, ?0, ?1, ?2)", user,
				end.Add(-time.Hour), end)
			if d.applies {
				want++
			}
		}
		day := watchparty.DayOf(threshold)
		for _, day := range []watchparty.Day{day.Add(-1), day} {
			execute(t, s, "INSERT INTO active_users (day, user_id, since) VALUES (?0, ?1, ?0)", string(day), user)
		}
		dry := newRun(t, s, admin, true)
		require.NoError(t, s.CountCleanup(t.Context(), dry.ID, watchparty.PolicyActivity, threshold))
		require.EqualValues(t, want+1, readRunCounts(t, s, dry.ID)[watchparty.PolicyActivity])
		rehearsed, err := s.Run(t.Context(), dry.ID)
		require.NoError(t, err)
		require.Contains(t, rehearsed.Samples[watchparty.PolicyActivity], string(day.Add(-1))+"/"+user)

		run := newRun(t, s, admin, false)
		require.Equal(t, want+1, drainPolicy(t, s, run.ID, watchparty.PolicyActivity, threshold))
		require.EqualValues(t, want+1, readRunCounts(t, s, run.ID)[watchparty.PolicyActivity])
		require.Equal(t, len(distances)-want, countRows(t, s, "stays"))
		require.Equal(t, string(day), readValue[string](t, s, "SELECT to_char(day, 'YYYY-MM-DD') FROM active_users"))
		execute(t, s, "DELETE FROM stays")
		execute(t, s, "DELETE FROM active_users")
	})
}

// TestStaysOutliveTheAccount: that somebody was there stays, and not who.
func TestStaysOutliveTheAccount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user, other, room := newUser(t, s, "ann"), newUser(t, s, "bob"), newID()
	for _, id := range []string{user.ID, user.ID, other.ID} {
		execute(t, s, "INSERT INTO stays (room_id, user_id, started_at, ended_at) VALUES (?, ?, now(), now())", room, id)
	}
	execute(t, s, "INSERT INTO active_users (day, user_id, since) VALUES (now(), ?, now())", user.ID)
	err := s.DeleteAccount(t.Context(), user.ID, "hash of "+user.Username)
	require.NoError(t, err)
	err = s.RemoveAccount(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, 3, countRows(t, s, "stays"))
	require.Equal(t, 2, readValue[int](t, s, "SELECT count(DISTINCT user_id) FROM stays"), "they were one person")
	for _, table := range []string{"stays", "active_users"} {
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM ? WHERE user_id = ?", bun.Ident(table), user.ID), table)
	}
}
