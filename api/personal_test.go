package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/store"
)

// personal says of every column of every table where the export of an account has it, or why it has not. A column that
// is not on it fails the test: put it here with its property of the contract's Export, such as "messages[].body", or
// with "not: " and the reason. A table without anything personal is one line.
var personal = map[string]map[string]string{
	"users": {
		"id":                "account.id",
		"username":          "account.username",
		"email":             "account.email",
		"display_name":      "account.display_name",
		"language":          "account.language",
		"is_admin":          "account.is_admin",
		"email_verified_at": "account.email_verified",
		"avatar_version":    "account.avatar.medium",
		"avatar_files":      "account.avatar.medium",
		"created_at":        "account.created_at",
		"updated_at":        "account.updated_at",
		"password_hash":     "not: a secret that says nothing about its owner",
		"avatar_seq":        "not: counts uploads, which are listed",
		"suspended_at":      "not: whoever is suspended cannot ask; that they were is in account_acts",
		"deleted_at":        "not: whoever is deleted cannot ask",
		"email_key":         "not: made from email",
		"hidden_at":         "not: as suspended_at",
		"search":            "not: made from the names",
		"access_version":    "not: counts ends of sign-ins, which are listed",
	},
	"sessions": {
		"family_id":    "sessions[].id",
		"user_id":      "account.id",
		"user_agent":   "sessions[].user_agent",
		"signed_in_at": "sessions[].signed_in_at",
		"expires_at":   "sessions[].expires_at",
		"revoked_at":   "sessions[].ended_at",
		"created_at":   "sessions[].last_used_at",
		"id":           "not: names one refresh of a sign-in",
		"token_hash":   "not: a secret",
		"rotated_at":   "not: the created_at of the next refresh",
		"updated_at":   "not: one of the other times",
	},
	"email_verifications": {
		"user_id":    "account.id",
		"email":      "addresses[].email",
		"former":     "addresses[].former",
		"expires_at": "addresses[].expires_at",
		"used_at":    "addresses[].used_at",
		"created_at": "addresses[].requested_at",
		"id":         "not: a link's token is derived from it",
		"updated_at": "not: one of the other times",
		"email_key":  "not: made from email",
	},
	"password_resets": {
		"user_id":    "account.id",
		"expires_at": "password_resets[].expires_at",
		"used_at":    "password_resets[].used_at",
		"created_at": "password_resets[].requested_at",
		"id":         "not: a link's token is derived from it",
		"updated_at": "not: one of the other times",
	},
	"emails": {
		"kind":            "emails[].kind",
		"user_id":         "account.id",
		"state":           "emails[].state",
		"attempts":        "emails[].attempts",
		"last_answer":     "emails[].last_answer",
		"sent_at":         "emails[].sent_at",
		"created_at":      "emails[].created_at",
		"id":              "not: names a record of the service's",
		"subject_id":      "not: what it is about is listed itself",
		"reason":          "not: a code for what is in last_answer",
		"waits_until":     "not: of the count of emails",
		"counted_at":      "not: the same",
		"workflow_id":     "not: names a record of the service's",
		"resend_of":       "not: names a record of the service's",
		"updated_at":      "not: one of the other times",
		"recipient_hash":  "not: a keyed hash of the account's address, which is listed itself",
		"next_attempt_at": "not: how the service tries to send it",
		"deadline_at":     "not: the same",
	},
	"email_attempts": {"": "not: how the service tried to send an email; how often, and the last answer, is in emails"},
	"rooms": {
		"id":                "rooms[].id",
		"name":              "rooms[].name",
		"description":       "rooms[].description",
		"movie_id":          "rooms[].movie_id",
		"host_id":           "rooms[].host_id",
		"visibility":        "rooms[].visibility",
		"capacity":          "rooms[].capacity",
		"slow_mode_seconds": "rooms[].slow_mode_seconds",
		"control":           "rooms[].control",
		"queue":             "rooms[].queue",
		"queue_order":       "rooms[].queue_order",
		"wait_policy":       "rooms[].wait_policy",
		"now_playing":       "rooms[].now_playing",
		"access_version":    "not: counts changes, which are in acts",
		"archived_at":       "rooms[].state",
		"created_at":        "rooms[].created_at",
		"updated_at":        "rooms[].updated_at",
		"version":           "not: counts changes, which are in acts",
		"last_active_at":    "not: of all who are in the room",
		"deleted_at":        "not: a deleted room is nobody's",
		"retired_at":        "not: of clean-up",
		"closed_at":         "rooms[].closed",
		"search":            "not: made from name and description",
	},
	"participants": {
		"room_id":       "presence[].room_id",
		"user_id":       "account.id",
		"last_seen_at":  "presence[].last_seen_at",
		"created_at":    "presence[].joined_at",
		"present_since": "presence[].present_since",
		"updated_at":    "not: one of the other times",
	},
	"read_markers": {
		"room_id": "read_markers[].room_id", "user_id": "account.id", "message_id": "read_markers[].message_id",
		"updated_at": "read_markers[].read_at", "created_at": "not: when the first one was set",
	},
	"queue_items": {
		"id":         "queue_items[].id",
		"room_id":    "queue_items[].room_id",
		"movie_id":   "queue_items[].movie_id",
		"title":      "queue_items[].title",
		"stream_url": "queue_items[].stream_url",
		"added_by":   "account.id",
		"created_at": "queue_items[].created_at",
		"rank":       "not: the order of the room's queue",
		"played_at":  "not: when it left the queue to be played",
		"updated_at": "not: one of the other times",
	},
	"queue_votes": {
		"item_id":    "queue_votes[].item_id",
		"room_id":    "queue_votes[].room_id",
		"user_id":    "account.id",
		"created_at": "queue_votes[].created_at",
		"updated_at": "not: when it was given, too",
	},
	"skip_votes":   {"": "not: counts while an item plays, and says nothing afterwards"},
	"playbacks":    {"": "not: what a room watches now; what an account did there is in acts"},
	"live_nodes":   {"": "not: processes of the service"},
	"live_members": {"": "not: connections that are open now; presence has when the account was last seen"},
	"subtitles":    {"": "not: the catalogue"},
	"stays": {
		"room_id":    "stays[].room_id",
		"user_id":    "account.id",
		"started_at": "stays[].started_at",
		"ended_at":   "stays[].ended_at",
		"id":         "not: counts rows",
		"created_at": "not: when the row was written",
	},
	"active_users": {"day": "active_days[]", "user_id": "account.id", "since": "account.created_at"},
	"members": {
		"room_id":    "memberships[].room_id",
		"user_id":    "account.id",
		"role":       "memberships[].role",
		"created_at": "memberships[].since",
		"updated_at": "not: one of the acts' times",
	},
	"bans":  sanctions("bans", "banned_by"),
	"mutes": sanctions("mutes", "muted_by"),
	"room_log": {
		"room_id":    "acts[].room_id",
		"actor_id":   "account.id",
		"target_id":  "acts[].user_id",
		"action":     "received_acts[].action",
		"details":    "received_acts[].details.reason",
		"created_at": "acts[].created_at",
		"id":         "not: orders rows",
		"updated_at": "not: nobody changes a line but a deletion",
	},
	"invitations": {
		"id":          "invitations[].id",
		"room_id":     "received_invitations[].room_id",
		"inviter_id":  "invitations[].inviter.id",
		"user_id":     "accepted_invitations[].room_id",
		"email":       "invitations[].email",
		"state":       "received_invitations[].state",
		"expires_at":  "invitations[].expires_at",
		"answered_at": "accepted_invitations[].answered_at",
		"created_at":  "received_invitations[].created_at",
		"email_key":   "not: made from email",
		"updated_at":  "not: one of the other times",
	},
	"invitation_optouts": {
		"id":           "not: orders rows",
		"address_hash": "invitations_refused",
		"email_hash":   "not: of former versions",
		"created_at":   "not: found by the address only",
		"updated_at":   "not: the same",
	},
	"messages": {
		"id":          "messages[].id",
		"room_id":     "messages[].room_id",
		"user_id":     "account.id",
		"body":        "messages[].body",
		"reply_to_id": "messages[].reply_to_id",
		"edited_at":   "messages[].edited_at",
		"deleted_at":  "messages[].deleted",
		"created_at":  "messages[].created_at",
		"updated_at":  "not: one of the other times",
	},
	"avatars": {
		"user_id":      "account.id",
		"version":      "avatars[].version",
		"state":        "avatars[].status",
		"reason":       "avatars[].reason",
		"published_at": "avatars[].published_at",
		"created_at":   "avatars[].created_at",
		"id":           "not: orders rows",
		"step":         "not: how far it is while it is processed",
		"files":        "account.avatar.medium",
		"updated_at":   "not: one of the other times",
	},
	"audit": {
		"actor_id":       "account.id",
		"actor_username": "account.username",
		"action":         "admin_acts[].action",
		"target_kind":    "admin_acts[].target_kind",
		"target_id":      "admin_acts[].target_id",
		"details":        "account_acts[].details.reason",
		"outcome":        "admin_acts[].outcome",
		"created_at":     "account_acts[].created_at",
		"id":             "not: orders rows",
		"updated_at":     "not: when the outcome was noted",
	},
	"known_clients": {"": "not: keyed hashes, from which nobody can be found; sign-ins are listed"},
	"email_budgets": {"": "not: counts under keyed hashes"},
	"abuse_reports": {
		"id":          "abuse_reports[].id",
		"kind":        "abuse_reports[].kind",
		"target_kind": "abuse_reports[].target.kind",
		"target_id":   "abuse_reports[].target.id",
		"body":        "abuse_reports[].text",
		"reporter_id": "account.id",
		"created_at":  "abuse_reports[].created_at",
		"subject_id":  "not: what others report is theirs",
		"room_id":     "not: of the target",
		"snapshot":    "not: evidence for admins",
		"state":       "not: of the admins' work",
		"outcome":     "not: the same",
		"note":        "not: the same",
		"resolved_at": "not: the same",
		"updated_at":  "not: one of the other times",
	},
	"cleanup_runs":       {"": "not: of the service; that an admin started one is in admin_acts"},
	"reports":            {"": "not: counts"},
	"report_mails":       {"": "not: to addresses of the settings, by their hash"},
	"outbox":             {"": "not: work that is to be begun, by IDs of what is listed itself"},
	"cache_changes":      {"": "not: for some minutes, that something about an ID or a username has changed"},
	"cache_members":      {"": "not: the processes of this service"},
	"cache_horizon":      {"": "not: no person"},
	"idempotency_keys":   {"": "not: keyed hashes of requests, from which nobody can be found"},
	"mail_pauses":        {"": "not: nothing personal"},
	"queue_pauses":       {"": "not: nothing personal; that an admin paused work is in admin_acts"},
	"webhooks":           {"": "not: nothing personal; that an admin changed one is in admin_acts"},
	"webhook_attempts":   {"": "not: nothing personal"},
	"webhook_deliveries": {"": "not: for some weeks, IDs and codes of what is listed itself"},
	"movies":             {"": "not: the catalogue; that an admin changed it is in admin_acts"},
	"activity_days":      {"": "not: counts"},
	"parties": {
		"id": "parties[].id", "room_id": "parties[].room_id", "title": "parties[].title", "movie_id": "parties[].movie_id",
		"starts_at": "parties[].starts_at", "time_zone": "parties[].time_zone", "state": "parties[].state",
		"scheduled_by": "account.id", "created_at": "parties[].created_at",
		"version": "not: of the room's party", "moves": "not: of the room's party",
		"ended_at":   "not: of the room's party",
		"updated_at": "not: when anybody changed it, which is in acts if the account did",
	},
	"party_answers": {
		"party_id": "party_answers[].party_id", "room_id": "party_answers[].room_id", "user_id": "account.id",
		"answer": "party_answers[].answer", "created_at": "party_answers[].created_at",
		"updated_at": "not: when it last changed",
	},
	"party_notices":  {"": "not: which emails were sent about a party is in emails"},
	"activity_since": {"": "not: nothing personal"},
}

