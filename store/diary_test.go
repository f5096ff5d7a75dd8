package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// diary inserts past events into the database.
type diary struct {
	t *testing.T
	s *Store
}

func (d diary) addUser(name, created string) watchparty.User {
	user := newUser(d.t, d.s, name)
	execute(d.t, d.s, "UPDATE users SET created_at = ? WHERE id = ?", created, user.ID)
	execute(d.t, d.s, "DELETE FROM emails")
	return user
}

func (d diary) addRoom(created string) string {
	id := newID()
	execute(
		d.t,
		d.s,
		"INSERT INTO rooms (id, name, visibility, capacity, archived_at, created_at) "+
			"VALUES (?, 'room', 'public', 9, now(), ?)",
		id,
		created,
	)
	return id
}

func (d diary) addStay(room string, user watchparty.User, from, to string) {
	execute(d.t, d.s, "INSERT INTO stays (room_id, user_id, started_at, ended_at) VALUES (?, ?, ?, ?)", room, user.ID,
		from, to)
}

func (d diary) addMessage(room string, user any, at string) {
	execute(d.t, d.s, "INSERT INTO messages (id, room_id, user_id, body, created_at) VALUES (?, ?, ?, 'hello', ?)",
		newID(), room, user, at)
}

func (d diary) addEmail(state, at string) {
	execute(d.t, d.s, `INSERT INTO emails (id, kind, subject_id, state, workflow_id, sent_at, updated_at)
		VALUES (?0, 'welcome', ?0, ?1, '', CASE WHEN ?1 = 'sent' THEN ?2::timestamptz END, ?2)`, newID(), state, at)
}

func (d diary) addInvitation(room, sent, accepted string) {
	execute(d.t, d.s, `INSERT INTO invitations (id, room_id, email, state, expires_at, created_at, answered_at)
		VALUES (?0, ?1, ?0, CASE WHEN ?3 = '' THEN 'expired' ELSE 'accepted' END, now(), ?2, nullif(?3, '')::timestamptz)`, newID(), room, sent, accepted)
}

func (d diary) addAvatar(user watchparty.User, version int, state, published string) {
	execute(d.t, d.s, "INSERT INTO avatars (id, user_id, version, state, published_at) VALUES (?, ?, ?, ?, ?)", newID(),
		user.ID, version, state, published)
}

func (d diary) addRun(finished, counts string, dry bool) {
	execute(d.t, d.s, `INSERT INTO cleanup_runs (id, trigger, policies, state, dry_run, counts, workflow_id, finished_at)
		VALUES (?, 'schedule', '{}', 'completed', ?, ?, '', ?)`, newID(), dry, counts, finished)
}

func (d diary) tallyThrough(through watchparty.Day) {
	for {
		day, err := d.s.UntalliedDay(d.t.Context())
		require.NoError(d.t, err)
		if day > through {
			return
		}
		require.NoError(d.t, d.s.TallyDay(d.t.Context(), day))
	}
}

// setCountedSince sets the day from which on stays are kept.
func (d diary) setCountedSince(day watchparty.Day) {
	execute(d.t, d.s, "UPDATE activity_since SET day = ?", string(day))
}

func (d diary) createReport(every watchparty.ReportPeriod, from, to watchparty.Day) watchparty.ActivityReport {
	id, err := d.s.CreateActivityReport(d.t.Context(), every, from, to)
	require.NoError(d.t, err)
	report, err := d.s.ActivityReport(d.t.Context(), id)
	require.NoError(d.t, err)
	require.Equal(d.t, id, report.ID)
	return report
}

