package coherence

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Change is that a transaction changes, or may be about to change, what has the tags.
type Change struct {
	Transaction uint64   `json:"x"`
	Tags        []string `json:"t"`
}

// Ledger is what a process knows of changes. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	horizon uint64 // the newest transaction whose changes may have been forgotten
	tags    map[string]*tagState
}

// tagState is what a ledger knows of one tag.
type tagState struct {
	changes []uint64       // transactions, in ascending order
	copies  []*atomic.Bool // of data with the tag that is in use: set when it is void
	compact int            // how long copies may get until those that are void are taken out
}

// NewLedger makes a ledger that knows of no change.
func NewLedger() *Ledger { return &Ledger{tags: map[string]*tagState{}} }

// Add enters a change. From its return on nothing with one of the tags is fresh, or admitted, under a snapshot in which
// the transaction had not ended, and every copy that was admitted is void.
func (l *Ledger) Add(c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tag := range c.Tags {
		state := l.state(tag)
		if i, known := slices.BinarySearch(state.changes, c.Transaction); !known {
			state.changes = slices.Insert(state.changes, i, c.Transaction)
		}
		for _, void := range state.copies {
			void.Store(true)
		}
		state.copies = nil
	}
}

// Fresh reports whether data with the tags that was read under the snapshot, or later, is as new as all changes that the
// ledger knows.
func (l *Ledger) Fresh(s Snapshot, tags []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fresh(s, tags)
}

func (l *Ledger) fresh(s Snapshot, tags []string) bool {
	if s.Oldest <= l.horizon {
		return false
	}
	for _, tag := range tags {
		state := l.tags[tag]
		if state == nil {
			continue
		}
		for _, transaction := range slices.Backward(state.changes) {
			if transaction < s.Oldest {
				break
			}
			if !s.Ended(transaction) {
				return false
			}
		}
	}
	return true
}

// Admit reports whether the data is fresh, and if so sets void as soon as it no longer is. Whoever gives the data up sets
// void, too.
func (l *Ledger) Admit(s Snapshot, tags []string, void *atomic.Bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.fresh(s, tags) {
		return false
	}
	for _, tag := range tags {
		state := l.state(tag)
		if len(state.copies) >= max(state.compact, minCompact) {
			state.copies = slices.DeleteFunc(state.copies, (*atomic.Bool).Load)
			state.compact = 2 * len(state.copies)
		}
		state.copies = append(state.copies, void)
	}
	return true
}

// minCompact is how long the list of a tag's copies may get before it is looked through.
const minCompact = 16

func (l *Ledger) state(tag string) *tagState {
	state := l.tags[tag]
	if state == nil {
		state = &tagState{}
		l.tags[tag] = state
	}
	return state
}

// Forget drops the changes up to the horizon, and what is kept of tags without changes and copies. Data under a snapshot
// that does not see past the horizon is no longer fresh.
func (l *Ledger) Forget(horizon uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if horizon <= l.horizon {
		return
	}
	l.horizon = horizon
	for tag, state := range l.tags {
		kept, known := slices.BinarySearch(state.changes, horizon)
		if known {
			kept++
		}
		state.changes = slices.Clone(state.changes[kept:])
		state.copies = slices.DeleteFunc(state.copies, (*atomic.Bool).Load)
		if len(state.changes)+len(state.copies) == 0 {
			delete(l.tags, tag)
		}
	}
}

// Reset makes all copies void and forgets all changes.
func (l *Ledger) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, state := range l.tags {
		for _, void := range state.copies {
			void.Store(true)
		}
	}
	clear(l.tags)
	l.horizon = 0
}

// Size is the number of tags that the ledger knows of.
func (l *Ledger) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tags)
}
