package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// columnsOfText says of each column that may hold words whether a deleted account's name can be in it.
var columnsOfText = map[string]string{
	"audit.actor_username": "stays: who did something as an admin is known for good", "audit.details": "reasons go, see forgetName; all else are IDs and notes on schedules",
	"audit.action": "code", "audit.target_kind": "code", "audit.outcome": "code",
	"bans.reason": "forgotten", "mutes.reason": "forgotten", "room_log.details": "forgotten", "room_log.action": "code",
	"users.username": "replaced", "users.email": "replaced", "users.display_name": "replaced", "users.password_hash": "emptied", "users.language": "code",
	"users.avatar_files": "code", "sessions.user_agent": "removed with the account", "email_verifications.email": "removed with the account", "email_verifications.email_key": "removed with the account",
	"users.email_key": "made anew", "invitations.email_key": "goes with the address",
	"email_verifications.former": "removed with the account", "avatars.state": "code", "avatars.reason": "ours, without names", "avatars.step": "code",
	"avatars.files": "code", "invitations.email": "removed where it is proved to be the account's; others' addresses stay with their room",
	"invitations.state": "code", "messages.body": "stays: what others said", "rooms.name": "stays: the room's", "rooms.description": "stays: the room's",
	"rooms.visibility": "code", "members.role": "code", "movies.title": "no account's", "movies.description": "no account's", "movies.genres": "no account's", "movies.searched_genres": "no account's",
	"movies.poster_url": "no account's", "movies.stream_url": "no account's",
	"emails.kind": "code", "emails.state": "code", "emails.last_answer": "without addresses", "emails.workflow_id": "IDs",
	"email_attempts.outcome": "code", "email_attempts.answer": "without addresses",
	"outbox.workflow_id": "IDs", "outbox.workflow": "code", "outbox.task_queue": "code", "outbox.summary": "ours, without names", "outbox.input": "IDs",
	"outbox.state": "code", "outbox.last_error": "Temporal's, about IDs", "outbox.signal": "code",
	"emails.reason": "code", "email_budgets.budget": "code", "email_budgets.times": "times",
	"abuse_reports.kind": "code", "abuse_reports.target_kind": "code", "abuse_reports.state": "code", "abuse_reports.outcome": "code",
	"abuse_reports.body": "stays: what others said, until it goes by its age", "abuse_reports.note": "stays: what admins said, until it goes by its age",
	"abuse_reports.snapshot": "goes with the account once the report is resolved: it is evidence until then",
	"cleanup_runs.trigger":   "code", "cleanup_runs.policies": "code", "cleanup_runs.state": "code", "cleanup_runs.counts": "counts", "cleanup_runs.errors": "ours, without names",
	"cleanup_runs.workflow_id": "IDs", "cleanup_runs.policy": "code", "cleanup_runs.samples": "IDs", "reports.kind": "code", "reports.data": "counts and IDs",
}

func TestDeletionKnowsEveryText(t *testing.T) {
	t.Parallel()
	s := open(t)
	var columns []string
	require.NoError(t, s.db.NewRaw(`SELECT c.table_name || '.' || c.column_name FROM information_schema.columns AS c
		JOIN information_schema.tables AS t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE '%migration%'
			AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'USER-DEFINED')`).Scan(t.Context(), &columns))
	require.NotEmpty(t, columns)
	for _, column := range columns {
		require.Contains(t, columnsOfText, column, "can it hold the name of an account that is deleted?")
	}
}

func TestDeletionForgetsTheName(t *testing.T) {
	t.Parallel()
	s := open(t)
	host, ada, bob, root := newUser(t, s, "host"), newUser(t, s, "ada.l"), newUser(t, s, "bob"), newUser(t, s, "root")
	confirmed(t, s, ada)
	room, elsewhere := newRoom(t, s, host, nil), newRoom(t, s, host, nil)
	join(t, s, room, ada, bob)
	sanction := func(in watchparty.Room, target watchparty.User, reason string) {
		_, err := s.Mute(t.Context(), in.ID, host.ID, target.Username, watchparty.NewMute{Until: now().Add(watchparty.PresentFor), Reason: reason}, Once{})
		require.NoError(t, err)
		_, err = s.Ban(t.Context(), in.ID, host.ID, target.Username, watchparty.NewBan{Reason: reason}, Once{})
		require.NoError(t, err)
	}
	sanction(room, bob, "Insulted ADA.L, ada.l@example.org, and @ada.l. Not badal or adaXl.")
	sanction(room, ada, "The Augusta")
	sanction(elsewhere, bob, "ada.l is a word here")
	_, err := s.SuspendUser(t.Context(), root.ID, ada.ID, watchparty.Suspension{Reason: "ada.l is loud"})
	require.NoError(t, err)

	_, err = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username)
	require.NoError(t, err)
	const left = "Insulted Deleted account, Deleted account, and @Deleted account. Not badal or adaXl."
	reasons := func(query, id string) (all []string) {
		require.NoError(t, s.db.NewRaw(query, id).Scan(t.Context(), &all))
		return all
	}
	require.Equal(t, []string{left, left, "", ""}, reasons("SELECT coalesce(details->>'reason', '') FROM room_log WHERE room_id = ? ORDER BY id", room.ID))
	require.Equal(t, []string{left}, reasons("SELECT reason FROM bans WHERE room_id = ?", room.ID))
	require.Equal(t, []string{left}, reasons("SELECT reason FROM mutes WHERE room_id = ?", room.ID))
	require.Equal(t, []string{"ada.l is a word here"}, reasons("SELECT reason FROM bans WHERE room_id = ?", elsewhere.ID))
	require.Equal(t, []string{""}, reasons("SELECT coalesce(details->>'reason', '') FROM audit WHERE target_id = ?", ada.ID))
}
