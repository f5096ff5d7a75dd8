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

	end      atomic.Int64             // of the lease, on the clock of now; 0 for none
	term     atomic.Uint64            // counts the leases that were given back or lost
	snapshot atomic.Pointer[Snapshot] // of the last renewal
	space    atomic.Pointer[string]   // the generation

	renewing   sync.Mutex // held over a renewal
	lease      lease
	seen       Snapshot
	generation string

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
	Announced uint64 // changes of this process that another one had to know
	Recorded  uint64 // those of them that the message bus did not bring in time
	Lost      uint64 // leases that ended without being given back
	Tags      int    // that the ledger knows of
	Held      bool   // whether there is a lease now
}

// wait is a writer that waits until processes know its change.
type wait struct {
	missing map[string]struct{}
	done    chan struct{}
}

// Channels of the message bus. Answers go to a channel of the writer's own.
const channelChanges = "changes"

func channelAnswers(process string) string { return "answers:" + process }

// announcement is a change on the message bus, and answer what a process says that has entered it in its ledger.
type announcement struct {
	Change
	From string `json:"f"`
	Key  uint64 `json:"k"`
}

type answer struct {
	Process string `json:"p"`
	Key     uint64 `json:"k"`
}

// Options are the choices of a member.
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
	}
	m.snapshot.Store(&Snapshot{})
	b.Subscribe(channelChanges, m.onChange)
	b.Subscribe(channelAnswers(b.Process()), m.onAnswer)
	return m
}

// Ledger is what this process knows of changes. It is complete while a lease is in force.
func (m *Member) Ledger() *Ledger { return m.ledger }

// Lease is the lease that is in force now, if any.
func (m *Member) Lease() Lease {
	return Lease{member: m, term: m.term.Load(), end: time.Duration(m.end.Load())}
}

// Lease is the right to use cached data until a moment.
type Lease struct {
	member *Member
	term   uint64
	end    time.Duration
}

// InForce reports whether there has been a lease all the time since the call of Member.Lease.
func (l Lease) InForce() bool { return l.end > 0 && now() < l.end && l.member.term.Load() == l.term }

// Generation names the database cluster and its timeline. It is empty before the first renewal.
func (m *Member) Generation() string {
	if g := m.space.Load(); g != nil {
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

// Snapshot returns a snapshot for data with the tags that is read from now on. A recent one does if nothing has changed
// since; otherwise it takes a new one.
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
	limit := time.NewTimer(m.timing.Lease)
	defer limit.Stop()
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
		case <-renewed:
		}
	}
}

// nextRenewal asks for a renewal soon, and returns a channel that is closed after the next one.
func (m *Member) nextRenewal() <-chan struct{} {
	select {
	case m.soon <- struct{}{}:
	default:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.renewed
}

// haveRead takes those processes off the wait that have read the record or hold no lease, and reports whether none is
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

// readers are the other processes that may hold a lease.
func (m *Member) readers(ctx context.Context) ([]string, error) {
	for {
		m.mu.Lock()
		current, readers := m.peers.current(now()), m.peers.readers()
		m.mu.Unlock()
		if current {
			return readers, nil
		}
		if err := m.renew(ctx); err != nil {
			return nil, err
		}
	}
}

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
	if err := m.journal.Prune(ctx); err != nil {
		m.log.WarnContext(ctx, "old changes not removed", slog.String("while", "pruning"), slog.Any("error", err))
	}
}

// pause is the time until the next renewal.
func (m *Member) pause() time.Duration {
	m.renewing.Lock()
	joining := m.lease.stage > asked && m.lease.stage < held
	m.renewing.Unlock()
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.timing.Call)
	defer cancel()
	m.renewing.Lock()
	defer m.renewing.Unlock()
	// Should it fail, they find that the row does not change.
	_, _ = m.journal.Renew(ctx, Row{Process: m.bus.Process(), Seen: m.seen}, m.seen)
}

// renew stores this process' row and takes what the database answers.
func (m *Member) renew(ctx context.Context) error {
	m.renewing.Lock()
	defer m.renewing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, m.timing.Call)
	defer cancel()
	again, err := m.renewOnce(ctx)
	if err == nil && again {
		_, err = m.renewOnce(ctx)
	}
	return err
}

// renewOnce reports whether a writer waits until the row says what has been read just now.
func (m *Member) renewOnce(ctx context.Context) (again bool, err error) {
	healthy := m.bus.Healthy()
	reads := m.lease.want(m.reads && (healthy || m.alone()))
	if !reads {
		m.endLease()
	}
	first := m.generation == ""
	sent := now()
	r, err := m.journal.Renew(ctx, Row{Process: m.bus.Process(), Reads: reads, Deaf: !healthy, Seen: m.seen}, m.seen)
	answered := now()
	if err != nil {
		return false, err
	}
	if !first && (r.Generation != m.generation || m.seen.Oldest <= r.Horizon) {
		// What was read before may be of another database, or changes have been removed that this process has not read.
		m.endLease()
		m.lease = lease{timing: m.timing}
		m.ledger.Reset()
	}
	for _, change := range r.Changes {
		m.ledger.Add(change)
	}
	m.ledger.Forget(r.Horizon)
	m.seen, m.generation = r.Snapshot, r.Generation
	m.snapshot.Store(&r.Snapshot)
	m.space.Store(&r.Generation)

	m.mu.Lock()
	m.peers.update(m.bus.Process(), r.Rows, sent, answered)
	close(m.renewed)
	m.renewed = make(chan struct{})
	m.mu.Unlock()

	if end := m.lease.renew(sent, answered, r.Snapshot); end > 0 {
		m.end.Store(int64(end))
	} else if m.endLease() {
		m.stats.lost.Add(1)
		m.log.WarnContext(ctx, "lease of the cache lost", slog.String("while", "renewing"),
			slog.Duration("answered_after", answered-sent))
	}
	return r.Urgent && !first, nil
}

// endLease reports whether there was a lease, be it that it has ended by time.
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