// The week from Monday, 23 February to Sunday, 1 March 2026, worked out by hand.
func writeWeek(t *testing.T, s *Store) diary {
	d := diary{t, s}
	d.setCountedSince("2026-01-01")
	ann, bob := d.addUser("ann", "2026-01-05T00:00:00Z"), d.addUser("bob", "2026-02-20T12:00:00Z")
	cat := d.addUser("cat", "2026-02-23T00:00:00Z") // the first of the week
	dan := d.addUser("dan", "2026-02-25T08:00:00Z")
	d.addUser("fay", "2026-03-01T23:59:59.999999Z") // the last of the week
	d.addUser("eve", "2026-03-02T00:00:00Z")        // the first after it
	old, room := d.addRoom("2026-02-18T10:00:00Z"), d.addRoom("2026-02-23T00:00:00Z")
	d.addRoom("2026-03-02T00:00:00Z")

	// Half an hour of two, a quarter of three, a quarter of two: 60 + 45 + 30 minutes. Half an hour on each side alone.
	d.addStay(room, ann, "2026-02-24T20:00:00Z", "2026-02-24T22:00:00Z")
	d.addStay(room, bob, "2026-02-24T20:30:00Z", "2026-02-24T21:30:00Z")
	d.addStay(room, cat, "2026-02-24T21:00:00Z", "2026-02-24T21:15:00Z")
	// Over midnight: 60 minutes before it, 30 after it.
	d.addStay(room, ann, "2026-02-25T23:30:00Z", "2026-02-26T00:30:00Z")
	d.addStay(room, bob, "2026-02-25T23:00:00Z", "2026-02-26T00:15:00Z")
	// At the same time, in another room: nobody is with them.
	d.addStay(old, dan, "2026-02-26T00:00:00Z", "2026-02-26T01:00:00Z")
	// Until the week begins.
	d.addStay(old, bob, "2026-02-22T23:00:00Z", "2026-02-23T00:00:00Z")
	// One goes when the other comes.
	d.addStay(room, bob, "2026-02-27T11:00:00Z", "2026-02-27T12:00:00Z")
	d.addStay(room, cat, "2026-02-27T12:00:00Z", "2026-02-27T13:00:00Z")
	// Who has not left: ann is there since ten. Five minutes of two.
	execute(t, s, "INSERT INTO participants (room_id, user_id, last_seen_at) VALUES (?, ?, '2026-02-28T10:00:00Z')", old,
		ann.ID)
	for _, seen := range []string{"10:01:30", "10:03:00", "10:04:30", "10:06:00", "10:07:30", "10:09:00", "10:10:30",
		"10:12:00", "10:13:30", "10:15:00", "10:16:30"} {
		execute(t, s, "UPDATE participants SET last_seen_at = ?", "2026-02-28T"+seen+"Z")
	}
	d.addStay(old, cat, "2026-02-28T10:10:00Z", "2026-02-28T10:15:00Z")

	d.addMessage(room, bob.ID, "2026-02-22T23:59:59.999999Z") // the week before
	d.addMessage(room, bob.ID, "2026-02-23T00:00:00Z")
	d.addMessage(room, nil, "2026-02-24T12:00:00Z") // of an account that is gone
	d.addMessage(room, bob.ID, "2026-03-01T23:59:59.999999Z")
	d.addMessage(room, bob.ID, "2026-03-02T00:00:00Z") // the week after
	d.addInvitation(old, "2026-02-20T10:00:00Z", "2026-02-24T10:00:00Z")
	d.addInvitation(room, "2026-02-24T10:00:00Z", "2026-02-27T10:00:00Z")
	d.addInvitation(room, "2026-02-25T10:00:00Z", "")
	execute(t, s, `INSERT INTO invitations (id, room_id, email, state, expires_at, created_at, answered_at)
		VALUES (?0, ?1, 'x@example.org', 'declined', now(), '2025-01-01', '2026-02-24T10:00:00Z')`, newID(), room)
	d.addEmail("sent", "2026-02-24T08:00:01Z")
	d.addEmail("sent", "2026-02-25T08:00:01Z")
	d.addEmail("sent", "2026-03-02T00:00:00Z")
	d.addEmail("failed", "2026-02-26T08:00:00Z")
	d.addEmail("cancelled", "2026-02-26T08:00:00Z")
	d.addAvatar(cat, 1, "superseded", "2026-02-24T08:10:00Z")
	d.addAvatar(cat, 2, "ready", "2026-02-24T08:20:00Z")
	d.addRun("2026-02-26T04:00:00Z", `{"old_messages": 5, "inactive_rooms": 2, "old_emails": 0}`, false)
	d.addRun("2026-02-27T04:00:00Z", `{"old_messages": 4}`, false)
	d.addRun("2026-02-27T05:00:00Z", `{"old_messages": 100}`, true)
	d.addRun("2026-03-02T00:00:00Z", `{"old_messages": 100}`, false)
	return d
}
