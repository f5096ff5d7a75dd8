package store

import (
	"fmt"
	"strings"

	"github.com/watchparty/watchparty"
)

// rule says which rows of one table a policy takes, and what it does to them. In its parts, t is the table and ?0 the
// threshold.
type rule struct {
	table string
	key   []string // columns that name a row; just id unless said otherwise
	old   string   // the condition, part of the statement that chooses rows and again of the one that changes them
	by    string   // the column that old compares, with an index: the oldest rows go first
	set   string   // what is changed; rows are deleted without
	room  string   // the column that names the room whose cached reads a row is part of
	chat  bool     // those are of its messages, not of the room itself
	part  bool     // of the rows of the policy's next rule: goes before them in batches, and is not counted
	users bool     // accounts: each is deleted as by its owner
}

// rules are the policies. Their order within one matters: what hangs on a row in great number goes before it.
var rules = map[watchparty.Policy][]rule{
	watchparty.PolicyParticipants: {
		{table: "participants", key: []string{"room_id", "user_id"}, old: "t.last_seen_at < ?0", by: "last_seen_at",
			room: "room_id"},
	},
	watchparty.PolicyMessages: {
		{table: "messages", old: "t.created_at < ?0", by: "created_at", room: "room_id", chat: true},
	},
	watchparty.PolicyRooms: {{
		table: "rooms", old: inactiveRoom, by: "last_active_at", room: "id",
		set: "archived_at = now(), retired_at = now(), updated_at = now(), version = version + 1",
	}},
	watchparty.PolicyArchived: {
		{table: "messages", old: messagesOf("retired_at"), by: "id", part: true},
		{table: "rooms", old: "t.retired_at < ?0", by: "retired_at", room: "id"},
		{table: "messages", old: messagesOf("deleted_at"), by: "id", part: true},
		{table: "rooms", old: "t.deleted_at < ?0", by: "deleted_at", room: "id"},
	},
	watchparty.PolicyUnverified: {{table: "users", old: unverifiedAccount, by: "created_at", users: true}},
	watchparty.PolicyTokens: {
		{table: "email_verifications", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "password_resets", old: "t.expires_at < ?0", by: "expires_at"},
	},
	// A token that was exchanged is kept until it expires: whoever uses it again is noticed.
	watchparty.PolicySessions: {
		{table: "sessions", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "sessions", old: "t.revoked_at < ?0", by: "revoked_at"},
		{table: "known_clients", old: "t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyInvitations: {
		{table: "invitations", old: "t.state <> 'open' AND t.updated_at < ?0", by: "updated_at"},
		{table: "invitations", old: "t.state = 'open' AND t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyKeys: {
		{table: "idempotency_keys", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "email_budgets", old: "t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyReports: {{table: "abuse_reports", old: "t.resolved_at < ?0", by: "resolved_at"}},
	watchparty.PolicyEmails: {
		{table: "emails", old: "t.state IN ('sent', 'failed', 'cancelled') AND t.updated_at < ?0", by: "updated_at"},
	},
	watchparty.PolicyActivity: {
		{table: "stays", old: "t.ended_at < ?0", by: "ended_at"},
		{table: "active_users", key: []string{"day", "user_id"}, old: "t.day < (?0 AT TIME ZONE 'UTC')::date", by: "day"},
	},
	watchparty.PolicyOutbox: {
		{table: "outbox", old: "t.state = 'started' AND t.started_at < ?0", by: "started_at"},
		{table: "outbox", old: "t.state = 'abandoned' AND t.updated_at < ?0", by: "updated_at"},
	},
}

// inactiveRoom: nothing about the room, nobody in it and nothing said in it is newer than the threshold.
const inactiveRoom = `t.archived_at IS NULL AND t.last_active_at < ?0 AND t.updated_at < ?0
	AND NOT EXISTS (SELECT FROM participants WHERE room_id = t.id AND last_seen_at >= ?0)
	AND NOT EXISTS (SELECT FROM messages WHERE room_id = t.id AND created_at >= ?0)`

// messagesOf are those in one of the rooms that are to go: a room at a time is read by the index. The lock lets nobody
// restore it before the batch's end, and spares a room that somebody is about to restore.
func messagesOf(since string) string {
	return "t.room_id = (SELECT r.id FROM rooms AS r WHERE r." + since + ` < ?0
		AND EXISTS (SELECT FROM messages WHERE room_id = r.id) ORDER BY r.` + since + " LIMIT 1 FOR SHARE SKIP LOCKED)"
}

// unverifiedAccount: neither begun nor used since the threshold. A refresh token's row is as old as its last exchange.
const unverifiedAccount = `t.email_verified_at IS NULL AND t.deleted_at IS NULL AND NOT t.is_admin AND t.created_at < ?0
	AND NOT EXISTS (SELECT FROM sessions WHERE user_id = t.id AND created_at >= ?0)
	AND NOT EXISTS (SELECT FROM participants WHERE user_id = t.id AND last_seen_at >= ?0)`

// userBatch is the most accounts of a batch: each takes several statements, and transactions are to be short.
const userBatch = 20

// MaxSamples is how much of what it would remove a dry run names, of each policy.
const MaxSamples = 10

func (r rule) columns() string {
	columns := make([]string, 0, 2)
	for _, column := range r.key {
		columns = append(columns, "t."+column)
	}
	if len(columns) == 0 {
		return "t.id"
	}
	return strings.Join(columns, ", ")
}

// choose names at most ?1 rows, the oldest first, and locks them. Each comes with its place in that order. From some
// place on, ?2, the index is read from there: what earlier batches have removed is in it until it is vacuumed.
func (r rule) choose(from string) string {
	beyond := ""
	if from != "" {
		beyond = fmt.Sprintf(" AND t.%s >= ?2", r.by)
	}
	return r.names(fmt.Sprintf(", t.%s::text", r.by), beyond) + " FOR UPDATE OF t SKIP LOCKED"
}

// sample names at most ?1 rows.
func (r rule) sample() string { return r.names("", "") }

func (r rule) names(more, beyond string) string {
	return fmt.Sprintf("SELECT concat_ws('/', %s)%s FROM %s AS t WHERE %s%s ORDER BY t.%s LIMIT ?1", r.columns(), more,
		r.table, r.old, beyond, r.by)
}

func (r rule) count() string {
	return fmt.Sprintf("SELECT count(*) FROM %s AS t WHERE %s", r.table, r.old)
}

// apply changes those of the rows ?1 that the condition still holds for, and returns what names their rooms, or them.
func (r rule) apply() string {
	touched := fmt.Sprintf("concat_ws('/', %s)", r.columns())
	if r.room != "" {
		touched = "t." + r.room
	}
	change := fmt.Sprintf("DELETE FROM %s AS t", r.table)
	if r.set != "" {
		change = fmt.Sprintf("UPDATE %s AS t SET %s", r.table, r.set)
	}
	return fmt.Sprintf("%s WHERE (%s) IN ?1 AND %s RETURNING %s", change, r.columns(), r.old, touched)
}
