package coherence_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(stacktest.With(m, devstack.Redis, devstack.Postgres), stacktest.Redialing())
}

// silent drops what go-redis prints of failed dials.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// patience bounds what is waited for, on a machine that is busy with other tests.
const patience = time.Minute

// calm is a timing with which leases do not get lost on a busy machine, and all answers arrive in time.
func calm() coherence.Timing {
	timing := coherence.DefaultTiming()
	timing.Lease, timing.AckTimeout, timing.Call = patience, patience, patience
	timing.RenewSoon, timing.List = time.Millisecond, 5*time.Millisecond
	return timing
}

// impatient is calm with writers that do not wait long for answers.
func impatient() coherence.Timing {
	timing := calm()
	timing.AckTimeout, timing.RenewSoon = 20*time.Millisecond, 10*time.Millisecond
	return timing
}

// installation is a database and a Redis that processes share.
type installation struct {
	database config.Database
	redis    config.Redis
	timing   coherence.Timing
}

func install(t testing.TB, timing coherence.Timing) installation {
	return installation{
		database: config.Database{
			URL:              stacktest.MigratedURL(t) + "&lock_timeout=60000",
			MaxConns:         10,
			StatementTimeout: 20 * time.Second,
		},
		redis:  config.Redis{KeyPrefix: stacktest.KeyPrefix(t)},
		timing: timing,
	}
}

// journal is a journal that a test can break.
type journal struct {
	coherence.Journal
	onRenew  atomic.Pointer[func(context.Context) error]
	onRecord atomic.Pointer[func(context.Context) error]
	change   atomic.Pointer[func(*coherence.Renewal)]
}

func (j *journal) Renew(ctx context.Context, r coherence.Row, s coherence.Snapshot) (coherence.Renewal, error) {
	if f := j.onRenew.Load(); f != nil {
		if err := (*f)(ctx); err != nil {
			return coherence.Renewal{}, err
		}
	}
	renewal, err := j.Journal.Renew(ctx, r, s)
	if f := j.change.Load(); f != nil {
		(*f)(&renewal)
	}
	return renewal, err
}

func (j *journal) Record(ctx context.Context, c coherence.Change) (uint64, error) {
	if f := j.onRecord.Load(); f != nil {
		if err := (*f)(ctx); err != nil {
			return 0, err
		}
	}
	return j.Journal.Record(ctx, c)
}

var errBroken = errors.New("broken")

func breakCall(context.Context) error { return errBroken }

// blockRenewals has renewals wait until the function that it returns is called.
func (j *journal) blockRenewals() (release func()) {
	released := make(chan struct{})
	block := func(ctx context.Context) error {
		select {
		case <-released:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	j.onRenew.Store(&block)
	return func() { close(released) }
}

// process is one of an installation's.
type process struct {
	*coherence.Member
	bus     *bus.Bus
	net     *badnet.Proxy // before Redis
	journal *journal
	store   *store.Store
	stop    func() // ends it before the end of the test
}

// start starts a process and waits until it holds a lease.
func (i installation) start(t testing.TB) *process {
	t.Helper()
	p := i.startWith(t, true)
	p.requireLease(t)
	return p
}

func (i installation) startWith(t testing.TB, reads bool) *process {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(i.database, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	options, err := redis.ParseURL(stacktest.RedisURL())
	require.NoError(t, err)
	p := &process{net: badnet.New(t, options.Addr), journal: &journal{Journal: s.Journal()}, store: s}
	client, err := cache.Connect(config.Redis{URL: "redis://" + p.net.Addr()}, bus.Timeout, nil)
	require.NoError(t, err)
	p.bus = bus.New(client, i.redis, log)
	p.Member = coherence.NewMember(p.journal, p.bus, coherence.Options{Reads: reads, Timing: i.timing, Log: log})
	s.OnChange(p.Announce)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.bus.Run(ctx) })
	running.Go(func() { _ = p.Run(ctx) })
	p.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		require.NoError(t, client.Close())
		require.NoError(t, s.Close())
	})
	t.Cleanup(p.stop)
	return p
}

func (p *process) requireLease(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Lease().InForce() && p.bus.Healthy() }, patience, time.Millisecond)
}

