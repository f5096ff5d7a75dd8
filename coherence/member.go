package coherence

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/logging"
)

// Member is this process' part in the protocol. Its methods are safe for concurrent use.
type Member struct {
	ledger  *Ledger
	journal Journal
	bus     *bus.Bus
	log     *slog.Logger
	reads   bool // whether this process uses cached data
	timing  Timing

	end       atomic.Int64             // of the lease, on the clock of now; 0 for none
	term      atomic.Uint64            // counts the leases that were given back or lost
	snapshot  atomic.Pointer[Snapshot] // of the last renewal
	published atomic.Pointer[string]   // generation, for readers without the turn

	renewing   chan struct{} // held by the goroutine that renews; it guards the fields below
	lease      lease
	turn       uint64
	seen       Snapshot
	generation string // empty before the first renewal, and after forget until the next one
	left       bool

	mu      sync.Mutex // never held over I/O
	peers   peers
	waits   map[uint64]*wait
	last    uint64 // of the keys of waits
	renewed chan struct{}

	soon  chan struct{} // asks for a renewal at once
	stats memberStats
}

type memberStats struct {
	announced, recorded, lost atomic.Uint64
}

// Stats are counts since the beginning.
type Stats struct {
	Announced uint64 // changes of this process that were announced to another one
	Recorded  uint64 // those of them that did not arrive by the message bus in time
	Lost      uint64 // leases that ended without being given back
	Tags      int    // that the ledger knows of
	Held      bool   // whether there is a lease now
}

// wait is a writer that waits until other processes know its change.
type wait struct {
	missing map[string]struct{}
	done    chan struct{}
}

// Channels of the message bus. Answers go to a channel of the writer's own.
const channelChanges = "changes"

func channelAnswers(process string) string { return "answers:" + process }

// announcement is a change on the message bus. answer is the reply of a process that has entered the change in its
// ledger.
type announcement struct {
	Change
	From string `json:"f"`
	Key  uint64 `json:"k"`
}

type answer struct {
	Process string `json:"p"`
	Key     uint64 `json:"k"`
}

// Options are the options of a member.
type Options struct {
	Reads  bool // whether this process uses cached data; otherwise it holds no lease
	Timing Timing
	Log    *slog.Logger
}

// NewMember makes a member. Call it before the bus runs.
func NewMember(journal Journal, b *bus.Bus, o Options) *Member {
	m := &Member{
		ledger: NewLedger(), journal: journal, bus: b, reads: o.Reads, timing: o.Timing,
		lease: lease{timing: o.Timing}, peers: peers{timing: o.Timing},
		log:   logging.Sparse(o.Log, slog.LevelWarn, "while"),
		waits: map[uint64]*wait{}, renewed: make(chan struct{}), soon: make(chan struct{}, 1),
		renewing: make(chan struct{}, 1),
	}
	m.snapshot.Store(&Snapshot{})
	b.Subscribe(channelChanges, m.onChange)
	b.Subscribe(channelAnswers(b.Process()), m.onAnswer)
	return m
}

// Ledger returns the changes that this process knows of. It is complete while a lease is in force.
func (m *Member) Ledger() *Ledger { return m.ledger }

// Lease returns the lease that is in force now, if any.
func (m *Member) Lease() Lease {
	return Lease{member: m, term: m.term.Load()}
}

// Lease is the right to use cached data while it is in force.
type Lease struct {
	member *Member
	term   uint64
}

// InForce reports whether there is a lease, and none was given back or lost since the call of Member.Lease. Renewals in
// between do no harm.
func (l Lease) InForce() bool {
	return now() < time.Duration(l.member.end.Load()) && l.member.term.Load() == l.term
}

// Generation names the database cluster, its timeline, and the table of changes. It is empty before the first renewal.
func (m *Member) Generation() string {
	if g := m.published.Load(); g != nil {
		return *g
	}
	return ""
}

// Stats is cheap enough to be called at each scrape.
func (m *Member) Stats() Stats {
	return Stats{
		Announced: m.stats.announced.Load(), Recorded: m.stats.recorded.Load(), Lost: m.stats.lost.Load(),
		Tags: m.ledger.Size(), Held: m.Lease().InForce(),
	}
}

// Snapshot returns a snapshot for data with the tags that is read from now on. It returns a recent snapshot if no such
// data has changed since, and otherwise takes a new one.
func (m *Member) Snapshot(ctx context.Context, tags []string) (Snapshot, error) {
	if recent := *m.snapshot.Load(); m.ledger.Fresh(recent, tags) {
		return recent, nil
	}
	return m.journal.Snapshot(ctx)
}

