package coherence

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Change names the tags of the data that a transaction has changed or may still change.
type Change struct {
	Transaction uint64   `json:"x"`
	Tags        []string `json:"t"`
}

// Ledger has the changes that a process knows of. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	horizon uint64 // the newest transaction whose changes may have been forgotten
	tags    map[string]*tagState
	compact int // the number of tags at which empty ones are removed
}

// tagState is what a ledger knows of one tag.
type tagState struct {
	changes []uint64       // transactions, in ascending order
	copies  []*atomic.Bool // of data with the tag that is in use: set when it is void
	compact int            // the length of copies at which void ones are removed
}

// NewLedger makes a ledger that knows of no change.
func NewLedger() *Ledger { return &Ledger{tags: map[string]*tagState{}} }

// Add enters a change. After it has returned, no data with one of the tags is fresh, or is admitted, under a snapshot
// in which the transaction had not ended, and every admitted copy of such data is void.
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

// Fresh reports whether data with the tags that was read under the snapshot, or later, is as new as all changes that
// the ledger knows.
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

// Admit reports whether the data is fresh, and if so sets void as soon as it no longer is. The caller sets void, too,
// when it drops the data.
func (l *Ledger) Admit(s Snapshot, tags []string, void *atomic.Bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.fresh(s, tags) {
		return false
	}
	if len(l.tags) >= max(l.compact, minCompactTags) {
		l.sweep()
		l.compact = 2 * len(l.tags)
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

// minCompact is the length of a tag's list of copies at which void ones are removed for the first time. minCompactTags
// is the same for the number of tags.
const (
	minCompact     = 16
	minCompactTags = 1024
)

func (l *Ledger) state(tag string) *tagState {
	state := l.tags[tag]
	if state == nil {
		state = &tagState{}
		l.tags[tag] = state
	}
	return state
}

// Forget drops the changes up to the horizon, and the tags without changes and copies. Data under a snapshot that does
// not see past the horizon is no longer fresh.
func (l *Ledger) Forget(horizon uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if horizon <= l.horizon {
		return
	}
	l.horizon = horizon
	l.sweep()
}

// sweep removes changes up to the horizon, void copies, and empty tags.
func (l *Ledger) sweep() {
	for tag, state := range l.tags {
		kept, known := slices.BinarySearch(state.changes, l.horizon)
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
