package store

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
)

// fill is the database of a service that has been there for a while: one statement a table. Some rooms, people and
// movies are far above the average: number 1 of each.
var fill = []string{
	`CREATE FUNCTION uid(kind int, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
		$$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
	`SET LOCAL session_replication_role = replica`, // no foreign key is checked row by row; every index is kept
	`INSERT INTO users (id, username, email, display_name, password_hash, email_verified_at)
		SELECT uid(1, n), 'user' || n, 'user' || n || '@example.org', 'User ' || n, '', CASE WHEN n < 15000 THEN now() END
			FROM generate_series(1, 20000) AS n`,
	`INSERT INTO avatars (id, user_id, version, state)
		SELECT uid(11, n), uid(1, n), 1, 'ready' FROM generate_series(1, 20000) AS n
		UNION ALL SELECT uid(11, n), uid(1, 1), n, 'superseded' FROM generate_series(20001, 20060) AS n`,
	`INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at)
		SELECT uid(2, n), uid(2, n), uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n / 2 + 1 END),
			decode(lpad(to_hex(n), 8, '0'), 'hex'), now() + interval '1 d'
		FROM generate_series(1, 40000) AS n`,
	`INSERT INTO movies (id, title, year, runtime_minutes, description, genres)
		SELECT uid(3, n), 'Movie ' || n || ' ' || chr(97 + n % 26) || ' night', 1900 + n % 120, 90, 'Silent',
			ARRAY['genre' || n % 20]
		FROM generate_series(1, 5000) AS n`,
	`INSERT INTO rooms (id, name, description, movie_id, host_id, visibility, capacity, last_active_at, archived_at, retired_at)
		SELECT uid(4, n), 'Movie night ' || n || CASE WHEN n % 2000 = 0 THEN ' zebra' WHEN n % 50 = 0 THEN ' comedy' ELSE '' END, 'Word' || n % 1000,
			CASE n % 5 WHEN 0 THEN uid(3, 1) WHEN 1 THEN uid(3, n % 5000 + 1) END,
				uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n % 20000 + 1 END),
			CASE n % 10 WHEN 8 THEN 'unlisted' WHEN 9 THEN 'private' ELSE 'public' END, 2 + n % 20,
				now() - n * 7919 % 100000 * interval '1 s',
			CASE WHEN n % 4 = 0 THEN now() END, CASE WHEN n % 8 = 0 THEN now() - n * interval '1 s' END
		FROM generate_series(1, 100000, {rooms}) AS n`,
	// A few are present.
	`INSERT INTO participants (room_id, user_id, last_seen_at)
		SELECT room_id, user_id, CASE WHEN right(user_id::text, 2) = '07' THEN now() ELSE now() - interval '1 d' END FROM (
			SELECT uid(4, n / 2 + 1), uid(1, CASE WHEN n % 40 = 0 THEN 1 ELSE n % 19999 + 2 END)
				FROM generate_series(1, 199000) AS n
			UNION ALL SELECT uid(4, 1), uid(1, n) FROM generate_series(19001, 19700) AS n
		) AS stays (room_id, user_id)
		ON CONFLICT DO NOTHING`,
	`INSERT INTO members (room_id, user_id, role)
		SELECT uid(4, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE (n * 7) % 19999 + 2 END),
			CASE n % 3 WHEN 0 THEN 'moderator' ELSE 'viewer' END
		FROM generate_series(1, 60000, {rooms}) AS n
		UNION ALL SELECT uid(4, 1), uid(1, n), 'viewer' FROM generate_series(100, 5000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO bans (id, room_id, user_id, banned_by, created_at)
		SELECT uid(12, n), uid(4, n % 20000 + 1), uid(1, n % 997 + 2), uid(1, 1), now() - n * interval '1 s'
			FROM generate_series(1, 20000) AS n
		UNION ALL SELECT uid(12, n + 20000), uid(4, 1), uid(1, n), uid(1, 1), now() - n * interval '1 s'
			FROM generate_series(5000, 10000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO mutes (id, room_id, user_id, muted_by, until, created_at)
		SELECT uid(13, n), uid(4, n % 20000 + 1), uid(1, n % 997 + 2), uid(1, 1), now() + interval '1 d',
			now() - n * interval '1 s' FROM generate_series(1, 10000) AS n
		UNION ALL SELECT uid(13, n), uid(4, 1), uid(1, n), uid(1, 1), now() + interval '1 d', now() - n * interval '1 s'
			FROM generate_series(10001, 15000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO room_log (id, room_id, actor_id, target_id, action)
		SELECT uid(5, n), uid(4, CASE WHEN n % 5 = 0 THEN 1 ELSE n % 9000 + 2 END), uid(1, n % 20000 + 1),
			uid(1, n % 777 + 1), 'kicked'
		FROM generate_series(1, 60000) AS n`,
	`INSERT INTO invitations (id, room_id, inviter_id, email, state, expires_at)
		SELECT uid(6, n * 2), uid(4, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 9000 + 2 END), uid(1, n % 20000 + 1),
			'guest' || n || '@example.org',
			(ARRAY['open', 'accepted', 'declined', 'revoked', 'expired'])[n / 10 % 5 + 1], now() + interval '1 d'
		FROM generate_series(1, 40000) AS n
		UNION ALL SELECT uid(6, n * 4 + 1), uid(4, n), uid(1, n % 20000 + 1), 'user1@example.org', 'open',
			now() + interval '1 d'
			FROM generate_series(2, 20000) AS n WHERE n % 20 > 0`,
	`INSERT INTO abuse_reports (id, kind, target_kind, target_id, subject_id, reporter_id, state, outcome, resolved_at)
		SELECT uid(15, n), (ARRAY['spam', 'hate', 'other'])[n % 3 + 1], (ARRAY['room', 'message', 'user'])[n / 10 % 3 + 1],
			uid(15, n),
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END),
				uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n % 20000 + 1 END),
			CASE WHEN n % 5 = 0 THEN 'resolved' ELSE 'open' END, CASE WHEN n % 5 = 0 THEN 'acted' END,
				CASE WHEN n % 5 = 0 THEN now() END
		FROM generate_series(1, 20000) AS n`,
	// Some of whom much is hidden.
	`UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id IN (SELECT uid(1, n * 40)
		FROM generate_series(1, 400) AS n)`,
	`INSERT INTO audit (id, actor_id, action, target_kind, target_id)
		SELECT uid(7, n), uid(1, n % 5 + 1), CASE n % 3 WHEN 0 THEN 'user_suspended' WHEN 1 THEN 'movie_updated' ELSE 'cleanup_started' END,
			'user', uid(1, n % 2000 + 1) FROM generate_series(1, 30000) AS n`,
	`INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, started_at)
		SELECT uid(20, n), 'work/' || n, 'Resend', 'email', '{}', CASE n % 200 WHEN 0 THEN 'pending' WHEN 1 THEN 'abandoned' ELSE 'started' END,
			CASE WHEN n % 200 > 1 THEN now() END FROM generate_series(1, 20000) AS n`,
	`INSERT INTO emails (id, kind, subject_id, user_id, state, workflow_id)
		SELECT uid(14, n), (ARRAY['welcome', 'password_reset', 'room_invitation'])[n % 3 + 1], uid(14, n),
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), CASE n % 500 WHEN 0 THEN 'failed' ELSE 'sent' END,
				'mail/' || n
		FROM generate_series(1, 60000) AS n`,
	`INSERT INTO email_verifications (id, user_id, email, expires_at)
		SELECT uid(16, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), 'user' || n || '@example.org', now()
			FROM generate_series(1, 20000) AS n`,
	`INSERT INTO password_resets (id, user_id, expires_at)
		SELECT uid(17, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), now()
			FROM generate_series(1, 20000) AS n`,
	`INSERT INTO stays (room_id, user_id, started_at, ended_at)
		SELECT uid(4, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), now(), now()
			FROM generate_series(1, 20000) AS n`,
	`INSERT INTO active_users (day, user_id, since)
		SELECT '2026-01-01'::date + n % 90, uid(1, n / 90 + 1), now() FROM generate_series(1, 20000) AS n`,
	`INSERT INTO cleanup_runs (id, trigger, policies, state, workflow_id, created_at)
		SELECT uid(8, n), 'schedule', '{}', 'completed', 'cleanup/' || n, now() - n * interval '1 d'
			FROM generate_series(1, 5000) AS n`,
	`INSERT INTO reports (id, kind, run_id, period_start, period_end, data)
		SELECT uid(9, n), CASE WHEN n % 100 = 0 THEN 'activity' ELSE 'cleanup' END, CASE WHEN n % 100 > 0 THEN uid(8, n) END,
			now() - n * interval '1 d', now(), '{}' FROM generate_series(1, 5000) AS n`,
	`INSERT INTO webhooks (id, url, kinds, secret, off_at)
		SELECT uid(20, n), 'https://hooks.example', '{room.opened}', '', CASE WHEN n = 2 THEN now() END
			FROM generate_series(1, 20) AS n`,
	`INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, state, deadline_at, workflow_id, ended_at)
		SELECT uid(21, n), uid(20, CASE WHEN n % 20 = 0 THEN 2 ELSE 1 END), uid(21, n),
			CASE WHEN n % 100 = 3 THEN 'user.suspended' ELSE 'room.opened' END, '{}',
			CASE WHEN n % 500 = 1 THEN 'pending' WHEN n % 50 = 2 THEN 'failed' ELSE 'delivered' END, now() + interval '1 d', '',
			CASE WHEN n % 500 <> 1 THEN now() END
		FROM generate_series(1, 30000) AS n`,
	`INSERT INTO webhook_attempts (delivery_id, number, outcome)
		SELECT uid(21, n), 1, 'delivered' FROM generate_series(1, 30000) AS n`,
	`INSERT INTO read_markers (room_id, user_id, message_id)
		SELECT uid(4, n), uid(1, CASE WHEN n % 40 = 0 THEN 1 ELSE n % 20000 + 1 END), uid(10, n * 1000)
			FROM generate_series(1, 40000) AS n`,
	`INSERT INTO queue_items (id, room_id, stream_url, added_by, rank)
		SELECT uid(18, n), uid(4, n % 9000 + 2), 'https://movies.example',
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), n
		FROM generate_series(1, 20000) AS n`,
	`INSERT INTO queue_votes (item_id, room_id, user_id)
		SELECT id, room_id, uid(1, CASE WHEN rank % 10 = 0 THEN 1 ELSE rank % 20000 + 1 END) FROM queue_items`,
	`INSERT INTO parties (id, room_id, starts_at, time_zone, scheduled_by, state, ended_at)
		SELECT uid(22, n), uid(4, n % 9000 + 2), now() + (n % 1000) * interval '1 h', 'UTC',
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), CASE WHEN n % 20 = 0 THEN 'scheduled' ELSE 'started' END,
			CASE WHEN n % 20 > 0 THEN now() END FROM generate_series(1, 40000) AS n`,
	`INSERT INTO party_answers (party_id, room_id, user_id, answer, created_at)
		SELECT uid(22, n), uid(4, n % 9000 + 2), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), 'yes', now()
		FROM generate_series(1, 40000) AS n
		UNION ALL SELECT uid(22, 20), uid(4, 22), uid(1, n), CASE WHEN n % 2 = 0 THEN 'yes' ELSE 'no' END,
			now() - n * interval '1 s' FROM generate_series(100, 1050) AS n`,
	`ALTER TABLE messages SET UNLOGGED`,
	`INSERT INTO messages (id, room_id, user_id, body, created_at)
		SELECT uid(10, n), uid(4, CASE WHEN n <= 800000 THEN n / 2000 + 1 ELSE n / 2 - 399600 END),
			uid(1, n / 50 % 20000 + 1), 'Hello',
			'2026-01-01'::timestamptz + n * interval '1 s'
		FROM generate_series(1, 1000000, {messages}) AS n`,
	`UPDATE messages SET edited_at = created_at, updated_at = created_at
		WHERE room_id < uid(4, 10) AND body = 'Hello' AND right(id::text, 1) = '8'`,
}

// whole fills the database as large as production may become. Otherwise it has one of three rooms and one of seven
// messages: enough that a plan which reads them all is seen. Neither number divides what the columns depend on.
var whole = flag.Bool("plans.whole", false, "plan lists of 100,000 rooms and a million messages")

// openFilledStore is a store on such a database, and how many rows each of its tables has.
func openFilledStore(t *testing.T) (*Store, map[string]int) {
	t.Helper()
	s := openStore(t)
	steps := strings.NewReplacer("{rooms}", "3", "{messages}", "7")
	if *whole {
		steps = strings.NewReplacer("{rooms}", "1", "{messages}", "1")
	}
	began := time.Now()
	require.NoError(t, s.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range append([]string{"SET LOCAL statement_timeout = 0", "SET LOCAL synchronous_commit = off"},
			fill...) {
			at := time.Now()
			if _, err := tx.ExecContext(ctx, steps.Replace(statement)); err != nil {
				return fmt.Errorf("%.40s: %w", statement, err)
			}
			t.Logf("%6.2f s %.40s", time.Since(at).Seconds(), statement)
		}
		return nil
	}))
	execute(
		t,
		s,
		"SELECT gin_clean_pending_list(i) "+
			"FROM unnest(ARRAY['movies_search_idx', 'rooms_search_idx', 'users_search_idx']::regclass[]) AS i",
	) // as autovacuum does
	execute(t, s, "ANALYZE")
	t.Logf("filled in %s", time.Since(began).Round(time.Millisecond))
	rows := map[string]int{}
	var names []string
	require.NoError(t, s.db.NewRaw("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").
		Scan(t.Context(), &names))
	for _, name := range names {
		rows[name] = countRows(t, s, name)
	}
	return s, rows
}

// rowID is the ID that fill gives to a row.
func rowID(kind, n int) string { return fmt.Sprintf("%08x-0000-7000-8000-%012x", kind, n) }
