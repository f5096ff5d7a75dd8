package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func second[T any](_ T, err error) error { return err }

// runMeanwhile runs an operation while the holder is deleted or suspended. If it fails, its error has to be one for
// clients.
func runMeanwhile(t *testing.T, operation func(context.Context) error, act func() error) {
	t.Helper()
	var (
		wg     sync.WaitGroup
		failed error
		acted  error
	)
	start := make(chan struct{})
	wg.Go(func() { <-start; failed = operation(t.Context()) })
	wg.Go(func() { <-start; acted = act() })
	close(start)
	wg.Wait()
	require.NoError(t, acted)
	var coded *watchparty.Error
	if failed != nil && !errors.As(failed, &coded) {
		require.NoError(t, failed)
	}
}

// TestNobodyEntersWhoIsDeleted: no operation that runs during the deletion of an account stores something for it.
func TestNobodyEntersWhoIsDeleted(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	remains := map[string]string{
		"known_clients":       "user_id = ?",
		"queue_items":         "added_by = ?",
		"queue_votes":         "user_id = ?",
		"skip_votes":          "user_id = ?",
		"live_members":        "user_id = ?",
		"abuse_reports":       "reporter_id = ?",
		"read_markers":        "user_id = ?",
		"participants":        "user_id = ?",
		"members":             "user_id = ?",
		"bans":                "user_id = ?",
		"mutes":               "user_id = ?",
		"sessions":            "user_id = ?",
		"email_verifications": "user_id = ?",
		"password_resets":     "user_id = ?",
		"rooms":               "host_id = ?",
		"invitations":         "user_id = ?0 OR inviter_id = ?0 AND state = 'open'",
		"avatars":             "user_id = ? AND state IN ('processing', 'ready')",
		"emails":              "user_id = ? AND state IN ('queued', 'sending')",
		"users": "id = ? AND (is_admin OR email_verified_at IS NOT NULL OR avatar_version > 0 OR " +
			"display_name <> 'Deleted account')",
	}
	for name, prepare := range entering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				c := newCast(t, s, false)
				operation := prepare(c)
				runMeanwhile(t, operation, func() error {
					return s.withEvents(t.Context(), func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
						deletion, err := beginDeletion(ctx, tx, "deleted_at IS NULL", false, c.holder.ID)
						if err != nil {
							return nil, err
						}
						return deletion.run(ctx, tx)
					})
				})
				for table, condition := range remains {
					require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM "+table+" WHERE "+condition, c.holder.ID), table)
				}
			}
		})
	}
}

// passive are those of the operations that a suspension of the holder does not stop, with the reason.
var passive = map[string]string{
	"Ban":                       "the host does it, to the holder",
	"Mute":                      "the host does it, to the holder",
	"SetRole to moderator":      "the host does it; the role is of no use until the holder is reinstated",
	"GrantAdmin":                "an operator does it; the rights are of no use until the holder is reinstated",
	"GrantAdminTo":              "an admin does it; the rights are of no use until the holder is reinstated",
	"LeaveRoom by the host":     "the room passes on to somebody else",
	"QuitRoom by the host":      "the room passes on to somebody else",
	"DeleteAccount of the host": "the room passes on to somebody else",
	"Heartbeat":                 "it only notes that somebody is there",
	"RequestReset":              "anybody may ask; its answer tells nothing of the account",
	"ResetPassword":             "who has the mailbox may; it signs nobody in",
	"VerifyEmail":               "who has the mailbox may; it signs nobody in",
	"QueueReminder":             "the worker does it; it queues none, and that is no error",
	"PublishAvatar":             "the worker ends an upload that was accepted before",
	"RestoreMembers":            "it leaves out who is suspended, and that is no error",
	"RememberClient":            "it only lets a client guess more often",
}

// TestSuspendedAccountsDoNothing has each operation begin while a suspension is about to be committed: it waits for
// that, and is refused. One that looked at the account without a lock would succeed.
func TestSuspendedAccountsDoNothing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, prepare := range entering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCast(t, s, false)
			operation := prepare(c)
			tx, err := s.db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			var pid int
			require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
			_, err = tx.NewRaw("UPDATE users SET suspended_at = now() WHERE id = ?", c.holder.ID).Exec(t.Context())
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() { done <- operation(t.Context()) }()
			require.Eventually(t, func() bool {
				blocked := readValue[bool](
					t, s, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid)))", pid,
				)
				return blocked || len(done) > 0
			}, 30*time.Second, 10*time.Millisecond)
			require.NoError(t, tx.Commit())
			refused := <-done
			if passive[name] != "" {
				require.NoError(t, refused)
			} else {
				require.ErrorAs(t, refused, new(*watchparty.Error))
			}
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM rooms WHERE host_id = ? AND id = ?", c.holder.ID,
				c.room.ID))
		})
	}
}

// TestNobodyEntersWhoIsSuspended: no sign-in and no invitation outlives a suspension.
func TestNobodyEntersWhoIsSuspended(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, prepare := range entering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCast(t, s, false)
			operation := prepare(c)
			runMeanwhile(t, operation, func() error { return performAct[suspend](c) })
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM sessions WHERE user_id = ? AND revoked_at IS NULL",
				c.holder.ID))
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM invitations WHERE inviter_id = ? AND state = 'open'",
				c.holder.ID))
		})
	}
}

// TestEntersKnowsEveryMethod fails for a new method of the store until it is raced against a deletion, or has a reason
// not to be.
func TestEntersKnowsEveryMethod(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for name := range entering {
		method, _, _ := strings.Cut(name, " ")
		known[method] = true
	}
	for _, methods := range outside {
		for _, method := range methods {
			known[method] = true
		}
	}
	var unknown []string
	of := reflect.TypeFor[*Store]()
	for i := range of.NumMethod() {
		if name := of.Method(i).Name; !known[name] && !strings.HasPrefix(name, "Export") {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	require.Empty(
		t,
		unknown,
		"what do these store of an account that is being deleted? Add them to entering or outside in entering_test.go",
	)
}
