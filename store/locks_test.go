package store

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// operation is a call of one method of the store, prepared on the people and the room of a cast.
type operation func(ctx context.Context) error

// writeTable are all operations that lock or change rows. A key is a method of the store, with a variant after a space.
// All of them are about one room and its people, so that any two of them meet at the same rows.
func writeTable() map[string]func(c *cast) operation {
	all := map[string]func(c *cast) operation{}
	maps.Copy(all, peopleWrites)
	maps.Copy(all, workWrites)
	for name, prepare := range entering {
		all[name] = func(c *cast) operation { return prepare(c) }
	}
	for _, policy := range tablePolicies() {
		all["CleanupBatch of "+string(policy)] = cleanUp(policy)
	}
	return all
}

// coverPairs makes groups of names, so that any two of them are together in some group.
func coverPairs(names []string, size int) (groups [][]string) {
	type pair [2]string
	missing := map[pair]bool{}
	for _, a := range names {
		for _, b := range names {
			missing[pair{a, b}] = a != b
		}
	}
	gain := func(group []string, name string) (n int) {
		if slices.Contains(group, name) {
			return 0
		}
		for _, other := range group {
			if missing[pair{name, other}] {
				n++
			}
		}
		return n
	}
	for {
		var group []string
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names { // begin with a pair that is missing
			if i := slices.IndexFunc(names, func(other string) bool { return missing[pair{name, other}] }); i >= 0 {
				group = []string{name, names[i]}
				break
			}
		}
		if group == nil {
			return groups
		}
		for len(group) < size {
			best := slices.MaxFunc(names, func(a, b string) int { return gain(group, a) - gain(group, b) })
			if gain(group, best) == 0 {
				break
			}
			group = append(group, best)
		}
		for _, a := range group {
			for _, b := range group {
				missing[pair{a, b}] = false
			}
		}
		groups = append(groups, group)
	}
}

// deadlocks counts the statements that Postgres ended because of a deadlock.
type deadlocks struct {
	n          atomic.Int64
	statements sync.Map
}

func (d *deadlocks) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (d *deadlocks) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	var answer pgdriver.Error
	if errors.As(e.Err, &answer) && answer.Field('C') == codeDeadlockDetected {
		d.n.Add(1)
		d.statements.Store(e.Query+"\n"+answer.Field('D')+"\n"+answer.Field('W'), true)
	}
}

// TestNoDeadlocks runs any two operations that write at the same time, on the same room and people. It demands that
// Postgres ends none of them because of a deadlock: all take their locks in the order that doc.go gives. Besides, none
// cancels a party in silence. LOCK_ROUNDS=n repeats it n times.
func TestNoDeadlocks(t *testing.T) {
	t.Parallel()
	const groupSize = 32
	s, err := Open(config.Database{URL: stacktest.MigratedURL(t) + "&deadlock_timeout=50ms", MaxConns: groupSize,
		StatementTimeout: time.Minute},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	s.SetEmailLimit(1000)
	seen := &deadlocks{}
	s.DB().AddQueryHook(seen)
	table := writeTable()
	var names []string
	for name := range table {
		names = append(names, name)
	}
	cancelled := 0
	rounds, _ := strconv.Atoi(os.Getenv("LOCK_ROUNDS"))
	for range max(rounds, 1) {
		groups := coverPairs(names, groupSize)
		for _, group := range groups {
			runTogether(t, s, table, group)
			cancelled += readValue[int](t, s, "SELECT count(*) FROM parties WHERE state = 'cancelled'")
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM parties WHERE "+untold), group)
		}
		t.Logf("%d operations in %d groups", len(names), len(groups))
	}
	require.NotZero(t, cancelled, "parties that were cancelled")
	seen.statements.Range(func(statement, _ any) bool {
		t.Log(statement)
		return true
	})
	require.Zero(t, seen.n.Load(), "deadlocks")
}

// resetCast gives everybody of a cast their first role back, and makes all but the guest admins.
func resetCast(c *cast) {
	execute(c.t, c.s, `
		UPDATE users SET email_verified_at = coalesce(email_verified_at, now()), is_admin = id <> ?3
			WHERE id IN (?0, ?1, ?2, ?3, ?4);
		DELETE FROM bans WHERE room_id = ?5;
		DELETE FROM mutes WHERE room_id = ?5;
		INSERT INTO members (room_id, user_id, role) VALUES (?5, ?1, 'moderator'), (?5, ?2, 'moderator'), (?5, ?3, 'viewer')
			ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role;
		INSERT INTO participants (room_id, user_id) VALUES (?5, ?0), (?5, ?1), (?5, ?2), (?5, ?3) ON CONFLICT DO NOTHING`,
		c.host.ID, c.holder.ID, c.deputy.ID, c.guest.ID, c.root.ID, c.room.ID)
}

// runTogether prepares operations on one cast and runs them at the same moment.
func runTogether(t *testing.T, s *Store, table map[string]func(c *cast) operation, group []string) {
	t.Helper()
	c := newCast(t, s, false)
	c.scheduleParty()
	// Preparations of clean-up change the cast, so that nothing can be prepared after them.
	group = slices.Clone(group)
	slices.SortStableFunc(group, func(a, b string) int {
		return strings.Compare(strconv.FormatBool(strings.HasPrefix(a, "Cleanup")),
			strconv.FormatBool(strings.HasPrefix(b, "Cleanup")))
	})
	operations := map[string]operation{}
	for _, name := range group {
		resetCast(c)
		operations[name] = table[name](c)
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for name, run := range operations {
		wg.Go(func() {
			<-start
			err := run(t.Context())
			var coded *watchparty.Error
			if err != nil && !errors.As(err, &coded) && !Unavailable(err) && !violates(err, "avatars_user_version_key") &&
				!errors.Is(err, errUntallied) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	close(start)
	wg.Wait()
}

// TestWriteTableKnowsEveryMethod fails for a new method of the store that is in no table: add it to peopleWrites or
// workWrites, or to the methods that read in outside.
func TestWriteTableKnowsEveryMethod(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for name := range writeTable() {
		method, _, _ := strings.Cut(name, " ")
		known[method] = true
	}
	for _, method := range slices.Concat(outside["reads"], outside["is no query"]) {
		known[method] = true
	}
	of := reflect.TypeFor[*Store]()
	for i := range of.NumMethod() {
		if name := of.Method(i).Name; !strings.HasPrefix(name, "Export") {
			require.True(t, known[name],
				"%s: add it to peopleWrites or workWrites, so that its locks are tested with those of all others", name)
		}
	}
}
