package api

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// listed is one list of the contract in a test: what is in it, and how a row of it goes.
type listed struct {
	path   string // with its filters
	cursor string // the parameter; "cursor" unless set
	token  string
	id     func(item map[string]any) string // "id" of the item unless set
	gone   map[string]string                // what happened to the row, and the statement with its ID that does it
	tag    string                           // of its cached pages
	// other is the same list for somebody, something or with filters else; empty for a list that is always the same.
	other string
}

// pagedOperations are all of the contract's that take a cursor, each with the parameters that do.
func pagedOperations() map[string][]string {
	paged := map[string][]string{}
	for id, op := range operations() {
		for _, p := range op.Parameters {
			if p.Value.In == "query" && p.Value.Schema.Ref == "#/components/schemas/Cursor" {
				paged[id] = append(paged[id], p.Value.Name)
			}
		}
	}
	return paged
}

const rowsOfList = 24 // two departures of 10 rows and some

// lists fills every list with rowsOfList rows at least.
func lists(t *testing.T, b *bundle) map[string]listed {
	t.Helper()
	host, admin, other := b.user(t, "host"), b.admin(t, "root"), b.user(t, "other")
	room, elsewhere := b.room(t, host, nil), b.room(t, host, nil)
	many := func(statement string, args ...any) {
		t.Helper()
		for range rowsOfList {
			b.exec(t, statement, append([]any{uuid.Must(uuid.NewV7()).String()}, args...)...)
		}
	}
	many("INSERT INTO movies (id, title, year, runtime_minutes) VALUES (?0, ?0, 1927, 90)")
	for range 3 { // as many lists have them
		many("INSERT INTO rooms (id, name, visibility, capacity, host_id) VALUES (?, 'room', 'public', 9, ?)", host.id)
	}
	// Pairs were archived at one moment.
	many(`INSERT INTO rooms (id, name, visibility, capacity, archived_at, retired_at) SELECT ?, 'room', 'public', 9, now(),
		date_trunc('second', now()) + (123456 + count(*) / 2) * interval '1 us' FROM rooms WHERE retired_at IS NOT NULL`)
	many("INSERT INTO messages (id, room_id, user_id, body) VALUES (?, ?, ?, 'hello')", room, host.id)
	edited := b.room(t, host, nil)
	// Pairs were edited at one moment.
	many(`INSERT INTO messages (id, room_id, user_id, body, edited_at, updated_at) SELECT ?0, ?1, ?2, 'hello', now(),
		date_trunc('second', now()) + (123456 + count(*) / 2) * interval '1 us' FROM messages
			WHERE room_id = ?1`, edited, host.id)
	many(`INSERT INTO cleanup_runs (id, trigger, policies, state, workflow_id, created_at)
		SELECT ?, 'schedule', '{}', 'completed', '', now() - count(*) / 2 * interval '1 us' FROM cleanup_runs`)
	many(`INSERT INTO reports (id, kind, period_start, period_end, data, run_id)
		SELECT ?, 'cleanup', now(), now(), '{"trigger": "schedule", "dry_run": false, "policies": [], "state": "completed",
			"counts": {}, "errors": {}, "samples": {}, "older_than_seconds": null}', id
		FROM cleanup_runs AS c WHERE NOT EXISTS (SELECT FROM reports WHERE run_id = c.id) LIMIT 1`)
	many(
		"INSERT INTO users (id, username, email, display_name, password_hash) " +
			"VALUES (?0, left(?0, 8) || right(?0, 12), ?0, 'x', '')",
	)
	b.exec(t, "UPDATE users SET is_admin = true WHERE email = id::text")
	many("INSERT INTO abuse_reports (id, kind, target_kind, target_id, subject_id) VALUES (?0, 'spam', 'user', ?1, ?1)",
		other.id)
	many("INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state) " +
		"VALUES (?0, ?0, 'Cleanup', 'maintenance', '{}', 'abandoned')")
	many("INSERT INTO audit (id, action, target_kind, target_id) VALUES (?0, 'user_suspended', 'user', ?0)")
	hook := b.webhook(t, admin)
	many("INSERT INTO webhooks (id, url, kinds, secret) VALUES (?, 'https://hooks.example', '{cleanup.ended}', '')")
	many("INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, state, deadline_at, workflow_id) "+
		"VALUES (?0, ?1, ?0, 'cleanup.ended', '{}', 'failed', now(), '')", hook)
	many("INSERT INTO emails (id, kind, subject_id, workflow_id) VALUES (?0, 'welcome', ?0, '')")
	many(
		"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) "+
			"VALUES (?0, ?1, ?2, ?0, now() + interval '7 d')",
		room,
		host.id,
	)
	many("INSERT INTO room_log (id, room_id, action) VALUES (?, ?, 'kicked')", room)
	many(
		"INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at) "+
			"VALUES (?0, ?0, ?1, convert_to(?0, 'UTF8'), now() + interval '1 d')",
		host.id,
	)
	const someone = "(SELECT id FROM users AS u WHERE u.email = u.id::text AND NOT EXISTS (SELECT FROM ? " +
		"WHERE user_id = u.id) LIMIT 1)"
	many("INSERT INTO bans (id, room_id, user_id) VALUES (?, ?, "+strings.Replace(someone, "?", "bans", 1)+")", room)
	many(
		"INSERT INTO mutes (id, room_id, user_id, until) VALUES (?, ?, "+strings.Replace(
			someone, "?", "mutes", 1,
		)+", now() + interval '1 d')",
		room,
	)

	many("INSERT INTO parties (id, room_id, starts_at, time_zone) SELECT ?0, ?1, date_trunc('second', now()) + "+
		"interval '1 d' + (123456 + count(*) / 2) * interval '1 us', 'UTC' FROM parties", elsewhere)
	party := b.party(t, room, host, 1)
	many("INSERT INTO party_answers (party_id, room_id, user_id, answer, created_at) SELECT ?1, ?2, u.id, 'yes', "+
		"date_trunc('second', now()) + (count(*) OVER () / 2) * interval '1 us' FROM users AS u WHERE u.email = u.id::text "+
		"AND ?0 <> '' AND NOT EXISTS (SELECT FROM party_answers WHERE user_id = u.id) LIMIT 1", party, room)
	invited := b.user(t, "invited")
	many(
		`INSERT INTO invitations (id, room_id, inviter_id, email, email_key, expires_at)
			SELECT ?0, r.id, r.host_id, u.email, u.email_key,
		now() + interval '7 d' FROM rooms AS r, users AS u WHERE r.host_id = ?1 AND r.archived_at IS NULL AND u.id = ?2
			AND NOT EXISTS (SELECT FROM invitations WHERE room_id = r.id AND email_key = u.email_key) LIMIT 1`,
		host.id,
		invited.id,
	)

	for name, share := range map[string]int{"first": 1, "second": 2, "third": 5} { // one to three people in each room
		b.exec(
			t,
			`INSERT INTO participants (room_id, user_id) SELECT id, ?0 FROM (SELECT id, row_number() OVER (ORDER BY id) AS n
			FROM rooms WHERE visibility = 'public' AND archived_at IS NULL) AS r WHERE n % ?1 = 0`,
			b.user(t, name).id,
			share,
		)
	}
	deleted := func(table string) string { return "DELETE FROM " + table + " WHERE id = ?" }
	inRoom := func(item map[string]any) string { return item["room"].(map[string]any)["id"].(string) }
	messages := func(cursor string) listed {
		return listed{
			path:   "/chat/messages?room_id=" + room,
			other:  "/chat/messages?room_id=" + elsewhere,
			cursor: cursor,
			token:  host.token,
			tag:    coherence.TagMessages(room),
			gone: map[string]string{
				"taken back": "UPDATE messages SET deleted_at = now(), body = '' WHERE id = ?",
				"cleaned up": deleted("messages"),
			},
		}
	}
	return map[string]listed{
		"listMovies": {path: "/movies?", other: "/movies?genre=drama", tag: coherence.TagMovies, gone: map[string]string{
			"archived": "UPDATE movies SET archived_at = now() WHERE id = ?", "deleted": deleted("movies"),
		}},
		"listRooms": {path: "/rooms?available=true", other: "/rooms?", tag: coherence.TagRooms, gone: map[string]string{
			"private":  "UPDATE rooms SET visibility = 'private' WHERE id = ?",
			"archived": "UPDATE rooms SET archived_at = now() WHERE id = ?",
		}},
		"listRooms active": {
			path:  "/rooms?sort=active",
			other: "/rooms?sort=active&available=true",
			tag:   coherence.TagRooms,
			gone: map[string]string{
				"private":      "UPDATE rooms SET visibility = 'private' WHERE id = ?",
				"archived":     "UPDATE rooms SET archived_at = now() WHERE id = ?",
				"active again": "UPDATE rooms SET last_active_at = now() WHERE id = ?",
			},
		},
		"listRooms people": {
			path:  "/rooms?sort=people",
			other: "/rooms?sort=people&available=true",
			tag:   coherence.TagRooms,
			gone: map[string]string{
				"private":           "UPDATE rooms SET visibility = 'private' WHERE id = ?",
				"archived":          "UPDATE rooms SET archived_at = now() WHERE id = ?",
				"left by everybody": "DELETE FROM participants WHERE room_id = ?",
			},
		},
		"listMyRooms": {
			path:  "/users/me/rooms?state=open",
			other: "/users/me/rooms?state=archived",
			token: host.token,
			id:    inRoom,
			gone: map[string]string{
				"archived":        "UPDATE rooms SET archived_at = now() WHERE id = ?",
				"of another host": "UPDATE rooms SET host_id = '" + other.id + "' WHERE id = ?",
			},
		},
		"listMessages before": messages("before"),
		"listMessages after":  messages("after"),
		"listMessages updated_after": {
			path:   "/chat/messages?room_id=" + edited,
			other:  "/chat/messages?room_id=" + elsewhere,
			cursor: "updated_after",
			token:  host.token,
			tag:    coherence.TagMessages(edited),
			gone:   map[string]string{"cleaned up": deleted("messages")},
		},
		"listRetiredRooms": {path: "/admin/rooms/retired?", token: admin.token, gone: map[string]string{
			"restored":       "UPDATE rooms SET archived_at = NULL, host_id = '" + host.id + "' WHERE id = ?",
			"archived later": "UPDATE rooms SET retired_at = now() WHERE id = ?",
		}},
		"listCleanupRuns": {
			path:  "/admin/cleanup/runs?",
			token: admin.token,
			gone:  map[string]string{"deleted": deleted("cleanup_runs")},
		},
		"listActivityReports": {
			path:  "/admin/reports?kind=cleanup",
			other: "/admin/reports?",
			token: admin.token,
			gone:  map[string]string{"deleted": deleted("reports")},
		},
		"listOutboxEvents": {
			path:  "/admin/outbox/events?state=abandoned",
			other: "/admin/outbox/events?",
			token: admin.token,
			gone: map[string]string{
				"requeued": "UPDATE outbox SET state = 'pending' WHERE id = ?", "deleted": deleted("outbox"),
			},
		},
		"listUsers": {path: "/admin/users?state=active", other: "/admin/users?", token: admin.token, gone: map[string]string{
			"suspended": "UPDATE users SET suspended_at = now() WHERE id = ?",
			"deleted":   "UPDATE users SET deleted_at = now() WHERE id = ?",
		}},
		"listAdmins": {path: "/admin/admins?", token: admin.token, gone: map[string]string{
			"revoked": "UPDATE users SET is_admin = false WHERE id = ?",
			"deleted": "UPDATE users SET deleted_at = now() WHERE id = ?",
		}},
		"adminListRooms": {
			path:  "/admin/rooms?state=open",
			other: "/admin/rooms?",
			token: admin.token,
			id:    inRoom,
			gone: map[string]string{
				"archived": "UPDATE rooms SET archived_at = now() WHERE id = ?",
				"deleted":  "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id = ?",
			},
		},
		"adminListMessages": {
			path: "/admin/rooms/" + room + "/messages?", other: "/admin/rooms/" + elsewhere + "/messages?", token: admin.token,
			id:   func(item map[string]any) string { return item["message"].(map[string]any)["id"].(string) },
			gone: map[string]string{"cleaned up": deleted("messages")},
		},
		"listAbuseReports": {
			path:  "/admin/abuse-reports?state=open",
			other: "/admin/abuse-reports?",
			token: admin.token,
			gone: map[string]string{
				"resolved": "UPDATE abuse_reports SET state = 'resolved', outcome = 'acted', resolved_at = now() WHERE id = ?",
				"deleted":  deleted("abuse_reports"),
			},
		},
		"listAuditLog": {
			path:  "/admin/audit?action=user_suspended",
			other: "/admin/audit?",
			token: admin.token,
			gone:  map[string]string{"deleted": deleted("audit")},
		},
		"listEmails": {
			path:  "/admin/emails?state=queued",
			other: "/admin/emails?state=sent",
			token: admin.token,
			gone: map[string]string{
				"sent": "UPDATE emails SET state = 'sent' WHERE id = ?", "deleted": deleted("emails"),
			},
		},
		"listWebhooks": {path: "/admin/webhooks?", token: admin.token, gone: map[string]string{
			"removed": "UPDATE webhooks SET deleted_at = now() WHERE id = ?",
		}},
		"listWebhookDeliveries": {
			path:  "/admin/webhooks/" + hook + "/deliveries?state=failed",
			other: "/admin/webhooks/" + hook + "/deliveries?",
			token: admin.token,
			gone: map[string]string{
				"begun anew": "UPDATE webhook_deliveries SET state = 'pending' WHERE id = ?",
				"cleaned up": deleted("webhook_deliveries"),
			},
		},
		"listMyParties": {
			path: "/users/me/parties?", token: host.token,
			gone: map[string]string{
				"cancelled":  "UPDATE parties SET state = 'cancelled', ended_at = now() WHERE id = ?",
				"cleaned up": deleted("parties"),
			},
		},
		"listPartyAnswers": {
			path: "/parties/" + party + "/answers?answer=yes", other: "/parties/" + party + "/answers?", token: host.token,
			id: personID,
			gone: map[string]string{
				"other answer": "UPDATE party_answers SET answer = 'no' WHERE user_id = ?",
				"kicked":       "DELETE FROM party_answers WHERE user_id = ?",
			},
		},
		"listInvitations": {
			path:  "/rooms/" + room + "/invitations?state=open",
			other: "/rooms/" + elsewhere + "/invitations?state=open",
			token: host.token,
			gone: map[string]string{
				"expired":  "UPDATE invitations SET expires_at = now() WHERE id = ?",
				"declined": "UPDATE invitations SET state = 'declined' WHERE id = ?",
			},
		},
		"listMyInvitations": {path: "/users/me/invitations?", token: invited.token, gone: map[string]string{
			"expired":  "UPDATE invitations SET expires_at = now() WHERE id = ?",
			"accepted": "UPDATE invitations SET state = 'accepted' WHERE id = ?",
		}},
		"listRoomLog": {
			path:  "/rooms/" + room + "/log?",
			other: "/rooms/" + elsewhere + "/log?",
			token: host.token,
			gone:  map[string]string{"deleted": deleted("room_log")},
		},
		"listSessions": {path: "/users/me/sessions?", token: host.token, gone: map[string]string{
			"signed out": "UPDATE sessions SET revoked_at = now() WHERE id = ?",
			"expired":    "UPDATE sessions SET expires_at = now() WHERE id = ?",
		}},
		"listUserSessions": {
			path:  "/admin/users/" + host.id + "/sessions?",
			token: admin.token,
			gone:  map[string]string{"signed out": "UPDATE sessions SET revoked_at = now() WHERE id = ?"},
		},
		"listBans": {
			path:  "/rooms/" + room + "/bans?",
			other: "/rooms/" + elsewhere + "/bans?",
			token: host.token,
			id:    personID,
			gone: map[string]string{
				"lifted": "DELETE FROM bans WHERE user_id = ?", "over": "UPDATE bans SET until = now() WHERE user_id = ?",
			},
		},
		"listMutes": {
			path:  "/rooms/" + room + "/mutes?",
			other: "/rooms/" + elsewhere + "/mutes?",
			token: host.token,
			id:    personID,
			gone: map[string]string{
				"lifted": "DELETE FROM mutes WHERE user_id = ?", "over": "UPDATE mutes SET until = now() WHERE user_id = ?",
			},
		},
	}
}

