package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// columnsOfText says of each column that may hold words whether a deleted account's name can be in it.
var columnsOfText = map[string]string{
	"audit.actor_username": "stays: who did something as an admin is known for good",
	"audit.details": "forgotten in reasons and notes about the account, its rooms, its messages and reports, " +
		"see forgetName; " +
		"reasons and notes about anything else stay, as do notes on schedules; all else are IDs, codes and titles of movies",
	"audit.action":                   "code",
	"audit.target_kind":              "code",
	"audit.outcome":                  "code",
	"bans.reason":                    "forgotten",
	"mutes.reason":                   "forgotten",
	"room_log.details":               "forgotten",
	"room_log.action":                "code",
	"users.username":                 "replaced",
	"users.email":                    "replaced",
	"users.display_name":             "replaced",
	"users.password_hash":            "emptied",
	"users.language":                 "code",
	"users.avatar_files":             "code",
	"sessions.user_agent":            "removed with the account",
	"email_verifications.email":      "removed with the account",
	"email_verifications.email_key":  "removed with the account",
	"users.email_key":                "made anew",
	"invitations.email_key":          "goes with the address",
	"email_verifications.former":     "removed with the account",
	"avatars.state":                  "code",
	"avatars.reason":                 "ours, without names",
	"avatars.step":                   "code",
	"avatars.files":                  "code",
	"invitations.email":              "removed where it is proved to be the account's; others' addresses stay with their room",
	"invitations.state":              "code",
	"messages.body":                  "stays: what others said",
	"rooms.name":                     "stays: the room's",
	"rooms.description":              "stays: the room's",
	"rooms.visibility":               "code",
	"rooms.control":                  "code",
	"rooms.queue":                    "code",
	"rooms.queue_order":              "code",
	"rooms.wait_policy":              "code",
	"playbacks.state":                "code",
	"playbacks.wait_for":             "code",
	"playbacks.cause":                "code",
	"playbacks.recent":               "IDs and digests",
	"queue_items.title":              "removed with the account, unless it plays then; others' titles stay with their room",
	"queue_items.stream_url":         "the same",
	"parties.title":                  "stays: the room's",
	"parties.time_zone":              "code",
	"parties.state":                  "code",
	"party_answers.answer":           "code",
	"party_notices.kind":             "code",
	"subtitles.language":             "code",
	"subtitles.url":                  "no account's",
	"members.role":                   "code",
	"movies.title":                   "no account's",
	"movies.description":             "no account's",
	"movies.genres":                  "no account's",
	"movies.searched_genres":         "no account's",
	"movies.poster_url":              "no account's",
	"movies.stream_url":              "no account's",
	"emails.kind":                    "code",
	"emails.state":                   "code",
	"emails.last_answer":             "without addresses",
	"emails.workflow_id":             "IDs",
	"email_attempts.outcome":         "code",
	"email_attempts.answer":          "without addresses",
	"outbox.workflow_id":             "IDs",
	"outbox.workflow":                "code",
	"outbox.task_queue":              "code",
	"outbox.summary":                 "ours, without names",
	"outbox.input":                   "IDs",
	"outbox.state":                   "code",
	"outbox.last_error":              "Temporal's, about IDs",
	"outbox.signal":                  "code",
	"webhooks.url":                   "stays: an admin's, about no account",
	"webhooks.description":           "stays: an admin's, about no account",
	"webhooks.kinds":                 "code",
	"webhooks.off_reason":            "code",
	"webhook_deliveries.kind":        "code",
	"webhook_deliveries.body":        "IDs and codes",
	"webhook_deliveries.state":       "code",
	"webhook_deliveries.reason":      "code",
	"webhook_deliveries.workflow_id": "IDs",
	"webhook_attempts.outcome":       "code",
	"queue_pauses.queue":             "code",
	"queue_pauses.note":              "stays: an admin's, about a queue",
	"emails.reason":                  "code",
	"email_budgets.budget":           "code",
	"email_budgets.times":            "times",
	"abuse_reports.kind":             "code",
	"abuse_reports.target_kind":      "code",
	"abuse_reports.state":            "code",
	"abuse_reports.outcome":          "code",
	"abuse_reports.body":             "forgotten",
	"cache_changes.tags":             "goes within the hour",
	"abuse_reports.note":             "forgotten",
	"abuse_reports.snapshot":         "goes with the account once the report is resolved: it is evidence until then",
	"cleanup_runs.trigger":           "code",
	"cleanup_runs.policies":          "code",
	"cleanup_runs.state":             "code",
	"outbox.trace_parent":            "IDs",
	"cleanup_runs.counts":            "counts",
	"cleanup_runs.errors":            "ours, without names",
	"cleanup_runs.workflow_id":       "IDs",
	"cleanup_runs.policy":            "code",
	"cleanup_runs.samples":           "IDs",
	"reports.kind":                   "code",
	"reports.data":                   "counts and IDs",
}

