package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

// scenes are what policies apply to by a row's own columns. Each statement makes a row of one table by its ID and the
// moment that its policy counts from.
var scenes = []struct {
	name, table string
	policy      watchparty.Policy
	insert      string // ?0 the ID, ?1 the moment, ?2 a user, ?3 a room
}{
	{"confirmation", "email_verifications", watchparty.PolicyTokens,
		"INSERT INTO email_verifications (id, user_id, email, expires_at) VALUES (?0, ?2, 'x@y', ?1)"},
	{"reset", "password_resets", watchparty.PolicyTokens, "INSERT INTO password_resets (id, expires_at) VALUES (?0, ?1)"},
	{"session that expired", "sessions", watchparty.PolicySessions,
		"INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at) VALUES (?0, ?0, ?2, ?0::text::bytea, ?1)"},
	{
		"session that was ended",
		"sessions",
		watchparty.PolicySessions,
		"INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at, revoked_at) " +
			"VALUES (?0, ?0, ?2, ?0::text::bytea, now() + interval '9 d', ?1)",
	},
	{"client that signed in", "known_clients", watchparty.PolicySessions,
		"INSERT INTO known_clients (id, user_id, client_hash, expires_at) VALUES (?0, ?2, ?0::text::bytea, ?1)"},
	{
		"invitation",
		"invitations",
		watchparty.PolicyInvitations,
		"INSERT INTO invitations (id, room_id, email, state, expires_at, updated_at) " +
			"VALUES (?0, ?3, ?0, 'declined', now(), ?1)",
	},
	{"invitation that time has ended", "invitations", watchparty.PolicyInvitations,
		"INSERT INTO invitations (id, room_id, email, state, expires_at) VALUES (?0, ?3, ?0, 'open', ?1)"},
	{"party", "parties", watchparty.PolicyParties,
		`INSERT INTO parties (id, room_id, starts_at, time_zone, state, ended_at)
			VALUES (?0, ?3, now(), 'UTC', 'started', ?1)`},
	{
		"key",
		"idempotency_keys",
		watchparty.PolicyKeys,
		"INSERT INTO idempotency_keys (id, key_hash, fingerprint, resource_id, expires_at) " +
			"VALUES (?0, ?0::text::bytea, '', ?0, ?1)",
	},
	{"count of emails", "email_budgets", watchparty.PolicyKeys,
		"INSERT INTO email_budgets (id, budget, subject_hash, expires_at) VALUES (?0, 'recipient', ?0::text::bytea, ?1)"},
	{"report of abuse", "abuse_reports", watchparty.PolicyReports,
		`INSERT INTO abuse_reports (id, kind, target_kind, target_id, state, outcome, resolved_at)
			VALUES (?0, 'spam', 'user', ?0, 'resolved', 'acted', ?1)`},
	{
		"email",
		"emails",
		watchparty.PolicyEmails,
		"INSERT INTO emails (id, kind, subject_id, state, workflow_id, updated_at) " +
			"VALUES (?0, 'welcome', ?0, 'failed', '', ?1)",
	},
	{"delivery to a webhook", "webhook_deliveries", watchparty.PolicyWebhooks,
		insertWebhook + `INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, state, deadline_at,
			workflow_id, ended_at) VALUES (?0, ?0, ?0, 'room.opened', '{}', 'delivered', now(), '', ?1)`},
	{"webhook that was removed", "webhooks", watchparty.PolicyWebhooks,
		"INSERT INTO webhooks (id, url, kinds, secret, deleted_at) VALUES (?0, '', '{}', '', ?1)"},
	{
		"event",
		"outbox",
		watchparty.PolicyOutbox,
		"INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, started_at) " +
			"VALUES (?0, ?0, '', '', '{}', 'started', ?1)",
	},
	{
		"event that was given up",
		"outbox",
		watchparty.PolicyOutbox,
		"INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, updated_at) " +
			"VALUES (?0, ?0, '', '', '{}', 'abandoned', ?1)",
	},
	{
		"room that clean-up archived",
		"rooms",
		watchparty.PolicyArchived,
		"INSERT INTO rooms (id, name, visibility, capacity, archived_at, retired_at) VALUES (?0, '', 'public', 2, now(), ?1)",
	},
	{
		"room that its host deleted",
		"rooms",
		watchparty.PolicyArchived,
		"INSERT INTO rooms (id, name, visibility, capacity, archived_at, deleted_at) VALUES (?0, '', 'public', 2, now(), ?1)",
	},
	{
		"account",
		"users",
		watchparty.PolicyUnverified,
		"INSERT INTO users (id, username, email, display_name, password_hash, created_at) " +
			"VALUES (?0, 'u' || right(?0, 20), ?0 || '@y', '', '', ?1)",
	},
}

