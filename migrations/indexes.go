package migrations

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// index is one of a table that may be large.
type index struct {
	name, table, definition string
	unique                  bool
	replaces                string // an index of former versions, which goes once this one is there
}

// indexes are made after all steps, without a lock that keeps writers out. Steps make only those of their own tables.
var indexes = []index{
	// A sign-in may have several refresh tokens: a list shows it by its latest.
	{
		name: "sessions_sign_in_idx", table: "sessions", replaces: "sessions_live_idx",
		definition: "(user_id, family_id DESC, created_at DESC, id DESC) WHERE rotated_at IS NULL AND revoked_at IS NULL",
	},
	// An address is one however it is written.
	{name: "users_email_address_key", table: "users", definition: "(email_key)", unique: true},
	{
		name: "invitations_open_address_key", table: "invitations", unique: true, replaces: "invitations_open_key",
		definition: "(room_id, email_key) WHERE state = 'open'",
	},
	{name: "invitations_address_idx", table: "invitations", definition: "(email_key)"},
	// The rooms in public lists, by their latest activity.
	{
		name: "rooms_active_idx", table: "rooms",
		definition: "(last_active_at DESC, id DESC) WHERE visibility = 'public' AND archived_at IS NULL",
	},
	// The messages that were edited or taken back, in the order of their changes.
	{
		name: "messages_changed_idx", table: "messages",
		definition: "(room_id, updated_at, id) WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL",
	},
	// The open invitations to an address, the newest first.
	{name: "invitations_open_to_idx", table: "invitations", definition: "(email_key, id DESC) WHERE state = 'open'"},
	// Addresses whose key is still to be filled in, or to be tried again.
	{name: "users_unkeyed_idx", table: "users", definition: "(id) WHERE email_key IS NULL OR email_key LIKE ':%'"},
	{name: "invitations_unkeyed_idx", table: "invitations",
		definition: "(id) WHERE email_key IS NULL OR email_key LIKE ':%'"},
	{name: "email_verifications_unkeyed_idx", table: "email_verifications",
		definition: "(id) WHERE email_key IS NULL OR email_key LIKE ':%'"},
	// For exports: rows of one account in the order of these columns.
	{name: "stays_user_order_idx", table: "stays", definition: "(user_id, id)", replaces: "stays_user_idx"},
	{name: "active_users_user_order_idx", table: "active_users", definition: "(user_id, day)",
		replaces: "active_users_user_idx"},
	{name: "room_log_actor_order_idx", table: "room_log", definition: "(actor_id, id)", replaces: "room_log_actor_idx"},
	{name: "room_log_target_order_idx", table: "room_log", definition: "(target_id, id)", replaces: "room_log_target_idx"},
	// What admins look for.
	{name: "users_admins_idx", table: "users", definition: "(id DESC) WHERE is_admin"},
	{name: "rooms_open_idx", table: "rooms", definition: "(id DESC) WHERE archived_at IS NULL"},
	{name: "rooms_archived_idx", table: "rooms", definition: "(id DESC) WHERE archived_at IS NOT NULL"},
	{name: "rooms_closed_idx", table: "rooms", definition: "(id DESC) WHERE closed_at IS NOT NULL"},
	// Search.
	{name: "movies_genres_idx", table: "movies", definition: "USING gin (searched_genres)"},
	{name: "movies_search_idx", table: "movies", definition: "USING gin (search)"},
	{name: "rooms_search_idx", table: "rooms",
		definition: "USING gin (search) WHERE visibility = 'public' AND archived_at IS NULL"},
	{name: "rooms_any_search_idx", table: "rooms", definition: "USING gin (search) WHERE deleted_at IS NULL"},
	{name: "users_search_idx", table: "users", definition: "USING gin (search)"},
	// Among what a search finds the shorter is the closer one, and then the first, or with the sign the last, to be
	// added: both columns are read in one direction.
	{name: "movies_length_idx", table: "movies", definition: "(char_length(title), id)"},
	{name: "rooms_length_idx", table: "rooms",
		definition: "((-char_length(name)), id) WHERE visibility = 'public' AND archived_at IS NULL"},
	{name: "rooms_any_length_idx", table: "rooms", definition: "((-char_length(name)), id) WHERE deleted_at IS NULL"},
	{name: "users_length_idx", table: "users", definition: "((-char_length(username)), id)"},
	// The emails of an invitation.
	{name: "emails_subject_idx", table: "emails", definition: "(subject_id, id DESC)"},
	// The emails to an address.
	{name: "emails_recipient_idx", table: "emails", definition: "(recipient_hash, id DESC)"},
	// The emails of a job.
	{name: "emails_workflow_idx", table: "emails", definition: "(workflow_id)"},
	{name: "cleanup_runs_workflow_idx", table: "cleanup_runs", definition: "(workflow_id)"},
	// What the overview counts.
	{name: "outbox_started_idx", table: "outbox", definition: "(started_at) WHERE state = 'started'"},
	{name: "emails_ended_idx", table: "emails", definition: "(updated_at) WHERE state IN ('sent', 'failed')"},
	{name: "avatars_failed_idx", table: "avatars", definition: "(updated_at) WHERE state = 'failed'"},
	{name: "cleanup_runs_ended_idx", table: "cleanup_runs", definition: "(finished_at)"},
	// For states that end by time, the oldest first.
	{name: "invitations_open_idx", table: "invitations", definition: "(expires_at) WHERE state = 'open'"},
	{name: "emails_unfinished_idx", table: "emails", definition: "(updated_at) WHERE state IN ('queued', 'sending')"},
	{name: "email_attempts_open_idx", table: "email_attempts", definition: "(created_at) WHERE outcome = 'open'"},
	{name: "avatars_processing_idx", table: "avatars", definition: "(updated_at) WHERE state = 'processing'"},
	{name: "cleanup_runs_unfinished_idx", table: "cleanup_runs",
		definition: "(updated_at) WHERE state IN ('queued', 'running')"},
	{name: "users_deleted_idx", table: "users", definition: "(deleted_at) WHERE deleted_at IS NOT NULL"},
	// For the relay: the next events.
	{
		name: "outbox_priority_idx", table: "outbox", replaces: "outbox_pending_idx",
		definition: "(priority, available_at) WHERE state = 'pending'",
	},
	{name: "outbox_abandoned_idx", table: "outbox", definition: "(updated_at) WHERE state = 'abandoned'"},
	// Operators list what Temporal does not have.
	{name: "outbox_pending_order_idx", table: "outbox", definition: "(id DESC) WHERE state = 'pending'"},
	{name: "outbox_abandoned_order_idx", table: "outbox", definition: "(id DESC) WHERE state = 'abandoned'"},
}