func personID(item map[string]any) string { return item["user"].(map[string]any)["id"].(string) }

func (l listed) parameter() string {
	if l.cursor == "" {
		return "cursor"
	}
	return l.cursor
}

// readPage gives the IDs of one page, and the cursor of the next; the first page has the cursor "".
func (b *bundle) readPage(t *testing.T, l listed, cursor string, limit int) (ids []string, next string) {
	t.Helper()
	path := fmt.Sprintf("%s&limit=%d", l.path, limit)
	if cursor != "" {
		path += "&" + l.parameter() + "=" + cursor
	}
	a := b.do(t, "GET", path, l.token, nil)
	require.Equal(t, 200, a.status, a)
	for _, item := range a.list() {
		if l.id == nil {
			ids = append(ids, item["id"].(string))
		} else {
			ids = append(ids, l.id(item))
		}
	}
	next, _ = a.body["next_cursor"].(string)
	return ids, next
}

// start is the cursor of a list's beginning: "", but for newer messages, which come after the oldest.
func (b *bundle) start(t *testing.T, l listed) string {
	t.Helper()
	room := strings.TrimPrefix(l.path, "/chat/messages?room_id=")
	switch l.cursor {
	case "after":
	case "updated_after":
		c, err := b.server.cursorsOf(messageUpdates, []any{room})
		require.NoError(t, err)
		return *c.encode(store.Keys{time.Unix(0, 0), uuid.Nil.String()})
	default:
		return ""
	}
	oldest, _ := b.readPage(t, listed{path: l.path, token: l.token}, "", 100)
	c, err := b.server.cursorsOf("listMessages", []any{room})
	require.NoError(t, err)
	return *c.encode(store.Keys{oldest[len(oldest)-1]})
}