func TestDeletionKnowsEveryText(t *testing.T) {
	t.Parallel()
	s := openStore(t)
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
	s := openStore(t)
	host, ada, bob, root := newUser(t, s, "host"), newUser(t, s, "ada.l"), newUser(t, s, "bob"), newAdmin(t, s, "root")
	confirmAddresses(t, s, ada)
	room, elsewhere := newRoom(t, s, host, nil), newRoom(t, s, host, nil)
	joinRoom(t, s, room, ada, bob)
	sanction := func(in watchparty.Room, target watchparty.User, reason string) {
		_, err := s.Mute(t.Context(), in.ID, host.ID, target.Username,
			watchparty.NewMute{Until: Now().Add(watchparty.PresentFor), Reason: reason}, IdempotencyKey{})
		require.NoError(t, err)
		_, err = s.Ban(t.Context(), in.ID, host.ID, target.Username, watchparty.NewBan{Reason: reason}, IdempotencyKey{})
		require.NoError(t, err)
	}
	sanction(room, bob, "Insulted ADA.L, ada.l@example.org, and @ada.l. Not badal or adaXl.")
	sanction(room, ada, "The Augusta")
	sanction(elsewhere, bob, "ada.l is a word here")
	_, err := s.SuspendUser(t.Context(), root.ID, ada.ID, watchparty.Suspension{Reason: "ada.l is loud"})
	require.NoError(t, err)

	err = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username)
	require.NoError(t, err)
	const left = "Insulted Deleted account, Deleted account, and @Deleted account. Not badal or adaXl."
	reasons := func(query, id string) (all []string) {
		require.NoError(t, s.db.NewRaw(query, id).Scan(t.Context(), &all))
		return all
	}
	require.Equal(t, []string{left, left, "", ""},
		reasons("SELECT coalesce(details->>'reason', '') FROM room_log WHERE room_id = ? ORDER BY id", room.ID))
	require.Equal(t, []string{left}, reasons("SELECT reason FROM bans WHERE room_id = ?", room.ID))
	require.Equal(t, []string{left}, reasons("SELECT reason FROM mutes WHERE room_id = ?", room.ID))
	require.Equal(t, []string{"ada.l is a word here"}, reasons("SELECT reason FROM bans WHERE room_id = ?", elsewhere.ID))
	require.Equal(t, []string{""}, reasons("SELECT coalesce(details->>'reason', '') FROM audit WHERE target_id = ?",
		ada.ID))
}