// makeIndexes creates missing indexes, and creates unfinished ones again. It can be repeated at any time.
func makeIndexes(ctx context.Context, db *bun.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// However long it takes, and whatever it has to wait for: it keeps nobody waiting.
	var lock, statement string
	err = conn.NewRaw("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')").
		Scan(ctx, &lock, &statement)
	if err != nil {
		return fmt.Errorf("read the time-outs: %w", err)
	}
	const set = "SELECT set_config('lock_timeout', ?, false), set_config('statement_timeout', ?, false)"
	if _, err := conn.ExecContext(ctx, set, "0", "0"); err != nil {
		return fmt.Errorf("prepare for indexes: %w", err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), set, lock, statement) }()
	for _, i := range indexes {
		if err := i.make(ctx, conn); err != nil {
			return fmt.Errorf("index %s: %w", i.name, err)
		}
	}
	return nil
}

func (i index) make(ctx context.Context, conn bun.Conn) error {
	var found struct {
		Made  bool `bun:"made"`
		Valid bool `bun:"valid"`
		Empty bool `bun:"empty"`
	}
	err := conn.NewRaw(`SELECT to_regclass(?0) IS NOT NULL AS made, NOT EXISTS (SELECT FROM ?1) AS empty,
		coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(?0)), false) AS valid`,
		i.name, bun.Ident(i.table)).Scan(ctx, &found)
	if err != nil {
		return err
	}
	if !found.Valid {
		concurrently, unique := bun.Safe("CONCURRENTLY"), bun.Safe("")
		if found.Empty { // at once: the other way would wait for readers of the table
			concurrently = ""
		}
		if i.unique {
			unique = "UNIQUE"
		}
		if found.Made {
			if _, err := conn.ExecContext(ctx, "DROP INDEX CONCURRENTLY ?", bun.Ident(i.name)); err != nil {
				return err
			}
		}
		_, err := conn.ExecContext(ctx, "CREATE ? INDEX ? ? ON ? ?", unique, concurrently, bun.Ident(i.name),
			bun.Ident(i.table), bun.Safe(i.definition))
		if err != nil {
			return err
		}
	}
	if i.replaces == "" {
		return nil
	}
	_, err = conn.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS ?", bun.Ident(i.replaces))
	return err
}
