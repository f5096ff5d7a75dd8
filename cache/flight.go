package cache

import (
	"errors"
	"sync"
)

// errUnfinished is what waiters get of a load whose goroutine ended without a return.
var errUnfinished = errors.New("cache: load panicked: its goroutine ended")

// flight is one load and those who wait for it. Its result may be read after done is closed.
type flight struct {
	done  chan struct{}
	entry *Entry
	hit   bool // the entry was in Redis
	err   error
	// fresh: it is also right for those who came after the flight had begun.
	fresh bool
}

// flights are the loads that run now.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
	closed  bool
	wg      sync.WaitGroup
}

// join gives the flight that runs under key, or starts run as one (own). It gives nil after close. run must not panic; it
// may end its goroutine.
func (f *flights) join(key string, run func(*flight)) (fl *flight, own bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false
	}
	if fl := f.running[key]; fl != nil {
		return fl, false
	}
	fl = &flight{done: make(chan struct{}), err: errUnfinished}
	if f.running == nil {
		f.running = make(map[string]*flight)
	}
	f.running[key] = fl
	f.wg.Go(func() {
		defer f.land(key, fl)
		run(fl)
	})
	return fl, true
}

func (f *flights) land(key string, fl *flight) {
	f.mu.Lock()
	delete(f.running, key)
	f.mu.Unlock()
	close(fl.done)
}

func (f *flights) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.wg.Wait()
}
