package cache

import (
	"errors"
	"sync"
)

// errUnfinished is the error for waiters when the goroutine of a load ended without a return.
var errUnfinished = errors.New("cache: load panicked: its goroutine ended")

// flight is one load and the callers that wait for it. Its result may be read after done is closed.
type flight struct {
	done  chan struct{}
	entry *Entry
	hit   bool // the entry was in Redis
	err   error
	// fresh says that the result is valid also for callers that came after the flight had begun and before it was sealed.
	fresh  bool
	sealed bool // under the lock of flights
}

// flights has the loads that run now.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
	closed  bool
	wg      sync.WaitGroup
}

// join returns the flight that runs under key, or starts run as a new one. It returns nil after close. run must not
// panic; it may end its goroutine.
func (f *flights) join(key string, run func(*flight)) (*flight, joinResult) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, tooLate
	}
	if fl := f.running[key]; fl != nil {
		if fl.sealed {
			return fl, tooLate
		}
		return fl, joined
	}
	fl := &flight{done: make(chan struct{}), err: errUnfinished}
	if f.running == nil {
		f.running = make(map[string]*flight)
	}
	f.running[key] = fl
	f.wg.Go(func() {
		defer f.finish(key, fl)
		run(fl)
	})
	return fl, owner
}

// joinResult says how a caller takes part in a flight.
type joinResult int

const (
	owner   joinResult = iota // the caller has started it
	joined                    // the flight was running; its result may be used if it is fresh
	tooLate                   // the flight was sealed: its result may be older than the call
)

// seal ends the joining of a flight as fresh. It is called before the check whether the flight's result is as new as
// all commits.
func (f *flights) seal(fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.sealed = true
}

func (f *flights) finish(key string, fl *flight) {
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
