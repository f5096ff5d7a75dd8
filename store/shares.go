package store

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/watchparty/watchparty/admission"
)

// heldUpTime is how long a kind of work has to have kept a connection to count as held up: as long as only a lock, or
// a database in trouble, makes a statement wait.
const heldUpTime = lockTimeout / 2

// shares divides the connections among the kinds of work, so that kinds that wait for locks never have all of them,
// however many kinds wait. A limit for each kind is not enough: three kinds that may each have a third have all.
//
// A third of the connections is the reserve. A kind gets a connection of the reserve only while it has no connection,
// and only if it gave its last one back soon. So a lock takes the reserve from kinds that wait for it, and other work
// always has a connection to go on with. The first connections of a kind that has just run into a lock may be of the
// reserve, until the lock timeout ends their statements.
type shares struct {
	mu      sync.Mutex
	free    int // connections that no kind has
	reserve int
	waiting list.List // of *claim, the oldest first; none of them could have a connection now
}

// kind is one kind of work. Its fields are guarded by the mutex of shares, except for places.
type kind struct {
	places *admission.Queue // for as many connections as the kind may have at most
	held   int
	heldUp bool // the last connection was kept for heldUpTime
}

// claim is work of a kind that waits for a connection.
type claim struct {
	kind    *kind
	granted chan struct{} // closed when the claim has a connection
}

func newShares(size int) *shares {
	s := &shares{free: size}
	if size > 1 {
		s.reserve = max(size/3, 1)
	}
	return s
}

// acquire waits until the kind may have one more connection. After nil, call release.
func (s *shares) acquire(ctx context.Context, k *kind) error {
	s.mu.Lock()
	if s.grant(k) {
		s.mu.Unlock()
		return nil
	}
	c := &claim{kind: k, granted: make(chan struct{})}
	place := s.waiting.PushBack(c)
	s.mu.Unlock()
	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-c.granted: // meanwhile
		s.takeBack(k)
	default:
		s.waiting.Remove(place)
	}
	return ctx.Err()
}

// release gives back a connection that was kept for that long.
func (s *shares) release(k *kind, kept time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.heldUp = kept >= heldUpTime
	s.takeBack(k)
}

// takeBack takes a connection from a kind and gives it to the oldest claim that may have it. One claim may have become
// possible that is not the oldest, such as the first of its kind.
func (s *shares) takeBack(k *kind) {
	k.held--
	s.free++
	for place := s.waiting.Front(); place != nil; {
		next, c := place.Next(), place.Value.(*claim)
		if s.grant(c.kind) {
			s.waiting.Remove(place)
			close(c.granted)
		}
		place = next
	}
}

// grant gives a connection to a kind if it may have one.
func (s *shares) grant(k *kind) bool {
	least := s.reserve
	if k.held == 0 && !k.heldUp {
		least = 0
	}
	if s.free <= least {
		return false
	}
	s.free--
	k.held++
	return true
}
