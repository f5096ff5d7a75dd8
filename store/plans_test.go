package store

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// fill is the database of a service that has been there for a while: one statement a table. Some rooms, people and
// movies are far above the average: number 1 of each.
var fill = []string{
	`CREATE FUNCTION uid(kind int, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
		$$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
	`SET LOCAL session_replication_role = replica`, // no foreign key is checked row by row; every index is kept
	`INSERT INTO users (id, username, email, display_name, password_hash)
		SELECT uid(1, n), 'user' || n, 'user' || n || '@example.org', 'User ' || n, '' FROM generate_series(1, 20000) AS n`,
	`INSERT INTO avatars (id, user_id, version, state)
		SELECT uid(11, n), uid(1, n), 1, 'ready' FROM generate_series(1, 20000) AS n
		UNION ALL SELECT uid(11, n), uid(1, 1), n, 'superseded' FROM generate_series(20001, 20060) AS n`,
	`INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at)
		SELECT uid(2, n), uid(2, n), uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n / 2 + 1 END), decode(lpad(to_hex(n), 8, '0'), 'hex'), now() + interval '1 d'
		FROM generate_series(1, 40000) AS n`,
	`INSERT INTO movies (id, title, year, runtime_minutes, description, genres)
		SELECT uid(3, n), 'Film ' || n || ' ' || chr(97 + n % 26) || ' night', 1900 + n % 120, 90, 'Silent', ARRAY['genre' || n % 20]
		FROM generate_series(1, 5000) AS n`,
	`INSERT INTO rooms (id, name, description, movie_id, host_id, visibility, capacity, last_active_at, archived_at, retired_at)
		SELECT uid(4, n), 'Movie night ' || n || CASE WHEN n % 2000 = 0 THEN ' zebra' WHEN n % 50 = 0 THEN ' comedy' ELSE '' END, 'Word' || n % 1000,
			CASE n % 5 WHEN 0 THEN uid(3, 1) WHEN 1 THEN uid(3, n % 5000 + 1) END, uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n % 20000 + 1 END),
			CASE n % 10 WHEN 8 THEN 'unlisted' WHEN 9 THEN 'private' ELSE 'public' END, 2 + n % 20, now() - n * 7919 % 100000 * interval '1 s',
			CASE WHEN n % 4 = 0 THEN now() END, CASE WHEN n % 8 = 0 THEN now() - n * interval '1 s' END
		FROM generate_series(1, 100000, {rooms}) AS n`,
	`INSERT INTO participants (room_id, user_id)
		SELECT uid(4, n / 2 + 1), uid(1, CASE WHEN n % 40 = 0 THEN 1 ELSE n % 19999 + 2 END) FROM generate_series(1, 199000) AS n
		UNION ALL SELECT uid(4, 1), uid(1, n) FROM generate_series(19001, 19700) AS n
		ON CONFLICT DO NOTHING`,
	// A few are present.
	`UPDATE participants SET last_seen_at = now() - interval '1 d' WHERE right(user_id::text, 2) <> '07'`,
	`INSERT INTO members (room_id, user_id, role)
		SELECT uid(4, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE (n * 7) % 19999 + 2 END), CASE n % 3 WHEN 0 THEN 'moderator' ELSE 'viewer' END
		FROM generate_series(1, 60000, {rooms}) AS n
		UNION ALL SELECT uid(4, 1), uid(1, n), 'viewer' FROM generate_series(100, 5000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO bans (id, room_id, user_id, banned_by, created_at)
		SELECT uid(12, n), uid(4, n % 20000 + 1), uid(1, n % 997 + 2), uid(1, 1), now() - n * interval '1 s' FROM generate_series(1, 20000) AS n
		UNION ALL SELECT uid(12, n + 20000), uid(4, 1), uid(1, n), uid(1, 1), now() - n * interval '1 s' FROM generate_series(5000, 10000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO mutes (id, room_id, user_id, muted_by, until, created_at)
		SELECT uid(13, n), uid(4, n % 20000 + 1), uid(1, n % 997 + 2), uid(1, 1), now() + interval '1 d', now() - n * interval '1 s' FROM generate_series(1, 10000) AS n
		UNION ALL SELECT uid(13, n), uid(4, 1), uid(1, n), uid(1, 1), now() + interval '1 d', now() - n * interval '1 s' FROM generate_series(10001, 15000) AS n
		ON CONFLICT DO NOTHING`,
	`INSERT INTO room_log (id, room_id, actor_id, target_id, action)
		SELECT uid(5, n), uid(4, CASE WHEN n % 5 = 0 THEN 1 ELSE n % 9000 + 2 END), uid(1, n % 20000 + 1), uid(1, n % 777 + 1), 'kicked'
		FROM generate_series(1, 60000) AS n`,
	`INSERT INTO invitations (id, room_id, inviter_id, email, state, expires_at)
		SELECT uid(6, n * 2), uid(4, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 9000 + 2 END), uid(1, n % 20000 + 1), 'guest' || n || '@example.org',
			(ARRAY['open', 'accepted', 'declined', 'revoked', 'expired'])[n / 10 % 5 + 1], now() + interval '1 d'
		FROM generate_series(1, 40000) AS n
		UNION ALL SELECT uid(6, n * 4 + 1), uid(4, n), uid(1, n % 20000 + 1), 'user1@example.org', 'open', now() + interval '1 d'
			FROM generate_series(2, 20000) AS n WHERE n % 20 > 0`,
	`UPDATE users SET email_verified_at = now() WHERE id < uid(1, 15000)`,
	`INSERT INTO abuse_reports (id, kind, target_kind, target_id, subject_id, reporter_id, state, outcome, resolved_at)
		SELECT uid(15, n), (ARRAY['spam', 'hate', 'other'])[n % 3 + 1], (ARRAY['room', 'message', 'user'])[n / 10 % 3 + 1], uid(15, n),
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), uid(1, CASE WHEN n % 20 = 0 THEN 1 ELSE n % 20000 + 1 END),
			CASE WHEN n % 5 = 0 THEN 'resolved' ELSE 'open' END, CASE WHEN n % 5 = 0 THEN 'acted' END, CASE WHEN n % 5 = 0 THEN now() END
		FROM generate_series(1, 20000) AS n`,
	// Some of whom much is hidden.
	`UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id IN (SELECT uid(1, n * 40) FROM generate_series(1, 400) AS n)`,
	`INSERT INTO audit (id, actor_id, action, target_kind, target_id)
		SELECT uid(7, n), uid(1, n % 5 + 1), CASE n % 3 WHEN 0 THEN 'user_suspended' WHEN 1 THEN 'movie_updated' ELSE 'cleanup_started' END,
			'user', uid(1, n % 2000 + 1) FROM generate_series(1, 30000) AS n`,
	`INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, started_at)
		SELECT uid(20, n), 'work/' || n, 'Resend', 'email', '{}', CASE n % 200 WHEN 0 THEN 'pending' WHEN 1 THEN 'abandoned' ELSE 'started' END,
			CASE WHEN n % 200 > 1 THEN now() END FROM generate_series(1, 20000) AS n`,
	`INSERT INTO emails (id, kind, subject_id, user_id, state, workflow_id)
		SELECT uid(14, n), (ARRAY['welcome', 'password_reset', 'room_invitation'])[n % 3 + 1], uid(14, n),
			uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), CASE n % 500 WHEN 0 THEN 'failed' ELSE 'sent' END, 'mail/' || n
		FROM generate_series(1, 60000) AS n`,
	`INSERT INTO email_verifications (id, user_id, email, expires_at)
		SELECT uid(16, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), 'user' || n || '@example.org', now() FROM generate_series(1, 20000) AS n`,
	`INSERT INTO password_resets (id, user_id, expires_at)
		SELECT uid(17, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), now() FROM generate_series(1, 20000) AS n`,
	`INSERT INTO stays (room_id, user_id, started_at, ended_at)
		SELECT uid(4, n), uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), now(), now() FROM generate_series(1, 20000) AS n`,
	`INSERT INTO active_users (day, user_id, since)
		SELECT '2026-01-01'::date + n % 90, uid(1, n / 90 + 1), now() FROM generate_series(1, 20000) AS n`,
	`INSERT INTO cleanup_runs (id, trigger, policies, state, workflow_id, created_at)
		SELECT uid(8, n), 'schedule', '{}', 'completed', 'cleanup/' || n, now() - n * interval '1 d' FROM generate_series(1, 5000) AS n`,
	`INSERT INTO reports (id, kind, run_id, period_start, period_end, data)
		SELECT uid(9, n), CASE WHEN n % 100 = 0 THEN 'activity' ELSE 'cleanup' END, CASE WHEN n % 100 > 0 THEN uid(8, n) END,
			now() - n * interval '1 d', now(), '{}' FROM generate_series(1, 5000) AS n`,
	`INSERT INTO webhooks (id, url, kinds, secret, off_at)
		SELECT uid(20, n), 'https://hooks.example', '{room.opened}', '', CASE WHEN n = 2 THEN now() END FROM generate_series(1, 20) AS n`,
	`INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, state, deadline_at, workflow_id, ended_at)
		SELECT uid(21, n), uid(20, CASE WHEN n % 20 = 0 THEN 2 ELSE 1 END), uid(21, n), CASE WHEN n % 100 = 3 THEN 'user.suspended' ELSE 'room.opened' END, '{}',
			CASE WHEN n % 500 = 1 THEN 'pending' WHEN n % 50 = 2 THEN 'failed' ELSE 'delivered' END, now() + interval '1 d', '',
			CASE WHEN n % 500 <> 1 THEN now() END
		FROM generate_series(1, 30000) AS n`,
	`INSERT INTO webhook_attempts (delivery_id, number, outcome)
		SELECT uid(21, n), 1, 'delivered' FROM generate_series(1, 30000) AS n`,
	`INSERT INTO read_markers (room_id, user_id, message_id)
		SELECT uid(4, n), uid(1, CASE WHEN n % 40 = 0 THEN 1 ELSE n % 20000 + 1 END), uid(10, n * 1000) FROM generate_series(1, 40000) AS n`,
	`INSERT INTO queue_items (id, room_id, stream_url, added_by, rank)
		SELECT uid(18, n), uid(4, n % 9000 + 2), 'https://movies.example', uid(1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % 20000 + 1 END), n
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
		SELECT uid(10, n), uid(4, CASE WHEN n <= 800000 THEN n / 2000 + 1 ELSE n / 2 - 399600 END), uid(1, n / 50 % 20000 + 1), 'Hello',
			'2026-01-01'::timestamptz + n * interval '1 s'
		FROM generate_series(1, 1000000, {messages}) AS n`,
	`UPDATE messages SET edited_at = created_at, updated_at = created_at
		WHERE room_id < uid(4, 10) AND body = 'Hello' AND right(id::text, 1) = '8'`,
}

const (
	pageOfPlans     = 21 // what a page of 20 asks the store for
	smallTable      = 1000
	fewMatches      = 1000    // what a bitmap has picked, such as the matches of a search, may be sorted
	roomsWithPeople = 1000    // those in which somebody is present are all counted and sorted
	searched        = closest // a search sorts what it finds among the shortest rows
	mostRead        = 3000    // by one node of a plan, those rows included that a filter drops
)

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

// recorder keeps the statements that the store runs.
type recorder struct{ statements []string }

func (r *recorder) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (r *recorder) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	r.statements = append(r.statements, e.Query)
}

// node is one of a plan's.
type node struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Estimated float64 `json:"Plan Rows"`
	Actual    float64 `json:"Actual Rows"` // of one loop, as what is dropped
	Dropped   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Loops     float64 `json:"Actual Loops"`
	Plans     []node
}

// gives is how many rows come out of it, be it by the planner's guess; reads is how many it looks at.
func (n node) gives() float64 { return max(n.Estimated, n.Actual*n.Loops) }
func (n node) reads() float64 { return (n.Actual + n.Dropped + n.Rechecked) * n.Loops }

func (n node) walk(visit func(node)) {
	visit(n)
	for _, child := range n.Plans {
		child.walk(visit)
	}
}

// indexed reports whether the table is read through an index.
func (n node) indexed(table string) bool {
	found := false
	n.walk(func(n node) {
		found = found || n.Relation == table &&
			slices.Contains([]string{"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, n.Type)
	})
	return found
}

// faults lists what a list query must not do: read a large table from end to end, or most of it by an index, or sort
// more rows than it returns, except for the few rows that a bitmap has picked.
func (n node) faults(rows map[string]int, answered int) (found []string) {
	n.walk(func(n node) {
		if n.Type == "Seq Scan" && rows[n.Relation] > smallTable {
			found = append(found, "reads all of "+n.Relation)
		}
		if n.reads() > mostRead {
			found = append(found, fmt.Sprintf("reads %.0f rows of %s%s in a %s", n.reads(), n.Relation, n.Index, n.Type))
		}
		if !strings.HasSuffix(n.Type, "Sort") {
			return
		}
		input := n.Plans[0]
		picked := input.Type == "Bitmap Heap Scan" && input.gives() <= fewMatches
		if input.gives() > float64(answered) && !picked {
			found = append(found, fmt.Sprintf("sorts %.0f rows of a %s", input.gives(), input.Type))
		}
	})
	return found
}

func explainStatement(t *testing.T, s *Store, statement string) node {
	t.Helper()
	var text string
	require.NoError(t, s.db.QueryRowContext(t.Context(),
		"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+strings.ReplaceAll(statement, "?", "??")).Scan(&text), statement)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans), text)
	return plans[0].Plan
}

// TestListPlans: the cost of a list depends on the page, and not on the size of the table.
func TestListPlans(t *testing.T) {
	t.Parallel()
	s, rows := openFilledStore(t)
	id := func(kind, n int) string { return fmt.Sprintf("%08x-0000-7000-8000-%012x", kind, n) }
	first, further := func(int, int) Page { return Page{Limit: pageOfPlans} }, func(kind, n int) Page {
		return Page{Limit: pageOfPlans, After: Keys{id(kind, n)}}
	}
	// byTime is for lists that are sorted by a time first: n units ago.
	byTime := func(p Page, n int, unit time.Duration) Page {
		if len(p.After) > 0 {
			p.After = append(Keys{time.Now().Add(-time.Duration(n) * unit).UTC()}, p.After...)
		}
		return p
	}
	// byPeople is for a list that is sorted by the number of people first.
	byPeople := func(p Page) Page {
		if len(p.After) > 0 {
			p.After = append(Keys{1.0}, p.After...)
		}
		return p
	}
	// found is that page of a search whose former one ended in a level.
	found := func(p Page, level int) Page {
		if len(p.After) > 0 {
			p.After = append(Keys{float64(level*rankStep + 17)}, p.After...)
		}
		return p
	}
	busy, quiet := id(4, 1), id(4, 70_000)
	list := func(_ any, err error) error { return err }
	lists := []struct {
		method, what string
		table        string
		answered     int
		run          func(ctx context.Context, s *Store, at func(kind, n int) Page) error
	}{
		{"Rooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Rooms(ctx, watchparty.RoomFilter{}, at(4, 50_000)))
		}},
		{"Rooms", "with a place left", "rooms", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.Rooms(ctx, watchparty.RoomFilter{Available: true}, at(4, 50_000)))
		}},
		{"Rooms", "with a movie that many have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Rooms(ctx, watchparty.RoomFilter{MovieID: id(3, 1)}, at(4, 50_000)))
			}},
		{"Rooms", "with a movie that few have", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Rooms(ctx, watchparty.RoomFilter{MovieID: id(3, 4002)}, at(4, 50_000)))
			}},
		{"Rooms", "with a word that all have", "rooms", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Rooms(ctx, watchparty.RoomFilter{Search: "movie night"}, found(at(4, 50_000), 1)))
			}},
		{"Rooms", "with a word that some have", "rooms", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Rooms(ctx, watchparty.RoomFilter{Search: "comed"}, found(at(4, 50_000), 4)))
			}},
		{"Rooms", "with a word that few have", "rooms", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Rooms(ctx, watchparty.RoomFilter{Search: "zebra mov"}, found(at(4, 50_000), 6)))
			}},
		{"Rooms", "with all filters", "rooms", searched, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.Rooms(ctx, watchparty.RoomFilter{Search: "nig", MovieID: id(3, 1), Available: true},
				found(at(4, 50_000), 4)))
		}},
		{
			"RoomsByPeople",
			"all",
			"participants",
			roomsWithPeople,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.RoomsByPeople(ctx, watchparty.RoomFilter{}, byPeople(at(4, 50_000))))
			},
		},
		{
			"RoomsByPeople",
			"with all filters",
			"participants",
			roomsWithPeople,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(
					s.RoomsByPeople(ctx, watchparty.RoomFilter{Available: true, MovieID: id(3, 1)}, byPeople(at(4, 50_000))),
				)
			},
		},
		{"ActiveRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.ActiveRooms(ctx, watchparty.RoomFilter{}, byTime(at(4, 50_000), 50_000, time.Second)))
		}},
		{
			"ActiveRooms",
			"with a place left",
			"rooms",
			pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ActiveRooms(ctx, watchparty.RoomFilter{Available: true}, byTime(at(4, 50_000), 50_000, time.Second)))
			},
		},
		{
			"ActiveRooms",
			"with a movie that many have",
			"rooms",
			pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(
					s.ActiveRooms(ctx, watchparty.RoomFilter{MovieID: id(3, 1)}, byTime(at(4, 50_000), 50_000, time.Second)),
				)
			},
		},
		{
			"ActiveRooms",
			"with a movie that few have",
			"rooms",
			pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(
					s.ActiveRooms(ctx, watchparty.RoomFilter{MovieID: id(3, 4002)}, byTime(at(4, 50_000), 50_000, time.Second)),
				)
			},
		},
		{"MyRooms", "of someone with thousands", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyRooms(ctx, id(1, 1), watchparty.MyRoomFilter{}, at(4, 50_000)))
			}},
		{"MyRooms", "of someone with few", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyRooms(ctx, id(1, 500), watchparty.MyRoomFilter{}, at(4, 50_000)))
			}},
		{"MyRooms", "as a moderator, open", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyRooms(ctx, id(1, 1), watchparty.MyRoomFilter{Role: watchparty.Moderator, Archived: ptr(false)},
					at(4, 50_000)))
			}},
		{"MyRooms", "as a host, archived", "rooms", 3 * pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyRooms(ctx, id(1, 1), watchparty.MyRoomFilter{Role: watchparty.Host, Archived: ptr(true)},
					at(4, 50_000)))
			}},
		{"MyRooms", "as a viewer", "rooms", 3 * pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.MyRooms(ctx, id(1, 1), watchparty.MyRoomFilter{Role: watchparty.Viewer}, at(4, 50_000)))
		}},
		{
			"MyRooms",
			"that are busy",
			"messages",
			3 * pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				p := at(4, 401)
				p.After = Keys{id(4, 401)}
				return list(s.MyRooms(ctx, id(1, 1), watchparty.MyRoomFilter{Role: watchparty.Host}, p))
			},
		},
		{"AnyRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{}, at(4, 50_000)))
		}},
		{"AnyRooms", "with a word that few have", "rooms", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{Search: "night 4999"}, found(at(4, 50_000), 4)))
			}},
		{"AnyRooms", "with a word that all have", "rooms", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{Search: "nig"}, found(at(4, 50_000), 4)))
			}},
		{"AnyRooms", "of a host with thousands", "rooms", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{HostID: id(1, 1)}, at(4, 50_000)))
			}},
		{"AnyRooms", "open", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomOpen}, at(4, 50_000)))
		}},
		{"AnyRooms", "archived", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomArchived}, at(4, 50_000)))
		}},
		{"AnyRooms", "closed", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.AnyRooms(ctx, watchparty.AdminRoomFilter{State: watchparty.AdminRoomClosed}, at(4, 50_000)))
		}},
		{"AnyMessages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AnyMessages(ctx, busy, at(10, 1000)))
			}},
		{"AbuseReports", "all", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AbuseReports(ctx, watchparty.AbuseFilter{}, at(15, 10_000)))
			}},
		{"AbuseReports", "open", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AbuseReports(ctx, watchparty.AbuseFilter{State: watchparty.AbuseOpen}, at(15, 10_000)))
			}},
		{"AbuseReports", "of a kind, open", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AbuseReports(ctx, watchparty.AbuseFilter{State: watchparty.AbuseOpen, Kind: watchparty.AbuseHate},
					at(15, 10_000)))
			}},
		{"AbuseReports", "of messages", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AbuseReports(ctx, watchparty.AbuseFilter{Target: watchparty.AbuseMessage}, at(15, 10_000)))
			}},
		{"AbuseReports", "about somebody", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.AbuseReports(ctx, watchparty.AbuseFilter{SubjectID: id(1, 1)}, at(15, 10_000)))
			}},
		{"ExportAbuseReports", "of someone who sent many", "abuse_reports", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportAbuseReports(ctx, id(1, 1), at(15, 1000)))
			}},
		{"Users", "admins", "users", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Users(ctx, watchparty.UserFilter{Admins: true}, at(1, 10_000)))
		}},
		{"Participants", "of a full room", "participants", watchparty.MaxCapacity,
			func(ctx context.Context, s *Store, _ func(kind, n int) Page) error {
				return list(s.Participants(ctx, busy))
			}},
		{"Messages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Messages(ctx, busy, at(10, 1000)))
			}},
		{"Messages", "of a quiet room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Messages(ctx, quiet, at(10, 900_000)))
			}},
		{"ChangedMessages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				p := at(10, 1000)
				if len(p.After) > 0 {
					p.After = append(Keys{time.Date(2026, 1, 1, 0, 16, 40, 0, time.UTC)}, p.After...)
				}
				return list(s.ChangedMessages(ctx, busy, p))
			}},
		{"ChangedMessages", "of a room without changes", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ChangedMessages(ctx, quiet, byTime(at(10, 1000), 1000, time.Second)))
			}},
		{"LastMessageChange", "of a busy room", "messages", 1,
			func(ctx context.Context, s *Store, _ func(kind, n int) Page) error {
				return list(s.LastMessageChange(ctx, busy))
			}},
		{"LastMessageChange", "of a room without changes", "messages", 1,
			func(ctx context.Context, s *Store, _ func(kind, n int) Page) error {
				return list(s.LastMessageChange(ctx, quiet))
			}},
		{"NewerMessages", "of a busy room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.NewerMessages(ctx, busy, at(10, 1000)))
			}},
		{"NewerMessages", "of a quiet room", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.NewerMessages(ctx, quiet, at(10, 900_000)))
			}},
		{"Bans", "of a room", "bans", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Bans(ctx, busy, at(12, 25500)))
		}},
		{"Mutes", "of a room", "mutes", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Mutes(ctx, busy, at(13, 10500)))
		}},
		{"Invitations", "to a room, all", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Invitations(ctx, busy, "", at(6, 20_000)))
			}},
		{"Invitations", "to a room, open", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Invitations(ctx, busy, watchparty.InvitationOpen, at(6, 20_000)))
			}},
		{"Invitations", "to a room, expired", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Invitations(ctx, busy, watchparty.InvitationExpired, at(6, 20_000)))
			}},
		{"Invitations", "to a room, declined", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Invitations(ctx, busy, watchparty.InvitationDeclined, at(6, 20_000)))
			}},
		{"MyInvitations", "to an address with thousands", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyInvitations(ctx, id(1, 1), at(6, 50_000)))
			}},
		{"MyInvitations", "to an address with none", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.MyInvitations(ctx, id(1, 600), at(6, 50_000)))
			}},
		{"Sessions", "of a user", "sessions", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.Sessions(ctx, id(1, 1), at(2, 5000)))
		}},
		{"Users", "all", "users", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Users(ctx, watchparty.UserFilter{}, at(1, 10_000)))
		}},
		{"Users", "by the beginning of a name", "users", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Users(ctx, watchparty.UserFilter{Search: "USER1999"}, found(at(1, 10_000), 2)))
			}},
		{"Users", "suspended", "users", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Users(ctx, watchparty.UserFilter{State: watchparty.UserSuspended}, at(1, 10_000)))
		}},
		{"Audit", "all", "audit", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Audit(ctx, watchparty.AuditFilter{}, at(7, 15_000)))
		}},
		{"Audit", "by actor", "audit", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Audit(ctx, watchparty.AuditFilter{ActorID: id(1, 1)}, at(7, 15_000)))
		}},
		{"Audit", "by target", "audit", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Audit(ctx, watchparty.AuditFilter{TargetID: id(1, 2)}, at(7, 15_000)))
		}},
		{"Audit", "by act", "audit", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Audit(ctx, watchparty.AuditFilter{Action: watchparty.AuditMovieUpdated}, at(7, 15_000)))
		}},
		{"OutboxEvents", "pending", "outbox", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.OutboxEvents(ctx, watchparty.EventPending, at(20, 10_000)))
			}},
		{"OutboxEvents", "abandoned", "outbox", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.OutboxEvents(ctx, watchparty.EventAbandoned, at(20, 10_000)))
			}},
		{"Emails", "all", "emails", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Emails(ctx, watchparty.EmailFilter{}, at(14, 30_000)))
		}},
		{"Emails", "of a kind", "emails", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Emails(ctx, watchparty.EmailFilter{Kind: watchparty.EmailReset}, at(14, 30_000)))
		}},
		{"Emails", "failed", "emails", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Emails(ctx, watchparty.EmailFilter{State: watchparty.EmailFailed}, at(14, 30_000)))
		}},
		{"Emails", "of a kind, failed", "emails", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Emails(ctx, watchparty.EmailFilter{Kind: watchparty.EmailReset, State: watchparty.EmailFailed},
					at(14, 30_000)))
			}},
		{"Emails", "to someone", "emails", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Emails(ctx, watchparty.EmailFilter{UserID: id(1, 1)}, at(14, 30_000)))
		}},
		{"ExportSessions", "of someone", "sessions", 5000, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportSessions(ctx, id(1, 1), at(2, 1000)))
		}},
		{"ExportAddresses", "of someone", "email_verifications", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportAddresses(ctx, id(1, 1), at(16, 1000)))
			}},
		{"ExportResets", "of someone", "password_resets", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportResets(ctx, id(1, 1), at(17, 1000)))
			}},
		{"ExportEmails", "of someone", "emails", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportEmails(ctx, id(1, 1), at(14, 1000)))
			}},
		{"ExportMemberships", "of someone", "members", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportMemberships(ctx, id(1, 1), at(4, 1000)))
			}},
		{"ExportPresence", "of someone", "participants", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportPresence(ctx, id(1, 1), at(4, 1000)))
			}},
		{"ExportActs", "of someone", "room_log", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportActs(ctx, id(1, 1), at(5, 1000)))
			}},
		{"ExportActsReceived", "of someone", "room_log", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportActsReceived(ctx, id(1, 1), at(5, 1000)))
			}},
		{"ExportAdminActs", "of someone", "audit", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportAdminActs(ctx, id(1, 1), at(7, 1000)))
			}},
		{"ExportAdminActsReceived", "of someone", "audit", 100,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportAdminActsReceived(ctx, id(1, 1), at(7, 1000)))
			}},
		{"ExportBansReceived", "of someone", "bans", 100, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportBansReceived(ctx, id(1, 1), at(12, 1000)))
		}},
		{"ExportMutesReceived", "of someone", "mutes", 100, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportMutesReceived(ctx, id(1, 1), at(13, 1000)))
		}},
		{"ExportReceived", "of someone", "invitations", 100, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportReceived(ctx, id(1, 1), at(6, 1000)))
		}},
		{
			"ExportReadMarkers",
			"of someone",
			"read_markers",
			pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportReadMarkers(ctx, id(1, 1), at(4, 1000)))
			},
		},
		{"ExportQueueItems", "of someone", "queue_items", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportQueueItems(ctx, id(1, 1), at(18, 1000)))
		}},
		{"ExportQueueVotes", "of someone", "queue_votes", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportQueueVotes(ctx, id(1, 1), at(18, 1000)))
		}},
		{"ExportParties", "of someone", "parties", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportParties(ctx, id(1, 1), at(22, 1000)))
		}},
		{"ExportPartyAnswers", "of someone", "party_answers", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.ExportPartyAnswers(ctx, id(1, 1), at(22, 1000)))
		}},
		{"PartyGuests", "of many", "party_answers", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.PartyGuests(ctx, id(22, 20), "", byTime(at(1, 500), 500, time.Second)))
		}},
		{"MyParties", "of someone", "parties", 100 * pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.MyParties(ctx, id(1, 500), byTime(at(22, 1000), -100, time.Hour)))
		}},
		{"ExportStays", "of someone", "stays", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			p := at(1, 1)
			if len(p.After) > 0 {
				p.After = Keys{"1000"}
			}
			return list(s.ExportStays(ctx, id(1, 1), p))
		}},
		{"ExportActiveDays", "of someone", "active_users", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				p := at(1, 1)
				if len(p.After) > 0 {
					p.After = Keys{"2026-02-01"}
				}
				return list(s.ExportActiveDays(ctx, id(1, 1), p))
			}},
		{"ExportMessages", "of someone who said much", "messages", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportMessages(ctx, id(1, 1), at(10, 1000)))
			}},
		{"ExportInvitations", "of someone", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportInvitations(ctx, id(1, 1), at(6, 1000)))
			}},
		{"ExportAccepted", "of someone", "invitations", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportAccepted(ctx, id(1, 3), at(6, 1000)))
			}},
		{"ExportBans", "of someone who gave many", "bans", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportBans(ctx, id(1, 1), at(12, 1000)))
			}},
		{"ExportMutes", "of someone who gave many", "mutes", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.ExportMutes(ctx, id(1, 1), at(13, 1000)))
			}},
		{"ExportAvatars", "of someone", "avatars", 100, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.ExportAvatars(ctx, id(1, 1), at(11, 1)))
		}},
		{"Movies", "with a word that few have", "movies", searched,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Movies(ctx, watchparty.MovieFilter{Search: "4242 nig"}, found(at(3, 2000), 4)))
			}},
		{"Movies", "of a genre", "movies", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Movies(ctx, watchparty.MovieFilter{Genre: "genre7"}, at(3, 2000)))
		}},
		{"Movies", "of a year", "movies", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Movies(ctx, watchparty.MovieFilter{YearFrom: 1924, YearTo: 1924}, at(3, 2000)))
		}},
		{"Movies", "archived", "movies", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Movies(ctx, watchparty.MovieFilter{Archived: true}, at(3, 2000)))
		}},
		{"Movies", "short ones", "movies", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Movies(ctx, watchparty.MovieFilter{RuntimeMax: 100}, at(3, 2000)))
		}},
		{"Movies", "all", "movies", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Movies(ctx, watchparty.MovieFilter{}, at(3, 2000)))
		}},
		{"RoomLog", "of a busy room", "room_log", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.RoomLog(ctx, busy, at(5, 30_000)))
			}},
		{"RoomLog", "of a quiet room", "room_log", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.RoomLog(ctx, id(4, 4000), at(5, 30_000)))
			}},
		{"Runs", "all", "cleanup_runs", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Runs(ctx, byTime(at(8, 2500), 2500, 24*time.Hour)))
		}},
		{"Webhooks", "all", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.Webhooks(ctx, at(20, 15)))
			}},
		{"WebhookDeliveries", "all of one", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				return list(s.WebhookDeliveries(ctx, id(20, 1), watchparty.WebhookDeliveryFilter{}, at(21, 15_000)))
			}},
		{"WebhookDeliveries", "in a state", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				filter := watchparty.WebhookDeliveryFilter{State: watchparty.WebhookFailed}
				return list(s.WebhookDeliveries(ctx, id(20, 1), filter, at(21, 15_000)))
			}},
		{"WebhookDeliveries", "of a kind", "webhook_deliveries", pageOfPlans,
			func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
				filter := watchparty.WebhookDeliveryFilter{Kind: watchparty.WebhookUserSuspended}
				return list(s.WebhookDeliveries(ctx, id(20, 1), filter, at(21, 15_000)))
			}},
		{"RetiredRooms", "all", "rooms", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.RetiredRooms(ctx, byTime(at(4, 50_000), 50_000, time.Second)))
		}},
		{"Reports", "all", "reports", pageOfPlans, func(ctx context.Context, s *Store, at func(kind, n int) Page) error {
			return list(s.Reports(ctx, "", at(9, 2500)))
		}},
		{"Reports", "of a kind", "reports", pageOfPlans, func(ctx context.Context, s *Store,
			at func(kind, n int) Page) error {
			return list(s.Reports(ctx, watchparty.ActivityReportKind, at(9, 2500)))
		}},
	}
	covered := map[string]bool{}
	for _, l := range lists {
		covered[l.method] = true
		for where, at := range map[string]func(kind, n int) Page{"first page": first, "a further page": further} {
			t.Run(fmt.Sprintf("%s, %s, %s", l.method, l.what, where), func(t *testing.T) {
				seen := &recorder{}
				recorded := *s
				recorded.db = s.DB().WithQueryHook(seen)
				require.NoError(t, l.run(t.Context(), &recorded, at))
				lists := slices.DeleteFunc(
					seen.statements, func(s string) bool { return strings.HasPrefix(s, "SELECT search_fold(") },
				) // reads no table
				if l.answered == searched && len(lists) == 2 {
					lists = lists[1:] // the first one has found nothing
				}
				require.Len(t, lists, 1, "a list is one statement")
				plan := explainStatement(t, s, lists[0])
				shown, err := json.Marshal(plan)
				require.NoError(t, err)
				require.Empty(t, plan.faults(rows, l.answered), "%s\n%s", lists[0], shown)
				require.True(t, plan.indexed(l.table), "%s\n%s", lists[0], shown)
			})
		}
	}
	for _, e := range ends { // every minute
		t.Run("what time ends, "+e.name(), func(t *testing.T) {
			plan := explainStatement(t, s, e.overdue())
			shown, err := json.Marshal(plan)
			require.NoError(t, err)
			require.Empty(t, plan.faults(rows, endBatch), "%s\n%s", e.overdue(), shown)
		})
	}
	for method := range reflect.TypeFor[*Store]().Methods() {
		for parameter := range method.Type.Ins() {
			if parameter == reflect.TypeFor[Page]() {
				require.True(t, covered[method.Name], "the list %s is not in this test", method.Name)
			}
		}
	}
}