// begin begins a transaction that has an ID.
func (p *process) begin(t testing.TB) (bun.Tx, uint64) {
	t.Helper()
	tx, err := p.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var id uint64
	require.NoError(t, tx.NewRaw("SELECT pg_current_xact_id()::text::bigint").Scan(t.Context(), &id))
	return tx, id
}

// write commits a transaction that changes the tag as the store does. beforeCommit is called after the announcement.
func (p *process) write(t testing.TB, tag string, beforeCommit func(transaction uint64)) {
	t.Helper()
	tx, id := p.begin(t)
	_, err := tx.ExecContext(t.Context(), "INSERT INTO cache_changes (tags) VALUES (ARRAY[?])", tag)
	require.NoError(t, err)
	require.NoError(t, p.Announce(t.Context(), coherence.Change{Transaction: id, Tags: []string{tag}}))
	beforeCommit(id)
	require.NoError(t, tx.Commit())
}

// writes is write with a check that each process that may read cached data knows the change before the commit.
func (p *process) writes(t testing.TB, tag string, readers ...*process) {
	t.Helper()
	p.write(t, tag, func(transaction uint64) {
		for i, r := range append(readers, p) {
			require.False(t, r.Lease().InForce() && !r.knows(transaction, tag), "process %d does not know the change", i)
		}
	})
}

// knows reports whether the ledger has a change.
func (p *process) knows(transaction uint64, tag string) bool {
	before := coherence.Snapshot{Oldest: transaction, Next: transaction}
	return !p.Ledger().Fresh(before, []string{tag})
}

func TestAChangeIsInAllLedgersBeforeTheCommit(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	all := []*process{i.start(t), i.start(t), i.start(t)}
	for n := range 30 {
		tag := fmt.Sprint("room:", n)
		all[n%3].write(t, tag, func(transaction uint64) {
			for _, p := range all {
				require.True(t, p.knows(transaction, tag))
				require.True(t, p.Lease().InForce())
			}
		})
	}
	for _, p := range all {
		stats := p.Stats()
		require.EqualValues(t, 10, stats.Announced)
		require.Zero(t, stats.Recorded)
		require.Zero(t, stats.Lost)
		require.True(t, stats.Held)
	}
}

func TestOneProcessWaitsForNobody(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p := i.start(t)
	i.startWith(t, false) // uses no cached data
	p.writes(t, "room:1")
	require.Zero(t, p.Stats().Announced)
}

// Whatever a process' message bus does, a change is known before the commit, and at once after the fault.
func TestTheBusFails(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]badnet.Mode{
		"is cut": badnet.Cut, "is silent": badnet.Swallow, "loses what is sent": badnet.SwallowCalls,
	} {
		for _, who := range []string{"writer", "reader"} {
			t.Run(name+" at the "+who, func(t *testing.T) {
				t.Parallel()
				i := install(t, impatient())
				writer, reader, other := i.start(t), i.start(t), i.start(t)
				broken := writer
				if who == "reader" {
					broken = reader
				}
				broken.net.Set(mode)
				for broken.bus.Healthy() {
					writer.writes(t, "room:1", reader, other)
				}
				for range 5 {
					writer.writes(t, "room:2", reader, other)
				}
				if mode != badnet.Cut { // which a process notices at once
					require.NotZero(t, writer.Stats().Recorded)
				}
				require.Eventually(t, func() bool { return !broken.Lease().InForce() }, patience, time.Millisecond,
					"the lease is given back")

				broken.net.Set(badnet.Pass)
				broken.requireLease(t)
				require.Eventually(t, func() bool { // a busy machine may be late with an answer
					before := writer.Stats()
					writer.writes(t, "room:3", reader, other)
					return writer.Stats().Announced > before.Announced && writer.Stats().Recorded == before.Recorded
				}, patience, time.Millisecond)
			})
		}
	}
}