func TestPolicyThresholds(t *testing.T) {
	t.Parallel()
	atThresholds(t, policyThresholds)
}

func policyThresholds(t *testing.T, s *Store, threshold time.Time) {
	admin := newAdmin(t, s, fmt.Sprint("admin", threshold.Unix()))
	room := newRoom(t, s, admin, nil)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			gone := func(id string) bool {
				query := "SELECT NOT EXISTS (SELECT FROM " + scene.table + " WHERE id = ?)"
				if scene.policy == watchparty.PolicyUnverified { // its row follows when a workflow has removed the rest
					query = "SELECT deleted_at IS NOT NULL FROM users WHERE id = ?"
				}
				return readValue[bool](t, s, query, id)
			}
			want := map[string]bool{}
			var applies []string
			for _, d := range distances {
				id := newID()
				execute(t, s, scene.insert, id, threshold.Add(d.from), admin.ID, room.ID)
				want[id] = d.applies
				if d.applies {
					applies = append(applies, id)
				}
			}
			dry := newRun(t, s, admin, true)
			require.NoError(t, s.CountCleanup(t.Context(), dry.ID, scene.policy, threshold))
			rehearsed, err := s.Run(t.Context(), dry.ID)
			require.NoError(t, err)
			require.EqualValues(t, len(applies), rehearsed.Counts[scene.policy])
			require.ElementsMatch(t, applies, rehearsed.Samples[scene.policy], "a dry run names them")

			run := newRun(t, s, admin, false)
			require.Equal(t, len(applies), drainPolicy(t, s, run.ID, scene.policy, threshold))
			for id, applied := range want {
				require.Equal(t, applied, gone(id), id)
			}
			require.EqualValues(t, len(applies), readRunCounts(t, s, run.ID)[scene.policy])
			execute(t, s, "DELETE FROM "+scene.table+" WHERE id IN (?)", bun.List(sortedKeys(want)))
		})
	}
}

func sortedKeys(m map[string]bool) (all []string) {
	for key := range m {
		all = append(all, key)
	}
	return all
}

// drainPolicy applies a policy until there is nothing left, and returns of how many rows.
func drainPolicy(t *testing.T, s *Store, runID string, policy watchparty.Policy, threshold time.Time) (rows int) {
	t.Helper()
	var at Cursor
	for {
		b, err := s.CleanupBatch(t.Context(), runID, policy, threshold, 2, at)
		require.NoError(t, err)
		rows += b.Rows
		if !b.More {
			return rows
		}
		at = b.Next
	}
}

func TestCleanupOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	in := job.CleanupInput{RunID: newID(), Policies: watchparty.Policies()}
	require.NoError(t, s.BeginRun(t.Context(), in, "cleanup"))
	for _, policy := range tablePolicies() {
		require.NoError(t, s.CountCleanup(t.Context(), in.RunID, policy, time.Now()))
		require.Zero(t, drainPolicy(t, s, in.RunID, policy, time.Now()))
	}
	require.Len(t, readRunCounts(t, s, in.RunID), len(tablePolicies()))
}

// Rows that are still in use are kept, however old they are.
func TestPoliciesSpareWhatIsInUse(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	old := time.Now().Add(-1000 * time.Hour)
	for _, statement := range []string{
		"UPDATE users SET is_admin = true WHERE id = ?2",
		"INSERT INTO invitations (id, room_id, email, expires_at, updated_at) " +
			"VALUES (?0, ?3, 'x', now() + interval '1 h', ?1)",
		"INSERT INTO emails (id, kind, subject_id, state, workflow_id, updated_at) " +
			"VALUES (?0, 'welcome', ?0, 'queued', '', ?1)",
		"UPDATE emails SET updated_at = ?1", "UPDATE users SET created_at = ?1",
		"INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, created_at) VALUES (?0, ?0, '', '', '{}', ?1)",
		"INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at, rotated_at, created_at) " +
			"VALUES (?0, ?0, ?2, '', now() + interval '1 d', ?1, ?1)",
		"INSERT INTO rooms (id, name, visibility, capacity, archived_at, updated_at, last_active_at) " +
			"VALUES (?0, 'archived by its host', 'public', 2, ?1, ?1, ?1)",
	} {
		execute(t, s, statement, newID(), old, admin.ID, room.ID)
	}
	run := newRun(t, s, admin, false)
	for _, policy := range tablePolicies() {
		if policy == watchparty.PolicyParticipants {
			continue
		}
		require.Zero(t, drainPolicy(t, s, run.ID, policy, time.Now().Add(-time.Hour)), policy)
	}
}

