package coherence

import (
	"flag"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// The model is the protocol with few processes, transactions and moments, and every order in which its steps can
// happen: a process that takes no step is paused, a message that is never received is lost, and a process that restarts
// has forgotten everything. It uses the lease and the list of peers of this package. Its time is in ticks.
const (
	modelLease = 2
	modelList  = 1
	maxProcs   = 2
	maxRows    = 3 // of processes, with one that has restarted
	maxTxs     = 2
)

var modelTiming = Timing{Lease: modelLease, List: modelList}

// omission is a rule of the protocol that a run of the model leaves out.
type omission int

const (
	nothing omission = iota
	waitForAnswers
	addBeforeAnswer
	checkLease
	waitForList
	waitForRunning
	beginAnewAfterLateAnswer
	judgePeersByTheirTurn
	waitForLeaseAfterRecord
	snapshotBeforeData
	checkSharedEntries
	endLeaseBeforeSayingSo
	readChangesAtRenewal
	commitAfterWaiting
)

type bits uint8

func (b bits) has(i int) bool { return b&(1<<i) != 0 }

func (b bits) with(i int) bits { return b | 1<<i }

func (b bits) without(i int) bits { return b &^ (1 << i) }

func (b bits) contains(c bits) bool { return c&^b == 0 }

// txState is how far a transaction is.
type txState uint8

const (
	txNone txState = iota
	txRunning
	txAnnounced // the writer waits
	txRecorded  // it has stored the change apart, too
	txCommitting
	txCommitted
)

// A modelSnapshot is which transactions had an ID, and which of those had ended.
type modelSnapshot struct{ begun, ended bits }

func (s modelSnapshot) real() Snapshot {
	r := Snapshot{Oldest: 1, Next: 1}
	for i := range maxTxs {
		if s.begun.has(i) {
			r.Next = uint64(i) + 2
			if !s.ended.has(i) {
				r.Running = append(r.Running, uint64(i)+1)
			}
		}
	}
	r.Oldest = r.Next
	if len(r.Running) > 0 {
		r.Oldest = r.Running[0]
	}
	return r
}

type modelEntry struct {
	there    bool
	data     bits // the transactions whose effect it has
	snapshot modelSnapshot
}

type modelRow struct {
	turn  int8
	reads bool
	seen  bits // the changes that the process has said it knows
}

type modelPeer struct {
	known bool
	row   modelRow
	since int8
	dead  bool
}

type modelRenewal struct {
	stage    int8 // 0 none, 1 sent, 2 executed
	sent     int8
	reads    bool
	snapshot modelSnapshot
	changes  bits
	rows     [maxRows]modelRow
}

type modelProc struct {
	id       int8 // its row
	ledger   bits
	seen     bits
	stage    int8
	renewed  int8
	joined   int8
	running  modelSnapshot
	end      int8 // of the lease; 0 for none
	renewal  modelRenewal
	sent     int8 // when the last renewal was sent; there is one a tick
	listRead int8 // 0 for never
	peers    [maxRows]modelPeer
	local    modelEntry
	loading  int8 // 0 none, 1 snapshot taken, 2 data read
	load     modelEntry
}

type modelTx struct {
	state    txState
	missing  bits // rows of processes whose answer is missing
	recorded int8 // when the change was stored apart
	toldTo   bits // rows that the announcement is on its way to
	answers  bits // rows whose answers are on their way
}

// modelState is a state of the model. It is comparable.
type modelState struct {
	now     int8
	nextRow int8
	rows    [maxRows]modelRow
	procs   [maxProcs]modelProc
	txs     [maxTxs]modelTx
	shared  modelEntry // what Redis may give
}

// model is a configuration.
type model struct {
	omit    omission
	ticks   int8
	writers []int // by transaction, the process that writes
	readers []bool
	restart bool // whether process 1 may restart once
	holds   bool // whether the readers hold leases in the beginning, and have an entry in memory
}

// action names a step: who does what.
type action struct {
	who  string
	id   int
	what string
}

func (a action) String() string { return fmt.Sprint(a.who, " ", a.id, " ", a.what) }

func (m model) initial() modelState {
	w := modelState{now: 1, nextRow: maxProcs}
	for i := range w.procs {
		w.procs[i].id = int8(i)
	}
	if !m.holds {
		return w
	}
	for i, reads := range m.readers {
		w.rows[i] = modelRow{turn: 1, reads: reads}
	}
	for i, reads := range m.readers {
		p := &w.procs[i]
		p.listRead, p.sent = 1, 1
		for id := range m.readers {
			if id != i {
				p.peers[id] = modelPeer{known: true, row: w.rows[id], since: 1}
			}
		}
		if reads {
			p.stage, p.renewed, p.joined, p.end = int8(stageHeld), 1, 1, 1+modelLease
			p.local.there = true
			w.shared.there = true
		}
	}
	return w
}

func (w *modelState) committed() (all bits) {
	for i, tx := range w.txs {
		if tx.state == txCommitted {
			all = all.with(i)
		}
	}
	return all
}

func (w *modelState) snapshot() (s modelSnapshot) {
	for i, tx := range w.txs {
		if tx.state > txNone {
			s.begun = s.begun.with(i)
		}
	}
	s.ended = w.committed()
	return s
}

// visible are the changes whose records a renewal can read.
func (w *modelState) visible() (all bits) {
	for i, tx := range w.txs {
		if tx.recorded > 0 || tx.state == txCommitted {
			all = all.with(i)
		}
	}
	return all
}

// violation describes what a process would serve wrongly now.
func (m model) violation(w *modelState) string {
	for i := range w.procs {
		p := &w.procs[i]
		if !m.leaseHeld(w, p) {
			continue
		}
		if p.local.there && !p.local.data.contains(w.committed()) {
			return fmt.Sprintf("process %d serves %b from its memory, committed is %b", i, p.local.data, w.committed())
		}
		if m.usable(p, w.shared) && !w.shared.data.contains(w.committed()) {
			return fmt.Sprintf("process %d serves %b from Redis, committed is %b", i, w.shared.data, w.committed())
		}
	}
	return ""
}

func (m model) leaseHeld(w *modelState, p *modelProc) bool {
	return p.end > 0 && (w.now < p.end || m.omit == checkLease)
}

func (m model) usable(p *modelProc, e modelEntry) bool {
	return e.there && (e.snapshot.ended.contains(p.ledger) || m.omit == checkSharedEntries)
}

func (p *modelProc) add(changes bits) {
	p.ledger |= changes
	if p.local.there && !p.local.snapshot.ended.contains(p.ledger) {
		p.local = modelEntry{}
	}
}

// explore visits every state that the model can reach. It returns the shortest way to a violation, if there is one.
func (m model) explore() (states int, way []string) {
	type origin struct {
		from int
		by   action
	}
	type place struct {
		at    int
		state modelState
	}
	seed := maphash.MakeSeed()
	hashOf := func(w *modelState) uint64 { // it has no padding
		return maphash.Bytes(seed, unsafe.Slice((*byte)(unsafe.Pointer(w)), unsafe.Sizeof(*w)))
	}
	start := m.initial()
	known := map[uint64]struct{}{hashOf(&start): {}}
	origins := []origin{{from: -1}}
	for level := []place{{0, start}}; len(level) > 0; {
		var next []place
		for _, here := range level {
			var bad string
			m.steps(here.state, func(by action, to *modelState) {
				hash := hashOf(to)
				if _, ok := known[hash]; ok || bad != "" {
					return
				}
				known[hash] = struct{}{}
				origins = append(origins, origin{here.at, by})
				next = append(next, place{len(origins) - 1, *to})
				bad = m.violation(to)
			})
			if bad == "" {
				continue
			}
			for at := len(origins) - 1; at > 0; at = origins[at].from {
				way = append(way, origins[at].by.String())
			}
			slices.Reverse(way)
			return len(known), append(way, bad)
		}
		level = next
	}
	return len(known), nil
}

func TestWorldHasNoPadding(t *testing.T) {
	var count func(reflect.Type) uintptr
	count = func(of reflect.Type) (n uintptr) {
		switch of.Kind() {
		case reflect.Array:
			return uintptr(of.Len()) * count(of.Elem())
		case reflect.Struct:
			for i := range of.NumField() {
				n += count(of.Field(i).Type)
			}
			return n
		default:
			return of.Size()
		}
	}
	require.Equal(t, reflect.TypeFor[modelState]().Size(), count(reflect.TypeFor[modelState]()))
}

// models are the configurations in which the protocol is explored.
var models = map[string]model{
	"a writer and a reader that holds a lease": {
		ticks: 5, writers: []int{0}, readers: []bool{false, true}, holds: true,
	},
	"a writer and a reader that wants a lease": {ticks: 5, writers: []int{0}, readers: []bool{false, true}},
	"two that write and read":                  {ticks: 2, writers: []int{0, 1}, readers: []bool{true, true}, holds: true},
	"a reader that restarts": {
		ticks: 4, writers: []int{0}, readers: []bool{false, true}, holds: true, restart: true,
	},
}

// whole explores each configuration for all of its ticks; otherwise one tick less, which takes a tenth of the time.
var whole = flag.Bool("model.whole", false, "explore the model for all of its ticks")

func TestModel(t *testing.T) {
	t.Parallel()
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			if !*whole {
				m.ticks--
			}
			start := time.Now()
			states, way := m.explore()
			require.Empty(t, way, strings.Join(way, "\n"))
			t.Log(states, "states", time.Since(start))
		})
	}
}