// TestListsWhileRowsGo: when rows before, at and after the cursor are deleted, a list repeats no row, and leaves out
// none of the remaining rows.
func TestListsWhileRowsGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := lists(t, b)
	covered := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		l := all[name]
		operation, _, _ := strings.Cut(name, " ")
		if !slices.Contains(covered[operation], l.parameter()) {
			covered[operation] = append(covered[operation], l.parameter())
		}
		for what, gone := range l.gone {
			t.Run(name+", "+what, func(t *testing.T) {
				before, _ := b.readPage(t, l, b.start(t, l), 100)
				require.GreaterOrEqual(t, len(before), 12)
				first, cursor := b.readPage(t, l, b.start(t, l), 3)
				second, cursor := b.readPage(t, l, cursor, 3)
				require.Equal(t, before[:6], slices.Concat(first, second))
				for _, row := range []string{before[1], before[5], before[6]} { // before, at and after the cursor
					b.exec(t, gone, row)
				}
				b.void(t, l.tag)
				rest := before[7:]
				if what == "taken back" { // such a message stays, without its text
					rest = before[6:]
				}
				var got []string
				for cursor != "" {
					var ids []string
					ids, cursor = b.readPage(t, l, cursor, 3)
					got = append(got, ids...)
				}
				require.Equal(t, rest, got)
			})
		}
	}
	for operation, parameters := range pagedOperations() {
		require.ElementsMatch(t, parameters, covered[operation], "%s is a list; how do its rows go?", operation)
	}
}