// An unconfirmed account that is in use is kept.
func TestCleanupOfUnverifiedAccounts(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	unused, seen, signedIn, confirmed := newUser(t, s, "unused"), newUser(t, s, "seen"), newUser(t, s, "signedin"),
		newUser(t, s, "confirmed")
	hosted := newRoom(t, s, unused, nil)
	postMessage(t, s, hosted, unused, "hello")
	room := newRoom(t, s, admin, nil)
	joinRoom(t, s, room, seen)
	require.NoError(t, func() error {
		_, err := addSession(t.Context(), s.db, signedIn.ID, NewSession{TokenHash: []byte("x"), TTL: time.Hour})
		return err
	}())
	execute(t, s, "UPDATE users SET created_at = now() - interval '9 d' WHERE id <> ?", admin.ID)
	execute(t, s, "UPDATE users SET email_verified_at = now() WHERE id = ?", confirmed.ID)
	colleague := newUser(t, s, "colleague")
	execute(t, s, "UPDATE users SET is_admin = true, created_at = now() - interval '9 d' WHERE id = ?", colleague.ID)
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '9 d' WHERE user_id = ?", unused.ID)
	run := newRun(t, s, admin, false)
	tags := changesOf(s, func() {
		b, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyUnverified, time.Now().Add(-7*24*time.Hour), 10,
			Cursor{})
		require.NoError(t, err)
		require.Equal(t, 1, b.Rows)
	})
	require.ElementsMatch(t, append(coherence.TagsOfRooms([]string{hosted.ID}), coherence.TagProfile("unused"),
		coherence.TagPerson(unused.ID), coherence.TagAccount(unused.ID), coherence.TagMessages(hosted.ID)), tags)
	require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow_id = ?",
		"account-deletion/"+unused.ID), "the rest is promised")
	for _, user := range []watchparty.User{seen, signedIn, confirmed, admin, colleague} {
		_, err := s.User(t.Context(), user.ID)
		require.NoError(t, err, user.Username)
	}
}

// A batch finds its rows by an index, however many there are.
func TestRulesHaveIndexes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for policy, list := range rules {
		for _, r := range list {
			place := "2026-01-01"
			if r.by == "id" {
				place = newID()
			}
			for _, from := range []string{"", place} {
				var plan []string
				require.NoError(t, s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					for _, off := range []string{"seqscan", "bitmapscan", "sort"} { // what an index spares, if there is one
						if _, err := tx.ExecContext(ctx, "SET LOCAL enable_"+off+" = off"); err != nil {
							return err
						}
					}
					return tx.NewRaw("EXPLAIN "+r.selectAndLock(from), time.Now(), 1000, from).Scan(ctx, &plan)
				}))
				text := strings.Join(plan, "\n")
				require.Regexp(t, `Index (Only )?Scan( Backward)? using \w+ on `+r.table+` t`, text, "%s\n%s", policy, text)
				require.NotContains(t, text, "Sort", "%s\n%s", policy, text)
				if from != "" {
					require.Regexp(t, `Index Cond: .*\b`+r.by+` >= `, text, "%s\n%s", policy, text)
				}
			}
		}
	}
}

// The condition is checked again by the statement that deletes: a chosen row that is in use again is kept.
func TestPoliciesJudgeAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	threshold := time.Now().Add(-24 * time.Hour)
	applied := map[string]bool{}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			id := newID()
			execute(t, s, scene.insert, id, threshold.Add(-time.Hour), admin.ID, room.ID)
			for _, r := range rules[scene.policy] {
				var chosen, places []string
				require.NoError(t, s.db.NewRaw(r.selectAndLock(""), threshold, 10).Scan(t.Context(), &chosen, &places))
				if r.part || len(chosen) == 0 { // another rule's
					continue
				}
				require.Equal(t, []string{id}, chosen)
				execute(t, s, "UPDATE ? SET ? = now() WHERE id = ?", bun.Ident(r.table), bun.Ident(r.by), id)
				var b Batch
				require.NoError(t, s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					if r.users {
						_, err := r.deleteAccounts(ctx, tx, threshold, chosen, &b)
						return err
					}
					return r.change(ctx, tx, threshold, chosen, &b)
				}))
				require.Zero(t, b.Rows)
				require.True(t, readValue[bool](t, s, "SELECT EXISTS (SELECT FROM ? WHERE id = ?)", bun.Ident(r.table), id))
				execute(t, s, "UPDATE ? SET ? = ? WHERE id = ?", bun.Ident(r.table), bun.Ident(r.by), threshold.Add(-time.Hour), id)
				require.Equal(t, 1, drainPolicy(t, s, newRun(t, s, admin, false).ID, scene.policy, threshold),
					"it was its use that kept it")
				applied[r.table+r.by] = true
			}
		})
	}
	for _, policy := range tablePolicies() {
		for _, r := range rules[policy] {
			elsewhere := slices.Contains([]watchparty.Policy{
				watchparty.PolicyParticipants, watchparty.PolicyMessages, watchparty.PolicyRooms, watchparty.PolicyActivity,
			}, policy)
			require.True(
				t,
				elsewhere || r.part || applied[r.table+r.by],
				"add a scene for the rule by %s of %s, or the policy to elsewhere",
				r.by,
				r.table,
			)
		}
	}
}