// Announce makes a change known to all processes. Call it in the transaction, after the change is recorded there and
// before the commit. An error means that the transaction must not commit.
func (m *Member) Announce(ctx context.Context, c Change) error {
	m.ledger.Add(c)
	readers, err := m.readers(ctx)
	if err != nil {
		return fmt.Errorf("coherence: announce: %w", err)
	}
	if len(readers) == 0 {
		return nil
	}
	m.stats.announced.Add(1)
	key, w := m.addWait(readers)
	defer m.removeWait(key)
	payload, err := json.Marshal(announcement{Change: c, From: m.bus.Process(), Key: key})
	if err != nil {
		return fmt.Errorf("coherence: announce: %w", err)
	}
	if m.bus.Healthy() && m.bus.Publish(channelChanges, payload) == nil {
		patience := time.NewTimer(m.timing.AckTimeout)
		defer patience.Stop()
		select {
		case <-w.done:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("coherence: announce: %w", ctx.Err())
		case <-patience.C:
		}
	}
	if err := m.announceByRecord(ctx, c, w); err != nil {
		return fmt.Errorf("coherence: announce: %w", err)
	}
	return nil
}

// announceByRecord stores the change at once and waits until the processes that have not answered have read it, or hold
// no lease.
func (m *Member) announceByRecord(ctx context.Context, c Change, w *wait) error {
	m.stats.recorded.Add(1)
	recorded, err := m.journal.Record(ctx, c)
	if err != nil {
		return err
	}
	limit, again := time.NewTimer(m.timing.Lease), time.NewTicker(m.timing.RenewSoon)
	defer limit.Stop()
	defer again.Stop()
	m.renewSoon()
	for {
		renewed := m.nextRenewal()
		if m.haveRead(recorded, w) {
			return nil
		}
		select {
		case <-w.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return nil
		case <-again.C:
			m.renewSoon()
		case <-renewed:
		}
	}
}

// renewSoon asks for a renewal.
func (m *Member) renewSoon() {
	select {
	case m.soon <- struct{}{}:
	default:
	}
}

// nextRenewal returns a channel that is closed after the next renewal.
func (m *Member) nextRenewal() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.renewed
}

// haveRead removes the processes from the wait that have read the record or hold no lease, and reports whether none is
// left.
func (m *Member) haveRead(recorded uint64, w *wait) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for process := range w.missing {
		peer, ok := m.peers.rows[process]
		if !ok || peer.dead || !peer.row.Reads || peer.row.Seen.Ended(recorded) {
			delete(w.missing, process)
		}
	}
	return len(w.missing) == 0
}

// readers returns the other processes that may hold a lease.
func (m *Member) readers(ctx context.Context) ([]string, error) {
	for {
		if readers, current := m.listed(); current {
			return readers, nil
		}
		if err := m.renewList(ctx); err != nil {
			return nil, err
		}
	}
}

// listed returns the processes on the list that may hold a lease, and whether the list may still be used.
func (m *Member) listed() (readers []string, current bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peers.readers(), m.peers.current(now())
}

// renewList renews, unless another call has done so while this one waited for its turn.
func (m *Member) renewList(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.exit()
	if _, current := m.listed(); current {
		return nil
	}
	return m.renewInTurn(ctx)
}

// enter waits for the turn to renew.
func (m *Member) enter(ctx context.Context) error {
	select {
	case m.renewing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Member) exit() { <-m.renewing }

func (m *Member) addWait(processes []string) (uint64, *wait) {
	w := &wait{missing: make(map[string]struct{}, len(processes)), done: make(chan struct{})}
	for _, process := range processes {
		w.missing[process] = struct{}{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	m.waits[m.last] = w
	return m.last, w
}

func (m *Member) removeWait(key uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.waits, key)
}

func (m *Member) onChange(payload []byte) {
	var a announcement
	if err := json.Unmarshal(payload, &a); err != nil || a.From == m.bus.Process() {
		return
	}
	m.ledger.Add(a.Change)
	answered, err := json.Marshal(answer{Process: m.bus.Process(), Key: a.Key})
	if err == nil {
		_ = m.bus.Publish(channelAnswers(a.From), answered) // without an answer the writer uses the database
	}
}

func (m *Member) onAnswer(payload []byte) {
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.waits[a.Key]
	if w == nil {
		return
	}
	delete(w.missing, a.Process)
	if len(w.missing) == 0 {
		delete(m.waits, a.Key)
		close(w.done)
	}
}

// Run renews until ctx ends, and then gives the lease back.
func (m *Member) Run(ctx context.Context) error {
	defer m.leave(ctx)
	timer, pruning := time.NewTimer(0), time.NewTicker(m.timing.Prune)
	defer timer.Stop()
	defer pruning.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pruning.C:
			m.prune(ctx)
			continue
		case <-m.soon:
		case <-timer.C:
		}
		if err := m.renew(ctx); err != nil && ctx.Err() == nil {
			m.log.WarnContext(ctx, "lease of the cache not renewed", slog.String("while", "renewing"),
				slog.Any("error", err))
		}
		timer.Reset(m.pause())
	}
}