// omissions are the rules by name, with the configuration that shows that each is needed.
var omissions = map[string]struct {
	omit omission
	in   string
}{
	"a writer waits for answers":                       {waitForAnswers, "a writer and a reader that holds a lease"},
	"a change is entered before it is answered":        {addBeforeAnswer, "a writer and a reader that holds a lease"},
	"a lease ends by the reader's clock":               {checkLease, "a writer and a reader that holds a lease"},
	"a reader waits until it is on all lists":          {waitForList, "a writer and a reader that wants a lease"},
	"a reader waits for transactions that are running": {waitForRunning, "a writer and a reader that wants a lease"},
	"a reader begins anew after a late answer": {
		beginAnewAfterLateAnswer,
		"a writer and a reader that holds a lease",
	},
	"a peer lives until its row has not changed": {
		judgePeersByTheirTurn,
		"a writer and a reader that holds a lease",
	},
	"a writer waits for the lease time after a record": {
		waitForLeaseAfterRecord,
		"a writer and a reader that holds a lease",
	},
	"a snapshot is older than the data": {snapshotBeforeData, "a writer and a reader that holds a lease"},
	"an entry of Redis is checked":      {checkSharedEntries, "a writer and a reader that holds a lease"},
	"a lease ends before the row says so": {
		endLeaseBeforeSayingSo,
		"a writer and a reader that holds a lease",
	},
	"a renewal reads changes":                     {readChangesAtRenewal, "a writer and a reader that holds a lease"},
	"a transaction commits after it is announced": {commitAfterWaiting, "a writer and a reader that holds a lease"},
}

// TestModelWithoutARule: each rule is needed.
func TestModelWithoutARule(t *testing.T) {
	t.Parallel()
	for name, test := range omissions {
		t.Run(name, func(t *testing.T) {
			m := models[test.in]
			m.omit = test.omit
			states, way := m.explore()
			require.NotEmpty(t, way, "%d states", states)
			t.Log(states, "states:\n"+strings.Join(way, "\n"))
		})
	}
}
