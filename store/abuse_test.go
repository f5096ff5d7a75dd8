package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

func newReport(t *testing.T, s *Store, reporter watchparty.User, n watchparty.NewAbuseReport) watchparty.AbuseReport {
	t.Helper()
	n.Kind = watchparty.AbuseSpam
	report, err := s.ReportAbuse(t.Context(), reporter.ID, n, IdempotencyKey{})
	require.NoError(t, err)
	return report
}

// TestReportLimit: an account can send 20 reports an hour, even if it sends many at once. A report that is open already
// is not counted again.
func TestReportLimit(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	reporter := newUser(t, s, "reporter")
	var people []watchparty.User
	for i := range watchparty.MaxHourlyReports + 10 {
		people = append(people, newUser(t, s, fmt.Sprint("person", i)))
	}
	errs := make([]error, len(people))
	var wg sync.WaitGroup
	for i, p := range people {
		wg.Go(func() {
			_, errs[i] = s.ReportAbuse(t.Context(), reporter.ID,
				watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, Username: p.Username}, IdempotencyKey{})
		})
	}
	wg.Wait()
	refused, taken := 0, watchparty.User{}
	for i, err := range errs {
		if err == nil {
			taken = people[i]
			continue
		}
		var limited *watchparty.Error
		require.ErrorAs(t, err, &limited)
		require.Equal(t, []any{"too_many_reports", watchparty.KindLimited}, []any{limited.Code, limited.Kind})
		require.InDelta(t, time.Hour, limited.RetryAfter, float64(10*time.Minute))
		refused++
	}
	require.Equal(t, 10, refused)
	require.Equal(t, watchparty.MaxHourlyReports, countRows(t, s, "abuse_reports"))
	newReport(t, s, reporter, watchparty.NewAbuseReport{Username: taken.Username})
	newReport(t, s, taken, watchparty.NewAbuseReport{Username: "reporter"})

	execute(t, s, "UPDATE abuse_reports SET created_at = created_at - interval '61 min' WHERE target_id = ?", taken.ID)
	execute(
		t, s, "UPDATE abuse_reports SET state = 'resolved', outcome = 'dismissed', resolved_at = now() WHERE target_id = ?",
		taken.ID,
	)
	newReport(t, s, reporter, watchparty.NewAbuseReport{Username: taken.Username})
}

// TestOneOpenReport: for each reporter and target, however often it is sent at once.
func TestOneOpenReport(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, one, other := newUser(t, s, "host"), newUser(t, s, "one"), newUser(t, s, "other")
	room := newRoom(t, s, host, nil)
	reports := make([]watchparty.AbuseReport, 8)
	errs := make([]error, len(reports))
	var wg sync.WaitGroup
	for i := range reports {
		wg.Go(func() {
			by := []watchparty.User{one, other}[i%2]
			reports[i], errs[i] = s.ReportAbuse(t.Context(), by.ID,
				watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, RoomID: room.ID}, IdempotencyKey{})
		})
	}
	wg.Wait()
	for i, report := range reports {
		require.NoError(t, errs[i])
		require.Equal(t, reports[i%2], report)
	}
	require.Equal(t, 2, countRows(t, s, "abuse_reports"))
}

// TestReportersAreAlive: an account that is deleted or suspended meanwhile cannot report.
func TestReportersAreAlive(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	gone, suspended := newUser(t, s, "gone"), newUser(t, s, "suspended")
	kept := newReport(t, s, gone, watchparty.NewAbuseReport{Username: "root"})
	_, err := s.SuspendUser(t.Context(), root.ID, suspended.ID, watchparty.Suspension{Reason: "Spam"})
	require.NoError(t, err)
	err = s.DeleteAccount(t.Context(), gone.ID, "hash of "+gone.Username)
	require.NoError(t, err)
	require.Nil(t, readValue[*string](t, s, "SELECT reporter_id FROM abuse_reports WHERE id = ?", kept.ID),
		"the report stays, and nobody's")
	for _, id := range []string{gone.ID, suspended.ID, newID()} {
		_, err := s.ReportAbuse(t.Context(), id, watchparty.NewAbuseReport{Kind: watchparty.AbuseSpam, Username: "root"},
			IdempotencyKey{})
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	}
	require.Equal(t, 1, countRows(t, s, "abuse_reports"))
}

// TestResolvedOnce: when several admins resolve a report at once, by resolving it or by an act that names it, one
// succeeds and the acts of the others have no effect.
func TestResolvedOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, reporter := newUser(t, s, "host"), newUser(t, s, "reporter")
	root := grantedAdmin(t, s, "root")
	room := newRoom(t, s, host, nil)
	message := postMessage(t, s, room, host, "Buy!")
	report := newReport(t, s, reporter, watchparty.NewAbuseReport{MessageID: message.ID})
	why := watchparty.Moderation{Reason: "Spam", ReportID: report.ID}
	acts := map[string]func() error{
		"abuse_report_resolved": func() error {
			_, err := s.ResolveAbuseReport(t.Context(), root.ID, report.ID,
				watchparty.Resolution{Outcome: watchparty.AbuseDismissed})
			return err
		},
		"room_closed":     func() error { _, err := s.CloseRoom(t.Context(), root.ID, room.ID, why); return err },
		"message_removed": func() error { err := s.RemoveMessage(t.Context(), root.ID, message.ID, why); return err },
		"user_suspended": func() error {
			_, err := s.SuspendUser(t.Context(), root.ID, host.ID,
				watchparty.Suspension{Reason: "Spam", HideContent: true, ReportID: report.ID})
			return err
		},
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs = map[string]error{}
	)
	b := raiseBarrier(t, s, "UPDATE", "abuse_reports")
	for name, act := range acts {
		wg.Go(func() {
			err := act()
			mu.Lock()
			errs[name] = err
			mu.Unlock()
		})
	}
	b.awaitStopped(t, 2, nil)
	b.release(t)
	wg.Wait()
	done := ""
	for name, err := range errs {
		if err == nil {
			require.Empty(t, done)
			done = name
			continue
		}
		require.ErrorIs(t, err, watchparty.ErrReportResolved, name)
	}
	for name := range acts {
		if name != "abuse_report_resolved" {
			require.Equal(t, name == done, readValue[bool](t, s, "SELECT EXISTS (SELECT FROM audit WHERE action = ?)", name),
				name)
		}
	}
	require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM audit WHERE action = 'abuse_report_resolved'"))
	require.Equal(t, done == "room_closed", readValue[bool](t, s, "SELECT closed_at IS NOT NULL FROM rooms WHERE id = ?",
		room.ID))
	require.Equal(t, done == "message_removed", readValue[bool](t, s,
		"SELECT deleted_at IS NOT NULL FROM messages WHERE id = ?", message.ID))
	require.Equal(t, done == "user_suspended", readValue[bool](t, s,
		"SELECT suspended_at IS NOT NULL FROM users WHERE id = ?", host.ID))
}