// A person who uses an account while a batch is about to delete it keeps the account, or gets an error.
func TestCleanupSparesWhoSignsIn(t *testing.T) {
	t.Parallel()
	threshold := func() time.Time { return time.Now().Add(-7 * 24 * time.Hour) }
	setUp := func(t *testing.T) (*Store, watchparty.User, string) {
		s := openStore(t)
		admin, user := newAdmin(t, s, "admin"), newUser(t, s, "user")
		execute(t, s, "UPDATE users SET created_at = now() - interval '9 d' WHERE id = ?", user.ID)
		return s, user, newRun(t, s, admin, false).ID
	}

	t.Run("before the batch has the account", func(t *testing.T) {
		s, user, run := setUp(t)
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = addSession(t.Context(), tx, user.ID, NewSession{TokenHash: []byte("x"), TTL: time.Hour})
		require.NoError(t, err)
		require.Zero(t, drainPolicy(t, s, run, watchparty.PolicyUnverified, threshold()))
		require.NoError(t, tx.Commit())
		require.Zero(t, drainPolicy(t, s, run, watchparty.PolicyUnverified, threshold()))
		_, err = s.User(t.Context(), user.ID)
		require.NoError(t, err)
	})

	t.Run("after it has looked for sessions", func(t *testing.T) {
		s, user, run := setUp(t)
		execute(
			t,
			s,
			"INSERT INTO sessions (id, family_id, user_id, token_hash, expires_at, created_at) "+
				"VALUES (?0, ?0, ?1, 'old', now(), now() - interval '8 d')",
			newID(),
			user.ID,
		)
		b := raiseReadBarrier(t, s, "sessions")
		var (
			wg   sync.WaitGroup
			done Batch
			err  error
		)
		wg.Go(func() {
			done, err = s.CleanupBatch(t.Context(), run, watchparty.PolicyUnverified, threshold(), 10, Cursor{})
		})
		b.awaitStopped(t, 1, nil)
		execute(t, s,
			"INSERT INTO behind_barrier (id, family_id, user_id, token_hash, expires_at) VALUES (?0, ?0, ?1, 'new', now())",
			newID(), user.ID)
		b.release(t)
		wg.Wait()
		require.NoError(t, err)
		require.True(t, done.More, "it was chosen")
		require.Zero(t, done.Rows)
		_, err = s.User(t.Context(), user.ID)
		require.NoError(t, err)
	})

	t.Run("once the batch has the account", func(t *testing.T) {
		s, user, run := setUp(t)
		b := raiseBarrier(t, s, "UPDATE", "users")
		var (
			wg        sync.WaitGroup
			done      Batch
			errBatch  error
			errSignIn error
		)
		wg.Go(func() {
			done, errBatch = s.CleanupBatch(t.Context(), run, watchparty.PolicyUnverified, threshold(), 10, Cursor{})
		})
		b.awaitStopped(t, 1, nil)
		wg.Go(func() {
			_, errSignIn = s.LogIn(t.Context(), user.ID, "hash of user", NewSession{TokenHash: []byte("x"), TTL: time.Hour})
		})
		b.awaitStopped(t, 2, nil)
		b.release(t)
		wg.Wait()
		require.NoError(t, errBatch)
		require.Equal(t, 1, done.Rows)
		require.ErrorIs(t, errSignIn, watchparty.ErrBadCredentials)
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM sessions WHERE user_id = ?", user.ID))
	})
}