func sanctions(kind, by string) map[string]string {
	return map[string]string{
		"room_id":    "received_" + kind + "[].room_id",
		"user_id":    kind + "[].user_id",
		by:           "account.id",
		"reason":     "received_" + kind + "[].reason",
		"until":      kind + "[].until",
		"created_at": "received_" + kind + "[].created_at",
		"id":         "not: orders rows",
		"updated_at": "not: when it was lifted, which is in received_acts",
	}
}

// holds reports whether a document has something at the path, in one element at least of each list on the way.
func holds(v any, path string) bool {
	if path == "" {
		return v != nil && v != ""
	}
	name, rest, _ := strings.Cut(path, ".")
	name, isList := strings.CutSuffix(name, "[]")
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	if !isList {
		return holds(object[name], rest)
	}
	elements, _ := object[name].([]any)
	for _, element := range elements {
		if holds(element, rest) {
			return true
		}
	}
	return false
}

// TestExportHasEverything compares the database's columns with the list, and the list with the export of an account
// that has something in each.
func TestExportHasEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var columns []struct {
		TableName, ColumnName string
	}
	require.NoError(t, b.store.DB().NewRaw(`SELECT c.table_name, c.column_name FROM information_schema.columns AS c
		JOIN information_schema.tables AS t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
			AND c.table_name NOT LIKE '%migration%'`).Scan(t.Context(), &columns))
	require.NotEmpty(t, columns)
	known := map[string]bool{}
	for _, c := range columns {
		table := personal[c.TableName]
		if table[""] == "" {
			require.NotEmpty(
				t,
				table[c.ColumnName],
				"%s.%s: does it belong into the export? Add it to personal",
				c.TableName,
				c.ColumnName,
			)
		}
		known[c.TableName], known[c.TableName+"."+c.ColumnName] = true, true
	}
	const bobsAddress = "bob@example.org"
	document := b.do(t, "GET", "/users/me/export", b.storied(t).token, nil)
	require.Equal(t, 200, document.status, document)
	for table, columns := range personal {
		require.True(t, known[table], "%s is not in the database any more", table)
		for column, path := range columns {
			require.True(t, column == "" || known[table+"."+column], "%s.%s is not in the database any more", table, column)
			if reason, not := strings.CutPrefix(path, "not: "); not {
				require.NotEmpty(t, reason)
				continue
			}
			require.NotEmpty(t, column)
			require.True(t, holds(any(document.data()), path), "%s.%s: the export has nothing at %s", table, column, path)
		}
	}
	for _, secret := range []string{bobsAddress, `"root"`} {
		require.NotContains(t, string(document.raw), secret, "what is others'")
	}
}

