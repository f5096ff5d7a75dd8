package live

import "sync"

// group runs goroutines, and waits for their end. Unlike a sync.WaitGroup it can be used while it is waited for, and
// refuses to run more after that.
type group struct{ state *groupState }

type groupState struct {
	mu    sync.Mutex
	idle  sync.Cond
	n     int
	ended bool
}

func newGroup() group {
	s := &groupState{}
	s.idle.L = &s.mu
	return group{s}
}

// run runs f in a goroutine, unless the group has ended.
func (g group) run(f func()) bool {
	s := g.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.n++
	go func() {
		defer g.done()
		f()
	}()
	return true
}

func (g group) done() {
	s := g.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n--; s.n == 0 {
		s.idle.Broadcast()
	}
}

// wait waits until nothing runs, and ends the group.
func (g group) wait() {
	s := g.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.n > 0 {
		s.idle.Wait()
	}
	s.ended = true
}