// A reader that has not answered shows in the database that it knows, and keeps its lease.
func TestAWriterIsToldByTheDatabaseThatAReaderKnows(t *testing.T) {
	t.Parallel()
	i := install(t, impatient()) // with a lease of a minute, which a test that waits for its end would not survive
	writer, reader := i.start(t), i.start(t)
	require.Eventually(t, func() bool { // on a busy machine the reader finds that its bus fails before it renews
		reader.net.Set(badnet.Pass)
		reader.requireLease(t)
		reader.net.Set(badnet.SwallowCalls)
		lease, recorded := reader.Lease(), writer.Stats().Recorded
		writer.writes(t, "room:1", reader)
		return lease.InForce() && writer.Stats().Recorded > recorded
	}, patience, time.Millisecond)
}

// frozen is a timing whose leases end soon, and whose readers are slow to renew.
func frozen() coherence.Timing {
	timing := impatient()
	timing.Lease = 2 * time.Second
	return timing
}

// A process that neither answers nor renews holds a writer up until its lease has ended, and then no longer.
func TestAProcessThatStops(t *testing.T) {
	t.Parallel()
	i := install(t, frozen())
	writer, reader := i.start(t), i.start(t)
	release := reader.journal.blockRenewals()
	reader.net.Set(badnet.Swallow)
	start := time.Now()
	writer.writes(t, "room:1", reader)
	took := time.Since(start)
	require.Less(t, took, 10*i.timing.Lease)
	require.False(t, reader.Lease().InForce())

	// When its row has not changed for the length of a lease, writers no longer wait for it.
	require.Eventually(t, func() bool {
		before := writer.Stats().Announced
		writer.writes(t, "room:2", reader)
		return writer.Stats().Announced == before
	}, patience, time.Millisecond)

	release()
	reader.net.Set(badnet.Pass)
	reader.requireLease(t)
	writer.write(t, "room:3", func(transaction uint64) { require.True(t, reader.knows(transaction, "room:3")) })
}

// Its renewals alone do not hold a writer up: it answers over the message bus.
func TestAProcessWhoseRenewalsHangAnswers(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	writer, reader := i.start(t), i.start(t)
	release := reader.journal.blockRenewals()
	writer.write(t, "room:1", func(transaction uint64) { require.True(t, reader.knows(transaction, "room:1")) })
	require.EqualValues(t, 1, writer.Stats().Announced)
	require.Zero(t, writer.Stats().Recorded)
	release()
}

func TestAProcessThatEndsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	writer, reader := i.start(t), i.start(t)
	reader.stop()
	require.Eventually(t, func() bool {
		writer.writes(t, "room:1")
		return writer.Stats().Announced == 0
	}, patience, time.Millisecond)
}

// A process that has given its lease back for good does not ask for another one when it still commits something.
func TestAProcessThatHasEndedMayWrite(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p, reader := i.startWith(t, true), i.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, p.Run(ctx))
	p.writes(t, "room:1", reader)
	rows := func() (asks int) {
		renewal, err := p.journal.Journal.Renew(t.Context(), coherence.Row{Process: "4b0ab8ab-9a50-4a3c-94e3-61f46ae3ee5d"},
			coherence.Snapshot{})
		require.NoError(t, err)
		for _, row := range renewal.Rows {
			if row.Process == p.bus.Process() && row.Reads {
				asks++
			}
		}
		return asks
	}
	time.Sleep(2 * i.timing.List) // so that the list is read anew
	p.writes(t, "room:1", reader)
	require.Zero(t, rows())
}

// A process that joins uses no cached data while a transaction runs whose writer may not know of it.
func TestAProcessJoinsAfterTransactionsThatMayNotKnowOfIt(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	writer := i.start(t)
	tx, id := writer.begin(t)
	require.NoError(t, writer.Announce(t.Context(), coherence.Change{Transaction: id, Tags: []string{"room:1"}}))
	joining := i.startWith(t, true)
	require.Never(t, func() bool { return joining.Lease().InForce() }, 100*i.timing.List, time.Millisecond)
	_, err := tx.ExecContext(t.Context(), "INSERT INTO cache_changes (tags) VALUES (ARRAY['room:1'])")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	joining.requireLease(t)
	require.True(t, joining.knows(id, "room:1"))
}

