package cache

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// storm is processes that write versions of a few rows and read them through their caches. No read may give less than
// the newest version that was acknowledged before the read began.
type storm struct {
	pause     time.Duration // the longest between two writes of a process
	processes []*process
	announces bool // whether writers wait until all know of a change, as they must

	acknowledged [stormKeys]atomic.Int64
	writes       atomic.Int64
	hits         atomic.Int64
	stale        atomic.Int64
}

const (
	stormProcesses = 3
	stormKeys      = 5
	stormReaders   = 2 // a process
	stormTime      = 1500 * time.Millisecond
	stormBody      = 4 << 10
)

func (s *storm) write(ctx context.Context, p *process, key int) error {
	tag := fmt.Sprint("row:", key)
	tx, err := p.store.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it may be committed
	var version int64
	if err := tx.NewRaw("UPDATE versions SET version = version + 1 WHERE key = ? RETURNING version", key).
		Scan(ctx, &version); err != nil {
		return err
	}
	var transaction uint64
	if err := tx.NewRaw("INSERT INTO cache_changes (tags) VALUES (?) RETURNING transaction::text::bigint",
		pgdialect.Array([]string{tag})).Scan(ctx, &transaction); err != nil {
		return err
	}
	if s.announces {
		if err := p.member.Announce(ctx, coherence.Change{Transaction: transaction, Tags: []string{tag}}); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.writes.Add(1)
	for {
		last := s.acknowledged[key].Load()
		if last >= version || s.acknowledged[key].CompareAndSwap(last, version) {
			return nil
		}
	}
}

func (s *storm) read(ctx context.Context, p *process, key int) error {
	tag := fmt.Sprint("row:", key)
	least := s.acknowledged[key].Load()
	e, hit, err := p.Get(ctx, Query{Key: tag, Tags: []string{tag}, TTL: time.Minute},
		func(ctx context.Context) (Loaded, error) {
			var version int64
			err := p.store.DB().NewRaw("SELECT version FROM versions WHERE key = ?", key).Scan(ctx, &version)
			body := strconv.AppendInt(nil, version, 10)
			return Loaded{Body: append(body, bytes.Repeat([]byte(" "), stormBody)...)}, err
		})
	if err != nil {
		return err
	}
	if hit {
		s.hits.Add(1)
	}
	version, err := strconv.ParseInt(string(bytes.TrimSpace(e.Body)), 10, 64)
	if version < least {
		s.stale.Add(1)
	}
	return err
}

// run reads and writes for as long as course takes.
func (s *storm) run(t *testing.T, course func()) {
	t.Helper()
	_, err := s.processes[0].store.DB().ExecContext(t.Context(),
		"CREATE TABLE versions AS SELECT key, 0::bigint AS version FROM generate_series(0, ?) AS key", stormKeys-1)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	repeat := func(pause time.Duration, step func(key int) error) {
		for ctx.Err() == nil {
			if err := step(rand.IntN(stormKeys)); err != nil && !errors.Is(err, sql.ErrConnDone) {
				t.Errorf("%v", err)
				return
			}
			time.Sleep(rand.N(pause))
		}
	}
	for _, p := range s.processes {
		for range stormReaders {
			busy.Go(func() {
				repeat(time.Millisecond, func(key int) error {
					if rand.IntN(10) == 0 {
						p.local.Invalidate(fmt.Sprint("row:", key)) // so that Redis is asked
					}
					return s.read(context.Background(), p, key)
				})
			})
		}
		busy.Go(func() {
			repeat(s.pause, func(key int) error { return s.write(context.Background(), p, key) })
		})
	}
	course()
	stop()
	busy.Wait()
}

// stormInstallation has the timing and the waits of production. Its calls of Postgres may take longer: a writer who
// gives up would say nothing of reads.
func stormInstallation(t *testing.T) installation {
	i := install(t).eager()
	i.timing = coherence.DefaultTiming()
	i.timing.Call = calm().Call
	i.database.MaxConns = 5
	i.database.URL += "&lock_timeout=60000" // several writers may wait for one row, each for as long as a lease
	return i
}

func startStorm(t *testing.T, installations ...installation) *storm {
	s := &storm{announces: true, pause: 20 * time.Millisecond, processes: make([]*process, stormProcesses)}
	var starting sync.WaitGroup
	for n := range s.processes {
		starting.Go(func() { s.processes[n] = installations[n%len(installations)].start(t) })
	}
	starting.Wait()
	return s
}

func TestNoReadIsOlderThanWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	wait := func() { time.Sleep(stormTime) }
	tests := map[string]func(t *testing.T) (*storm, func()){
		"plain": func(t *testing.T) (*storm, func()) { return startStorm(t, stormInstallation(t)), wait },
		"redis is killed and comes back": func(t *testing.T) (*storm, func()) {
			s := ownServer(t)
			return startStorm(t, stormInstallation(t).on(s.url())), func() {
				time.Sleep(stormTime / 3)
				s.kill()
				time.Sleep(stormTime / 3)
				if err := s.start(); err != nil {
					t.Error(err)
				}
				wait()
			}
		},
		"redis loses everything": func(t *testing.T) (*storm, func()) {
			s := ownServer(t)
			raw := rawClient(t, s.url())
			return startStorm(t, stormInstallation(t).on(s.url())), func() {
				for range 30 {
					_ = raw.FlushAll(context.Background()).Err()
					time.Sleep(stormTime / 30)
				}
			}
		},
		"redis brings old entries back": func(t *testing.T) (*storm, func()) {
			s := ownServer(t)
			raw := rawClient(t, s.url())
			return startStorm(t, stormInstallation(t).on(s.url())), func() { restoreOld(raw) }
		},
		"the bus of one process is cut": func(t *testing.T) (*storm, func()) {
			i := stormInstallation(t)
			options, err := redis.ParseURL(stacktest.RedisURL())
			require.NoError(t, err)
			net := badnet.New(t, options.Addr)
			cut := i
			cut.busURL = "redis://" + net.Addr()
			return startStorm(t, i, i, cut), func() {
				for _, mode := range []badnet.Mode{badnet.Cut, badnet.Pass, badnet.Swallow, badnet.Pass, badnet.SwallowCalls} {
					net.Set(mode)
					time.Sleep(stormTime / 3)
				}
				net.Set(badnet.Pass)
			}
		},
		"redis takes 50 ms": func(t *testing.T) (*storm, func()) {
			s := ownServer(t)
			net := badnet.New(t, s.addr())
			i := stormInstallation(t)
			i.redis.Timeout = 500 * time.Millisecond // so that it is used
			i.busURL = s.url()
			storm := startStorm(t, i.on("redis://"+net.Addr()))
			storm.pause = 500 * time.Millisecond // an entry must outlive the exchanges that make it
			return storm, func() { net.Delay(50 * time.Millisecond); wait() }
		},
		"redis evicts": func(t *testing.T) (*storm, func()) {
			s := ownServer(t, "--maxmemory", "2mb", "--maxmemory-policy", "allkeys-random")
			raw := rawClient(t, s.url())
			return startStorm(t, stormInstallation(t).on(s.url())), func() {
				for n := range 300 {
					_ = raw.Set(context.Background(), fmt.Sprint("filler:", n), make([]byte, 64<<10), 0).Err()
					time.Sleep(stormTime / 300)
				}
			}
		},
		"redis is full": func(t *testing.T) (*storm, func()) {
			s := ownServer(t)
			raw := rawClient(t, s.url())
			return startStorm(t, stormInstallation(t).on(s.url())), func() {
				time.Sleep(stormTime / 3)
				_ = raw.ConfigSet(context.Background(), "maxmemory", "1").Err()
				wait()
			}
		},
		"redis becomes a replica of an older one": func(t *testing.T) (*storm, func()) {
			s, master := ownServer(t), ownServer(t)
			raw := rawClient(t, s.url())
			return startStorm(t, stormInstallation(t).on(s.url())), func() {
				time.Sleep(stormTime / 3)
				_ = raw.ReplicaOf(context.Background(), "127.0.0.1", strconv.Itoa(master.port)).Err()
				wait()
				_ = raw.ReplicaOf(context.Background(), "NO", "ONE").Err()
				time.Sleep(stormTime / 3)
			}
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, course := prepare(t)
			s.run(t, func() {
				course()
				require.Eventually(t, func() bool { return s.hits.Load() > 0 && s.writes.Load() > 0 }, patience, time.Millisecond,
					"a busy machine may be slow to begin")
			})
			require.Zero(t, s.stale.Load(), "of %d hits, with %d writes", s.hits.Load(), s.writes.Load())
		})
	}
}

// restoreOld puts back what Redis had a while ago, again and again.
func restoreOld(raw *redis.Client) {
	ctx := context.Background()
	old := map[string]string{}
	for n := range 60 {
		keys, _ := raw.Keys(ctx, "*e:*row:*").Result()
		for _, key := range keys {
			if value, known := old[key]; known && n%2 == 0 {
				_ = raw.Set(ctx, key, value, time.Minute).Err()
			} else if value, err := raw.Get(ctx, key).Result(); err == nil {
				old[key] = value
			}
		}
		time.Sleep(stormTime / 60)
	}
}

// The same finds a writer that does not wait until all processes know of its change.
func TestAWriterThatDoesNotWaitIsFound(t *testing.T) {
	t.Parallel()
	s := startStorm(t, stormInstallation(t))
	s.announces = false
	s.run(t, func() {
		deadline := time.Now().Add(patience)
		for s.stale.Load() == 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	})
	require.NotZero(t, s.stale.Load())
}