// TestForeignCursors: a cursor counts in the list that gave it and nowhere else.
func TestForeignCursors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := lists(t, b)
	given := map[string]string{}
	for name, l := range all {
		_, given[name] = b.readPage(t, l, b.start(t, l), 3)
		require.NotEmpty(t, given[name], name)
	}
	refuse := func(t *testing.T, l listed, cursor string) {
		t.Helper()
		b.do(t, "GET", l.path+"&"+l.parameter()+"="+cursor, l.token, nil).requireField(t, 400, l.parameter())
	}
	foreign := &Server{digests: auth.NewDigests("another secret, of another service")}
	for name, l := range all {
		t.Run(name, func(t *testing.T) {
			for from, cursor := range given {
				if from == name || strings.HasPrefix(from, "listMessages") && strings.HasPrefix(name, "listMessages") {
					continue
				}
				refuse(t, l, cursor)
			}
			if l.other != "" {
				refuse(t, listed{path: l.other, cursor: l.cursor, token: l.token}, given[name])
			}
			raw, err := base64.RawURLEncoding.DecodeString(given[name])
			require.NoError(t, err)
			for at := range raw {
				changed := slices.Clone(raw)
				changed[at] ^= 1
				refuse(t, l, base64.RawURLEncoding.EncodeToString(changed))
			}
			for length := 1; length < len(raw); length += 5 {
				refuse(t, l, base64.RawURLEncoding.EncodeToString(raw[:length]))
			}
			refuse(t, l, given[name]+"AA")
			refuse(t, l, "AYkAAAAAcACAAAAAAAAerQ") // the first version's
			others, err := foreign.cursorsOf("listRooms", nil)
			require.NoError(t, err)
			refuse(t, l, *others.encode(store.Keys{unknownID}))
		})
	}
}