func TestAnErrorOfTheJournalIsOneOfTheTransaction(t *testing.T) {
	t.Parallel()
	i := install(t, frozen())
	writer, reader := i.start(t), i.start(t)
	broken := breakCall
	announce := func() error {
		tx, id := writer.begin(t)
		defer tx.Rollback() //nolint:errcheck // nothing was done
		return writer.Announce(t.Context(), coherence.Change{Transaction: id, Tags: []string{"room:1"}})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Eventually(t, func() bool { // on a busy machine the reader gives its lease back before it is waited for
		reader.net.Set(badnet.Pass)
		reader.requireLease(t)
		reader.net.Set(badnet.Swallow)
		gaveUp := writer.Announce(ctx, coherence.Change{Transaction: 1, Tags: []string{"room:1"}})
		writer.journal.onRecord.Store(&broken)
		defer writer.journal.onRecord.Store(nil)
		return errors.Is(gaveUp, context.Canceled) && errors.Is(announce(), errBroken)
	}, patience, time.Millisecond, "a change that could not be recorded")
	require.NoError(t, announce())

	writer.journal.onRenew.Store(&broken)
	require.Eventually(t, func() bool { return errors.Is(announce(), errBroken) }, patience, time.Millisecond,
		"a list that is too old")
	writer.journal.onRenew.Store(nil)
	require.NoError(t, announce())
}

// Another database, or the same one after a failover, has other transactions. All changes are read again, also those
// that this process has read in the former one.
func TestAnotherGeneration(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p := i.start(t)
	former := p.Generation()
	require.NotEmpty(t, former)
	var known uint64
	p.write(t, "room:1", func(transaction uint64) { known = transaction })
	var void atomic.Bool
	snapshot, err := p.journal.Snapshot(t.Context())
	require.NoError(t, err)
	require.True(t, p.Ledger().Admit(snapshot, []string{"room:2"}, &void))
	require.Eventually(t, func() bool { // it has read the change from the database, too
		recent, err := p.Snapshot(t.Context(), nil)
		return err == nil && recent.Ended(known)
	}, patience, time.Millisecond)
	lease := p.Lease()

	rename := func(r *coherence.Renewal) { r.Generation = "another" }
	p.journal.change.Store(&rename)
	require.Eventually(t, func() bool { return p.Generation() == "another" }, patience, time.Millisecond)
	require.True(t, void.Load())
	require.False(t, lease.InForce())
	p.requireLease(t)
	require.False(t, lease.InForce(), "it has another lease")
	require.True(t, p.knows(known, "room:1"), "changes from before are known")
	require.EqualValues(t, 1, p.Stats().Lost)
}

// Changes are removed that a process has not read. It begins anew, and data from before is not fresh.
func TestHorizon(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	writer, late := i.start(t), i.start(t)
	var old, recent uint64
	before, err := writer.journal.Snapshot(t.Context())
	require.NoError(t, err)
	lease := late.Lease()
	require.True(t, lease.InForce())
	release := late.journal.blockRenewals()
	writer.write(t, "room:1", func(transaction uint64) { old = transaction })
	_, err = writer.store.DB().ExecContext(t.Context(), "UPDATE cache_changes SET created_at = now() - interval '1 hour'")
	require.NoError(t, err)
	writer.write(t, "room:2", func(transaction uint64) { recent = transaction })
	require.Eventually(t, func() bool { // transactions of other tests may be older
		require.NoError(t, writer.journal.Prune(t.Context(), nil))
		var left int
		require.NoError(t, writer.store.DB().NewRaw("SELECT count(*) FROM cache_changes").Scan(t.Context(), &left))
		return left == 1
	}, patience, time.Millisecond)

	release()
	require.Eventually(t, func() bool { return !lease.InForce() }, patience, time.Millisecond)
	late.requireLease(t)
	for _, p := range []*process{writer, late} {
		require.Eventually(t, func() bool { return !p.Ledger().Fresh(before, []string{"room:3"}) }, patience,
			time.Millisecond, "a snapshot that does not see past the horizon")
		require.True(t, p.knows(recent, "room:2"), "what was not removed")
		now, err := p.journal.Snapshot(t.Context())
		require.NoError(t, err)
		require.True(t, p.Ledger().Fresh(now, []string{"room:1", "room:3"}))
	}
	require.Greater(t, recent, old)
}

// A process that begins, or has not read for long, does not read more changes than it can in time. Data from before
// those that it has read is not fresh.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	writer, late := i.start(t), i.start(t)
	before, err := writer.journal.Snapshot(t.Context())
	require.NoError(t, err)
	lease := late.Lease()
	require.True(t, lease.InForce())
	release := late.journal.blockRenewals()
	var recent uint64
	writer.write(t, "room:1", func(uint64) {})
	_, err = writer.store.DB().ExecContext(t.Context(),
		"INSERT INTO cache_changes (tags) SELECT ARRAY['profile:' || n] FROM generate_series(1, 100000) AS n")
	require.NoError(t, err)
	writer.write(t, "room:2", func(transaction uint64) { recent = transaction })

	release()
	require.Eventually(t, func() bool { return !lease.InForce() }, patience, time.Millisecond)
	late.requireLease(t)
	for _, p := range []*process{late, i.start(t)} {
		require.False(t, p.Ledger().Fresh(before, []string{"room:1"}))
		require.True(t, p.knows(recent, "room:2"))
		require.Less(t, p.Stats().Tags, 50_000)
		now, err := p.journal.Snapshot(t.Context())
		require.NoError(t, err)
		require.True(t, p.Ledger().Fresh(now, []string{"room:1", "room:2"}))
	}
}

