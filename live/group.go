package live

import "sync"

// group runs goroutines, and waits for their end. Unlike a sync.WaitGroup it can be used while it is waited for, and
// refuses to run more after that.
type group struct {
	mu    sync.Mutex
	idle  sync.Cond
	n     int
	ended bool
}

func newGroup() *group {
	g := &group{}
	g.idle.L = &g.mu
	return g
}

// run runs f in a goroutine, unless the group has ended.
func (g *group) run(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return false
	}
	g.n++
	go func() {
		defer g.done()
		f()
	}()
	return true
}

func (g *group) done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 {
		g.idle.Broadcast()
	}
}

// wait waits until nothing runs, and ends the group.
func (g *group) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.n > 0 {
		g.idle.Wait()
	}
	g.ended = true
}