// TestDeletionForgetsTheNameInTheAuditLog: what admins wrote about the account's rooms, its messages and reports on it.
func TestDeletionForgetsTheNameInTheAuditLog(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, ada, bob, root := newUser(t, s, "host"), newUser(t, s, "ada.l"), newUser(t, s, "bob"), newAdmin(t, s, "root")
	name := "Countess (Ada)"
	_, err := s.UpdateProfile(t.Context(), ada.ID, watchparty.ProfileChange{DisplayName: &name})
	require.NoError(t, err)
	room, elsewhere := newRoom(t, s, host, nil), newRoom(t, s, host, nil)
	joinRoom(t, s, room, ada, bob)
	joinRoom(t, s, elsewhere, bob)
	const reason = "ada.l and Countess (Ada) of ada.l@example.org spam, not badal"
	about := watchparty.Moderation{Reason: reason}
	closeRoom := func(room watchparty.Room) {
		about := about
		about.ReportID = newReport(t, s, bob, watchparty.NewAbuseReport{RoomID: room.ID}).ID
		_, err := s.CloseRoom(t.Context(), root.ID, room.ID, about)
		require.NoError(t, err)
		_, err = s.ReopenRoom(t.Context(), root.ID, room.ID, reason)
		require.NoError(t, err)
	}
	removeMessage := func(room watchparty.Room, author watchparty.User) {
		err := s.RemoveMessage(t.Context(), root.ID, postMessage(t, s, room, author, "hello").ID, about)
		require.NoError(t, err)
	}
	resolveReport := func(user watchparty.User) {
		report := newReport(t, s, host, watchparty.NewAbuseReport{Username: user.Username})
		_, err := s.ResolveAbuseReport(t.Context(), root.ID, report.ID,
			watchparty.Resolution{Outcome: watchparty.AbuseActed, Note: reason})
		require.NoError(t, err)
	}
	closeRoom(room)
	removeMessage(room, ada)
	removeMessage(room, bob)
	resolveReport(ada)
	closeRoom(elsewhere)
	removeMessage(elsewhere, bob)
	resolveReport(bob)

	err = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username)
	require.NoError(t, err)
	const left = "Deleted account and Deleted account of Deleted account spam, not badal"
	var notes []string
	require.NoError(t, s.db.NewRaw("SELECT note FROM abuse_reports WHERE note <> '' ORDER BY id").
		Scan(t.Context(), &notes))
	require.Equal(t, []string{left, left, reason, reason}, notes,
		"of the room, the account, another room and another account")
	var texts []string
	require.NoError(t, s.db.NewRaw(`SELECT concat_ws(': ', action, details->>'reason', details->>'note') FROM audit
		WHERE jsonb_exists_any(details, ARRAY['reason', 'note']) ORDER BY id`).Scan(t.Context(), &texts))
	require.Equal(t, []string{
		"room_closed: " + left, "abuse_report_resolved: " + left, "room_reopened: " + left,
		"message_removed: " + left, "message_removed: " + left, "abuse_report_resolved: " + left,
		"room_closed: " + reason, "abuse_report_resolved: " + reason, "room_reopened: " + reason,
		"message_removed: " + reason, "abuse_report_resolved: " + reason,
	}, texts)
	require.Equal(t, []string{"note, outcome", "reason", "reason, room_id"}, keysOfDetails(t, s),
		"all other details stay, and none is added")
}

// keysOfDetails lists the sets of keys that the audit log's details have.
func keysOfDetails(t *testing.T, s *Store) (keys []string) {
	t.Helper()
	require.NoError(
		t,
		s.db.NewRaw(`SELECT DISTINCT (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(details) AS k) AS keys
		FROM audit ORDER BY keys`).Scan(t.Context(), &keys),
	)
	return keys
}

// TestDeletionForgetsTheNameWhereTheAccountWas: also in rooms that it left without a trace but its stay.
func TestDeletionForgetsTheNameWhereTheAccountWas(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, bob := newUser(t, s, "host"), newUser(t, s, "bob")
	for username, c := range map[string]struct{ display, reason, left string }{
		"ada.l": {"The Countess", "the countess, or ADA.L: The Countesses",
			"Deleted account, or Deleted account: The Countesses"},
		"grace":  {"Grace Hopper", "Grace Hopper, Grace", "Deleted account, Deleted account"},
		"edsger": {"Ed", "Ed, also edsger, was rude", "Ed, also Deleted account, was rude"},
		"kim.si": {"김민수", "김민수: spam", "Deleted account: spam"},
		"alan":   {"alan", "alan: spam", "Deleted account: spam"},
	} {
		t.Run(username, func(t *testing.T) {
			user, room := newUser(t, s, username), newRoom(t, s, host, nil)
			_, err := s.UpdateProfile(t.Context(), user.ID, watchparty.ProfileChange{DisplayName: &c.display})
			require.NoError(t, err)
			joinRoom(t, s, room, user)
			require.NoError(t, s.LeaveRoom(t.Context(), room.ID, user.ID))
			_, err = s.Ban(t.Context(), room.ID, host.ID, bob.Username, watchparty.NewBan{Reason: c.reason}, IdempotencyKey{})
			require.NoError(t, err)
			err = s.DeleteAccount(t.Context(), user.ID, "hash of "+username)
			require.NoError(t, err)
			require.Equal(t, c.left, readValue[string](t, s, "SELECT reason FROM bans WHERE room_id = ?", room.ID))
		})
	}
}
