package store

import (
	"fmt"
	"strings"

	"github.com/watchparty/watchparty"
)

// rule is a part of a clean-up policy: it chooses old rows of one table and deletes or changes them. In its SQL, t is
// the alias of the table and ?0 is the threshold: the time before which a row is old.
type rule struct {
	table string   // the table in SQL
	key   []string // the columns of the primary key; id if empty
	old   string   // the condition of an old row; it chooses rows, and is checked again when the rows are locked
	by    string   // the column of old that has an index; the oldest rows are chosen first
	set   string   // the SET clause of an UPDATE; if empty, the rows are deleted
	room  string   // the column with the ID of the room whose cached reads show the row; empty if there is none
	chat  bool     // whether the cached reads are the room's messages, and not the room itself
	part  bool     // whether the rows belong to rows of the policy's next rule; they are deleted first and not counted
	users bool     // whether the rows are accounts, which deleteAccounts deletes
}

// rules are the rules of each policy, in the order in which they are applied. Rows that belong to another row and may
// be many, such as the messages of a room, are deleted in batches of their own before the other row.
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
		{table: "messages", old: messagesOf("retired_at"), by: "id", room: "room_id", chat: true, part: true},
		{table: "rooms", old: "t.retired_at < ?0", by: "retired_at", room: "id"},
		{table: "messages", old: messagesOf("deleted_at"), by: "id", room: "room_id", chat: true, part: true},
		{table: "rooms", old: "t.deleted_at < ?0", by: "deleted_at", room: "id"},
	},
	watchparty.PolicyUnverified: {{table: "users", old: unverifiedAccount, by: "created_at", users: true}},
	watchparty.PolicyTokens: {
		{table: "email_verifications", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "password_resets", old: "t.expires_at < ?0", by: "expires_at"},
	},
	// A refresh token that was exchanged is kept until it expires, so that its second use is noticed.
	watchparty.PolicySessions: {
		{table: "sessions", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "sessions", old: "t.revoked_at < ?0", by: "revoked_at"},
		{table: "known_clients", old: "t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyInvitations: {
		{table: "invitations", old: "t.state <> 'open' AND t.updated_at < ?0", by: "updated_at"},
		{table: "invitations", old: "t.state = 'open' AND t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyParties: {{table: "parties", old: "t.ended_at < ?0", by: "ended_at"}},
	watchparty.PolicyKeys: {
		{table: "idempotency_keys", old: "t.expires_at < ?0", by: "expires_at"},
		{table: "email_budgets", old: "t.expires_at < ?0", by: "expires_at"},
	},
	watchparty.PolicyReports: {{table: "abuse_reports", old: "t.resolved_at < ?0", by: "resolved_at"}},
	watchparty.PolicyEmails: {
		{table: "emails", old: "t.state IN ('sent', 'failed', 'cancelled') AND t.updated_at < ?0", by: "updated_at"},
	},
	watchparty.PolicyWebhooks: {
		{table: "webhook_deliveries", old: "t.ended_at < ?0", by: "ended_at"},
		// A transaction that queues a delivery holds FOR KEY SHARE on the webhook, so that the batch passes by its row.
		{table: "webhooks", by: "deleted_at",
			old: "t.deleted_at < ?0 AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE webhook_id = t.id)"},
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

// inactiveRoom is the condition of a room in rooms that was not changed, visited or posted in since the threshold, and
// that has no party ahead.
const inactiveRoom = `t.archived_at IS NULL AND t.last_active_at < ?0 AND t.updated_at < ?0
	AND NOT EXISTS (SELECT FROM participants WHERE room_id = t.id AND last_seen_at >= ?0)
	AND NOT EXISTS (SELECT FROM messages WHERE room_id = t.id AND created_at >= ?0)
	AND NOT EXISTS (SELECT FROM parties WHERE room_id = t.id AND state = 'scheduled')`

// messagesOf is the condition of a message in the room that is the next to be deleted: the column since of rooms holds
// the time from which on its age counts. It is one room at a time, so that an index finds the messages. FOR SHARE keeps
// an admin from restoring the room before the batch ends; SKIP LOCKED leaves out a room that is being restored.
func messagesOf(since string) string {
	return "t.room_id = (SELECT r.id FROM rooms AS r WHERE r." + since + ` < ?0
		AND EXISTS (SELECT FROM messages WHERE room_id = r.id) ORDER BY r.` + since + " LIMIT 1 FOR SHARE SKIP LOCKED)"
}

// unverifiedAccount is the condition of an account in users with an unconfirmed address that was neither created nor
// used since the threshold. Each exchange of a refresh token adds a row to sessions, so created_at there is the last
// use.
const unverifiedAccount = `t.email_verified_at IS NULL AND t.deleted_at IS NULL AND NOT t.is_admin AND t.created_at < ?0
	AND NOT EXISTS (SELECT FROM sessions WHERE user_id = t.id AND created_at >= ?0)
	AND NOT EXISTS (SELECT FROM participants WHERE user_id = t.id AND last_seen_at >= ?0)`

// userBatch is the maximum number of accounts in a batch. The deletion of an account takes many statements, and a
// transaction should be short.
const userBatch = 20

// MaxSamples is the maximum number of keys that a dry run stores for each policy, as samples of the rows to be removed.
const MaxSamples = 10

// columns lists the columns of the primary key in SQL.
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

// selectAndLock selects and locks at most ?1 old rows that nobody else has locked, the oldest first. It returns the key
// of each row and its value of the column by. With from, it reads the index only from the value ?2 on: before that, the
// index is full of entries of deleted rows until the table is vacuumed.
func (r rule) selectAndLock(from string) string {
	beyond := ""
	if from != "" {
		beyond = fmt.Sprintf(" AND t.%s >= ?2", r.by)
	}
	return r.selectKeys(fmt.Sprintf(", t.%s::text", r.by), beyond) + " FOR UPDATE OF t SKIP LOCKED"
}

// selectSamples selects the keys of at most ?1 old rows, the oldest first.
func (r rule) selectSamples() string { return r.selectKeys("", "") }

// selectKeys selects the keys of at most ?1 old rows, the oldest first; more are further columns, beyond is a further
// condition.
func (r rule) selectKeys(more, beyond string) string {
	return fmt.Sprintf("SELECT concat_ws('/', %s)%s FROM %s AS t WHERE %s%s ORDER BY t.%s LIMIT ?1", r.columns(), more,
		r.table, r.old, beyond, r.by)
}

// selectCount counts the old rows.
func (r rule) selectCount() string {
	return fmt.Sprintf("SELECT count(*) FROM %s AS t WHERE %s", r.table, r.old)
}

// apply deletes or changes those of the rows with the keys ?1 that are still old. It returns the ID of each row's room,
// or the row's key if the rule has no room.
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