// storied is an account of which there is something in every column that an account has to do with.
func (b *bundle) storied(t *testing.T) person {
	t.Helper()
	alice, bob, root := b.user(t, "alice"), b.user(t, "bob"), b.admin(t, "root")
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	hosted := b.room(t, alice, map[string]any{"movie_id": b.addMovie(t, "Metropolis"), "description": "Bring tea."})
	visited, strict := b.room(t, bob, map[string]any{"visibility": "private"}), b.room(t, bob, nil)
	b.join(t, hosted, bob)
	b.join(t, strict, alice)

	_, token := b.invite(t, visited, bob, alice.email)
	require.Equal(t, 200, b.acceptInvitation(t, alice, token).status)
	b.invite(t, hosted, alice, "guest@example.org")
	require.NoError(
		t, b.store.OptOut(t.Context(), value1[string](t, b, "SELECT id FROM invitations WHERE user_id = ?", alice.id)),
	)

	report := map[string]any{"kind": "spam", "username": bob.name, "text": "Too loud"}
	require.Equal(t, 201, b.do(t, "POST", "/abuse-reports", alice.token, report).status)
	item := b.queue(t, hosted, alice, "Nosferatu")
	require.Equal(t, 204, b.do(t, "PUT", "/rooms/"+hosted+"/queue/"+item+"/vote", alice.token, nil).status)
	party := b.party(t, hosted, alice, 1)
	require.Equal(t, 204, b.do(t, "PUT", "/parties/"+party+"/answer", alice.token, map[string]any{"answer": "yes"}).status)
	streamed := b.addMovie(t, "Faust")
	b.exec(t, "UPDATE movies SET stream_url = 'https://movies.example/faust.webm' WHERE id = ?", streamed)
	b.exec(t, "UPDATE parties SET movie_id = ? WHERE id = ?", streamed, party)
	added := b.do(t, "POST", "/rooms/"+hosted+"/queue", alice.token, map[string]any{"movie_id": streamed})
	require.Equal(t, 201, added.status, added)
	first := b.post(t, hosted, alice, "First!")
	second := b.do(t, "POST", "/chat/messages", alice.token,
		map[string]any{"room_id": hosted, "body": "Second", "reply_to_id": first}).data()["id"].(string)
	require.Equal(
		t, 204, b.do(t, "PUT", "/rooms/"+hosted+"/read", alice.token, map[string]any{"message_id": second}).status,
	)
	require.Equal(
		t, 200, b.do(t, "PATCH", "/chat/messages/"+second, alice.token, map[string]any{"body": "Second."}).status,
	)

	for _, c := range []struct {
		actor, target person
		room          string
	}{{alice, bob, hosted}, {bob, alice, strict}} {
		for _, kind := range []string{"mutes", "bans"} {
			a := b.do(t, "POST", "/rooms/"+c.room+"/"+kind, c.actor.token,
				map[string]any{"username": c.target.name, "until": later, "reason": "Too loud"})
			require.Equal(t, 201, a.status, a)
		}
	}
	_, err := b.store.SuspendUser(t.Context(), root.id, alice.id, watchparty.Suspension{Reason: "A mistake"})
	require.NoError(t, err)
	_, err = b.store.ReinstateUser(t.Context(), root.id, alice.id)
	require.NoError(t, err)
	b.exec(t, "UPDATE users SET is_admin = true WHERE id = ?", alice.id)
	require.NoError(t, b.store.PauseEmails(t.Context(), alice.id))

	require.NoError(t, b.store.RequestReset(t.Context(), alice.email, store.IdempotencyKey{}))
	b.exec(t, "UPDATE password_resets SET used_at = now()")
	require.NoError(t, b.store.RequestEmailChange(t.Context(), alice.id, "none", "new@example.org"))
	require.NoError(
		t,
		b.store.VerifyEmail(
			t.Context(), value1[string](t, b, "SELECT id FROM email_verifications WHERE email = 'new@example.org'"),
		),
	)
	b.exec(t, `INSERT INTO invitations (id, room_id, email, email_key, expires_at)
		VALUES (?, ?, 'new@example.org', 'new@example.org', now() + interval '1 h')`, unknownID, strict)
	require.NoError(t, b.store.OptOut(t.Context(), unknownID))
	b.exec(t, "UPDATE emails SET state = 'sent', sent_at = now(), last_answer = '451 later' WHERE user_id = ?", alice.id)

	b.exec(t, "UPDATE users SET avatar_seq = 1, avatar_version = 1, avatar_files = '{medium.webp}' WHERE id = ?", alice.id)
	b.exec(
		t,
		"INSERT INTO avatars (id, user_id, version, state, reason, published_at) "+
			"VALUES (?, ?, 1, 'ready', 'Too small', now())",
		uuid.NewString(),
		alice.id,
	)
	b.exec(t, "INSERT INTO active_users (day, user_id, since) VALUES (now(), ?, now())", alice.id)

	refresh := uuid.NewString()
	alice.session = b.signIn(t, alice.id, refresh)
	b.exec(t, "UPDATE sessions SET user_agent = 'A browser' WHERE user_id = ?", alice.id)
	alice.token, err = b.server.tokens.Access(
		auth.Identity{UserID: alice.id, Username: "alice", SessionID: alice.session}, time.Now(), b.server.tokens.TTL(),
	)
	require.NoError(t, err)
	return alice
}
