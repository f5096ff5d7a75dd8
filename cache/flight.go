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
	entry Entry
	err   error
}

// flights are the loads that run now.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
	closed  bool
	wg      sync.WaitGroup
}

// join gives the flight that runs under key, or starts run as one. It gives nil after close. run must not
// panic; it may end its goroutine.
func (f *flights) join(key string, run func() (Entry, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	if fl := f.running[key]; fl != nil {
		return fl
	}
	fl := &flight{done: make(chan struct{})}
	if f.running == nil {
		f.running = make(map[string]*flight)
	}
	f.running[key] = fl
	f.wg.Go(func() {
		defer f.land(key, fl)
		fl.err = errUnfinished
		fl.entry, fl.err = run()
	})
	return fl
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