// TestCleanupLocksRoomsBeforeAccounts: while a batch waits for a room, it holds no account that the room's holder may
// need.
func TestCleanupLocksRoomsBeforeAccounts(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin, user := newAdmin(t, s, "admin"), newUser(t, s, "user")
	room := newRoom(t, s, user, nil)
	execute(t, s, "DELETE FROM participants")
	execute(t, s, "UPDATE users SET created_at = now() - interval '9 d' WHERE id = ?", user.ID)
	run := newRun(t, s, admin, false).ID

	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	var pid int
	require.NoError(t, tx.NewRaw("SELECT pg_backend_pid() FROM rooms WHERE id = ? FOR UPDATE", room.ID).
		Scan(t.Context(), &pid))
	var (
		wg       sync.WaitGroup
		done     Batch
		errBatch error
	)
	wg.Go(func() {
		done, errBatch = s.CleanupBatch(t.Context(), run, watchparty.PolicyUnverified, time.Now().Add(-7*24*time.Hour), 10,
			Cursor{})
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var waiting int
		assert.NoError(c, s.db.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid))", pid).
			Scan(t.Context(), &waiting))
		assert.Equal(c, 1, waiting)
	}, patience, 5*time.Millisecond)
	_, errLock := tx.NewRaw("SELECT FROM users WHERE id = ? FOR SHARE NOWAIT", user.ID).Exec(t.Context())
	require.NoError(t, tx.Rollback())
	wg.Wait()
	require.NoError(t, errLock, "the batch does not hold the account")
	require.NoError(t, errBatch)
	require.Equal(t, 1, done.Rows)
}

// A batch begins where the one before ended, and the last one looks once more at all.
func TestCleanupGoesOn(t *testing.T) {
	t.Parallel()
	s := openStoreInZone(t, "Pacific/Kiritimati")
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	threshold := time.Now().Add(-24 * time.Hour)
	add := func(at time.Time, n int) {
		execute(t, s,
			"INSERT INTO messages (id, room_id, body, created_at) SELECT gen_random_uuid(), ?, '', ? FROM generate_series(1, ?)",
			room.ID, at, n)
	}

	t.Run("not from the beginning", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		for hour := range 6 {
			add(threshold.Add(time.Duration(hour-10)*time.Hour), 1)
		}
		b, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, threshold, 2, Cursor{})
		require.NoError(t, err)
		require.Equal(t, 2, b.Rows)
		add(threshold.Add(-100*time.Hour), 1)
		for range 2 {
			b, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, threshold, 2, b.Next)
			require.NoError(t, err)
			require.Equal(t, 2, b.Rows)
			require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM messages WHERE created_at = ?",
				threshold.Add(-100*time.Hour)))
		}
		for _, rows := range []int{1, 0} {
			b, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, threshold, 2, b.Next)
			require.NoError(t, err)
			require.Equal(t, rows, b.Rows)
		}
		require.False(t, b.More)
		require.Zero(t, countRows(t, s, "messages"))
	})

	t.Run("with rows of one moment", func(t *testing.T) {
		add(threshold.Add(-time.Hour), 7)
		require.Equal(t, 7, drainPolicy(t, s, newRun(t, s, admin, false).ID, watchparty.PolicyMessages, threshold))
	})

	t.Run("past a row that somebody holds, and back to it", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		add(threshold.Add(-100*time.Hour), 1)
		add(threshold.Add(-time.Hour), 4)
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(t.Context(), "SELECT FROM messages WHERE created_at = ? FOR UPDATE",
			threshold.Add(-100*time.Hour))
		require.NoError(t, err)
		b, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, threshold, 3, Cursor{})
		require.NoError(t, err)
		require.Equal(t, 3, b.Rows)
		require.NoError(t, tx.Rollback())
		for _, rows := range []int{1, 1, 0} {
			b, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, threshold, 3, b.Next)
			require.NoError(t, err)
			require.Equal(t, rows, b.Rows)
		}
	})

	t.Run("with the next rule, room by room", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		for n := range 3 { // the messages of later rooms are older
			id := newID()
			execute(t, s,
				"INSERT INTO rooms (id, name, visibility, capacity, archived_at, deleted_at) VALUES (?, '', 'public', 2, now(), ?)",
				id, threshold.Add(time.Duration(n-10)*time.Hour))
			execute(
				t,
				s,
				"INSERT INTO messages (id, room_id, body) "+
					"SELECT (lpad(?::text, 8, '0') || '-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, ?, '' "+
					"FROM generate_series(1, 5) AS n",
				9-n,
				id,
			)
		}
		b := raiseBarrier(t, s, "DELETE", "rooms") // by then they are to be empty
		var (
			wg   sync.WaitGroup
			rows int
		)
		wg.Go(func() { rows = drainPolicy(t, s, run.ID, watchparty.PolicyArchived, threshold) })
		b.awaitStopped(t, 1, nil)
		require.Zero(t, countRows(t, s, "messages"))
		b.release(t)
		wg.Wait()
		require.Equal(t, 3, rows)
	})
}