// A dump from another server brings a horizon and changes of transactions that have yet to come. They are not used, and
// are removed.
func TestDumpFromAnotherServer(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	s, err := store.Open(i.database, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	const foreign = "1000000000000"
	for _, query := range []string{
		"UPDATE cache_horizon SET transaction = ?",
		"INSERT INTO cache_changes (transaction, recorded, tags) VALUES (?0, ?0, ARRAY['room:1'])",
	} {
		_, err := s.DB().NewRaw(query, foreign).Exec(t.Context())
		require.NoError(t, err)
	}

	p := i.start(t)
	fresh := func() bool {
		snapshot, err := p.journal.Snapshot(t.Context())
		return err == nil && p.Ledger().Fresh(snapshot, []string{"room:1"})
	}
	require.True(t, fresh())
	require.NoError(t, p.journal.Prune(t.Context(), nil))
	var left int
	require.NoError(t, s.DB().NewRaw("SELECT count(*) FROM cache_changes, cache_horizon AS h "+
		"WHERE h.transaction = ?0 OR recorded = ?0", foreign).Scan(t.Context(), &left))
	require.Zero(t, left)
	p.write(t, "room:1", func(uint64) { require.False(t, fresh()) })
	require.Eventually(t, fresh, patience, time.Millisecond)
}

// A process is forgotten when its row has not changed for long, by the clock of the one who looks, and not because the
// database's clock was set forward.
func TestForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p := i.start(t)
	row := coherence.Row{Process: uuid.NewString(), Turn: 7}
	_, err := p.store.DB().NewRaw("INSERT INTO cache_members (process, turn, reads, deaf, seen, renewed_at) "+
		"VALUES (?, ?, false, false, '1:1:', now() - interval '1 day')", row.Process, row.Turn).Exec(t.Context())
	require.NoError(t, err)
	for _, c := range []struct {
		gone []coherence.Row
		left bool
	}{
		{nil, true},
		{[]coherence.Row{{Process: row.Process, Turn: row.Turn - 1}}, true}, // it has renewed since
		{[]coherence.Row{{Process: uuid.NewString(), Turn: row.Turn}}, true},
		{[]coherence.Row{row}, false},
	} {
		require.NoError(t, p.journal.Prune(t.Context(), c.gone))
		var left bool
		require.NoError(t, p.store.DB().NewRaw("SELECT EXISTS (SELECT FROM cache_members WHERE process = ?)", row.Process).
			Scan(t.Context(), &left))
		require.Equal(t, c.left, left, "%v", c.gone)
	}
}