// TestResolvedWhileTheAccountIsDeleted: whichever commits first, the copy of the reported content is deleted.
func TestResolvedWhileTheAccountIsDeleted(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, reporter := newUser(t, s, "host"), newUser(t, s, "reporter")
	root := grantedAdmin(t, s, "root")
	report := newReport(t, s, reporter, watchparty.NewAbuseReport{Username: "host"})
	b := raiseBarrier(t, s, "UPDATE", "abuse_reports")
	var (
		wg                sync.WaitGroup
		resolved, deleted error
	)
	wg.Go(func() {
		_, resolved = s.ResolveAbuseReport(t.Context(), root.ID, report.ID,
			watchparty.Resolution{Outcome: watchparty.AbuseActed})
	})
	b.awaitStopped(t, 1, nil)
	wg.Go(func() { deleted = s.DeleteAccount(t.Context(), host.ID, "hash of "+host.Username) })
	b.awaitStopped(t, 2, nil)
	b.release(t)
	wg.Wait()
	require.NoError(t, resolved)
	require.NoError(t, deleted)
	require.Nil(t, readValue[*string](t, s, "SELECT snapshot::text FROM abuse_reports"))
}

// TestClosedWhileItsHostOpensIt: whichever comes first, the room is closed.
func TestClosedWhileItsHostOpensIt(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, host := grantedAdmin(t, s, "root"), newUser(t, s, "host")
	room := newRoom(t, s, host, nil)
	_, err := s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Archived: ptr(true)}, nil)
	require.NoError(t, err)
	b := raiseBarrier(t, s, "UPDATE", "rooms")
	var (
		wg             sync.WaitGroup
		opened, closed error
	)
	wg.Go(func() {
		_, opened = s.UpdateRoom(t.Context(), room.ID, host.ID, watchparty.RoomChange{Archived: ptr(false)}, nil)
	})
	wg.Go(func() { _, closed = s.CloseRoom(t.Context(), root.ID, room.ID, watchparty.Moderation{Reason: "Spam"}) })
	b.awaitStopped(t, 2, nil)
	b.release(t)
	wg.Wait()
	require.NoError(t, closed)
	if opened != nil {
		require.ErrorIs(t, opened, watchparty.ErrRoomClosed)
	}
	after, err := s.Room(t.Context(), room.ID)
	require.NoError(t, err)
	require.False(t, after.ClosedAt.IsZero() || after.ArchivedAt.IsZero())
}

// TestHiddenAccountIsDeleted: hidden content never becomes visible again, at any step of the deletion.
func TestHiddenAccountIsDeleted(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, mallory, guest := grantedAdmin(t, s, "root"), newUser(t, s, "mallory"), newUser(t, s, "guest")
	own, other := newRoom(t, s, mallory, nil), newRoom(t, s, guest, nil)
	joinRoom(t, s, own, guest)
	joinRoom(t, s, other, mallory)
	spam := postMessage(t, s, other, mallory, "Buy!")
	reply, err := s.PostMessage(t.Context(), guest, watchparty.NewMessage{RoomID: other.ID, Body: "No",
		ReplyToID: spam.ID}, IdempotencyKey{})
	require.NoError(t, err)
	_, err = s.SuspendUser(t.Context(), root.ID, mallory.ID, watchparty.Suspension{Reason: "Spam", HideContent: true})
	require.NoError(t, err)
	requireHidden := func(t *testing.T) {
		t.Helper()
		_, err := s.Room(t.Context(), own.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		messages, err := s.Messages(t.Context(), other.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []string{reply.ID, spam.ID}, []string{messages[0].ID, messages[1].ID})
		require.Empty(t, messages[0].ReplyTo.Excerpt)
		require.Empty(t, messages[1].Body)
		require.NotZero(t, messages[1].DeletedAt)
	}
	requireHidden(t)
	tags := changesOf(s, func() {
		require.NoError(t, s.DeleteAccount(t.Context(), mallory.ID, "hash of "+mallory.Username))
	})
	require.Contains(t, tags, coherence.TagRoom(own.ID))
	requireHidden(t)
	n, err := s.AnonymiseMessages(t.Context(), mallory.ID, 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	requireHidden(t)
	err = s.RemoveAccount(t.Context(), mallory.ID)
	require.NoError(t, err)
	requireHidden(t)
	require.Empty(t, readValue[string](t, s, "SELECT body FROM messages WHERE id = ?", spam.ID))
}