func TestCursorKeys(t *testing.T) {
	t.Parallel()
	c := cursors{list: "a list", digests: auth.NewDigests("secret")}
	for _, keys := range []store.Keys{
		{unknownID},
		{time.Date(2026, 2, 28, 23, 59, 59, 999_999_000, time.UTC), unknownID},
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), unknownID},
		{0.0607927106320858, unknownID}, {-0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, unknownID},
	} {
		cursor := c.encode(keys)
		require.NotNil(t, cursor)
		require.LessOrEqual(t, len(*cursor), 128, "the contract's limit")
		decoded, err := c.decode(*cursor)
		require.NoError(t, err)
		require.Equal(t, keys, decoded)
		_, err = cursors{list: "another list", digests: c.digests}.decode(*cursor)
		require.ErrorIs(t, err, errBadCursor)
	}
	require.Nil(t, c.encode(store.Keys{"no ID"}))
	require.Nil(t, c.encode(store.Keys{1}))
}

// TestSpansThatAreOver: a span of time that ends before it begins is refused, wherever one can be given.
func TestSpansThatAreOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	const early, late = "2026-01-31T20:15:00Z", "2026-01-31T21:15:01%2B01:00"
	tried := 0
	for path, item := range spec.Paths.Map() {
		operation := item.Get
		if operation == nil || operation.Parameters.GetByInAndName("query", "from") == nil ||
			operation.Parameters.GetByInAndName("query", "to") == nil {
			continue
		}
		tried++
		at := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, unknownID)
		for _, span := range []string{"from=" + late + "&to=" + early, "to=" + early + "&from=" + early} {
			b.do(t, "GET", at+"?"+span, root.token, nil).requireField(t, 400, "to")
		}
		a := b.do(t, "GET", at+"?from="+early+"&to="+late, root.token, nil)
		require.NotEqual(t, 400, a.status, "%s: %s", path, a)
	}
	require.Positive(t, tried)
	body := map[string]any{"action": "cancel", "dry_run": true, "from": "2026-01-31T21:15:00Z", "to": early}
	b.do(t, "POST", "/admin/job-batches", root.token, body).requireField(t, 400, "to")
}