// A row that is stored late, when its sender has given up and sent another one, must not take the place of that one.
func TestALateRenewalChangesNothing(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p := i.startWith(t, false)
	const id = "4b0ab8ab-9a50-4a3c-94e3-61f46ae3ee5d"
	renew := func(turn uint64, reads bool) {
		_, err := p.journal.Journal.Renew(
			t.Context(), coherence.Row{Process: id, Turn: turn, Reads: reads}, coherence.Snapshot{},
		)
		require.NoError(t, err)
	}
	row := func() coherence.Row {
		r, err := p.journal.Journal.Renew(t.Context(), coherence.Row{Process: p.bus.Process()}, coherence.Snapshot{})
		require.NoError(t, err)
		at := slices.IndexFunc(r.Rows, func(row coherence.Row) bool { return row.Process == id })
		return r.Rows[at]
	}
	renew(1, false)
	renew(3, true)
	renew(2, false) // it was on its way all the time
	require.True(t, row().Reads)
	require.EqualValues(t, 3, row().Turn)
	renew(4, false)
	require.False(t, row().Reads)
}

// A load goes on over renewals of the lease.
func TestALeaseLastsOverRenewals(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	i.timing.Lease = time.Second
	p := i.start(t)
	require.Eventually(t, func() bool { // a busy machine may lose it
		lease := p.Lease()
		time.Sleep(i.timing.Lease)
		return lease.InForce()
	}, patience, time.Millisecond)
}

// TestEndedAgreesWithPostgres compares with pg_visible_in_snapshot, for transactions that end in any order.
func TestEndedAgreesWithPostgres(t *testing.T) {
	t.Parallel()
	i := install(t, calm())
	p := i.startWith(t, false)
	ctx := t.Context()
	var open []bun.Tx
	var ids []uint64
	defer func() {
		for _, tx := range open {
			_ = tx.Rollback()
		}
	}()
	for range 60 {
		if len(open) < 6 && rand.IntN(2) == 0 {
			tx, id := p.begin(t)
			open, ids = append(open, tx), append(ids, id)
		} else if len(open) > 0 {
			at := rand.IntN(len(open))
			end := []func() error{open[at].Commit, open[at].Rollback}[rand.IntN(2)]
			require.NoError(t, end())
			open = slices.Delete(open, at, at+1)
		}
		s, err := p.journal.Snapshot(ctx)
		require.NoError(t, err)
		for _, id := range append(ids, s.Oldest, s.Oldest-1, s.Next, s.Next-1) {
			var visible bool
			require.NoError(t, p.store.DB().NewRaw("SELECT pg_visible_in_snapshot(?::xid8, ?::pg_snapshot)",
				fmt.Sprint(id), s.String()).Scan(ctx, &visible))
			require.Equal(t, visible, s.Ended(id), "%d in %s", id, s)
		}
	}
}

// BenchmarkRenewManyChanges has the renewal of a process that begins after more changes than one renewal reads. It has
// to be well below Timing.Call.
func BenchmarkRenewManyChanges(b *testing.B) {
	i := install(b, calm())
	p := i.start(b)
	_, err := p.store.DB().ExecContext(b.Context(),
		"INSERT INTO cache_changes (tags) SELECT ARRAY['profile:' || n, 'rooms'] FROM generate_series(1, 100000) AS n")
	require.NoError(b, err)
	row := coherence.Row{Process: uuid.NewString()}
	for b.Loop() {
		row.Turn++
		renewal, err := p.store.Journal().Renew(b.Context(), row, coherence.Snapshot{})
		require.NoError(b, err)
		require.NotEmpty(b, renewal.Changes)
	}
}

// BenchmarkAnnounce is what a writer waits, alone and with processes that must answer.
func BenchmarkAnnounce(b *testing.B) {
	for _, peers := range []int{0, 1, 3} {
		b.Run(fmt.Sprint(peers, " peers"), func(b *testing.B) {
			timing := coherence.DefaultTiming()
			i := install(b, timing)
			writer := i.start(b)
			for range peers {
				i.start(b)
			}
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if err := writer.Announce(b.Context(), coherence.Change{Transaction: 5, Tags: []string{"room:1"}}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/median")
			b.ReportMetric(float64(writer.Stats().Recorded)/float64(len(took)), "recorded/op")
		})
	}
}