func (m *Member) prune(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.timing.Call)
	defer cancel()
	m.mu.Lock()
	gone := m.peers.gone(now())
	m.mu.Unlock()
	if err := m.journal.Prune(ctx, gone); err != nil {
		m.log.WarnContext(ctx, "old changes not removed", slog.String("while", "pruning"), slog.Any("error", err))
	}
}

// pause returns the time until the next renewal.
func (m *Member) pause() time.Duration {
	m.renewing <- struct{}{}
	joining := m.lease.stage > stageAsked && m.lease.stage < stageHeld
	m.exit()
	m.mu.Lock()
	defer m.mu.Unlock()
	if joining || m.peers.anyDeaf() {
		return m.timing.RenewSoon
	}
	return m.timing.Renew
}

// leave tells the others that they need not wait for this process any more.
func (m *Member) leave(ctx context.Context) {
	m.endLease()
	m.renewing <- struct{}{} // for one call of the journal at most
	defer m.exit()
	m.left = true
	m.endLease()
	// If this fails, the other processes drop this one once its row has not changed for Timing.Lease.
	_ = m.renewInTurn(context.WithoutCancel(ctx))
}

// renew stores this process' row and handles the answer of the database.
func (m *Member) renew(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.exit()
	return m.renewInTurn(ctx)
}

func (m *Member) renewInTurn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.timing.Call)
	defer cancel()
	again, err := m.renewOnce(ctx)
	if err == nil && again {
		_, err = m.renewOnce(ctx)
	}
	return err
}

// renewOnce reports whether another renewal must follow at once: because a writer waits until the row says what was
// read just now, or because the ledger was reset.
func (m *Member) renewOnce(ctx context.Context) (again bool, err error) {
	healthy := m.bus.Healthy()
	reads := m.reads && !m.left && (healthy || m.alone())
	m.lease.want(reads)
	if !reads {
		m.endLease()
	}
	first := m.generation == ""
	sent := now()
	m.turn++
	r, err := m.journal.Renew(ctx,
		Row{Process: m.bus.Process(), Turn: m.turn, Reads: reads, Deaf: !healthy && !m.left, Seen: m.seen}, m.seen)
	answered := now()
	if err != nil {
		return false, err
	}
	if !first && (r.Generation != m.generation || m.seen.Oldest <= r.Horizon) {
		// Former data may be of another database, or changes were removed, or left out of this renewal, before this
		// process has read them.
		m.forget(ctx)
		return true, nil
	}
	for _, change := range r.Changes {
		m.ledger.Add(change)
	}
	m.ledger.Forget(r.Horizon)
	m.seen, m.generation = r.Snapshot, r.Generation
	m.snapshot.Store(&r.Snapshot)
	m.published.Store(&r.Generation)

	m.mu.Lock()
	m.peers.update(m.bus.Process(), r.Rows, sent, answered)
	close(m.renewed)
	m.renewed = make(chan struct{})
	m.mu.Unlock()

	if end := m.lease.renew(sent, answered, r.Snapshot); end > 0 {
		m.end.Store(int64(end))
	} else {
		m.loseLease(ctx, answered-sent)
		if old := m.lease.waitsFor(r.Snapshot); len(old) > 0 && answered-m.lease.joined > longWait {
			m.log.WarnContext(ctx, "lease of the cache waits for transactions that do not end",
				slog.String("while", "joining"), slog.Any("transactions", old))
		}
	}
	return r.Urgent && !first, nil
}

// longWait is how long a process may wait for transactions before it says so. They may be those of another database of
// the cluster, or prepared ones that nobody ends.
const longWait = 10 * time.Second

// forget resets this process to the state of one that has just started: it knows no change, and reads all of them
// before it gets a lease.
func (m *Member) forget(ctx context.Context) {
	m.loseLease(ctx, 0)
	m.lease = lease{timing: m.timing}
	m.seen, m.generation = Snapshot{}, ""
	m.snapshot.Store(&Snapshot{})
	m.ledger.Reset()
}

func (m *Member) loseLease(ctx context.Context, took time.Duration) {
	if m.endLease() {
		m.stats.lost.Add(1)
		m.log.WarnContext(ctx, "lease of the cache lost", slog.String("while", "renewing"),
			slog.Duration("answered_after", took))
	}
}

// endLease ends the lease. It reports whether there was one, even if it had expired.
func (m *Member) endLease() bool {
	m.term.Add(1)
	return m.end.Swap(0) > 0
}

// alone reports whether no other process may hold a lease.
func (m *Member) alone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peers.known && len(m.peers.readers()) == 0
}
