package devstack

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one thread that lives as long as the spawner. Linux sends a parent-death signal when
// the thread that started the child ends, and Go ends threads at any time.
type spawner struct {
	jobs chan func()
	done chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func()), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	for job := range s.jobs {
		job()
	}
}

func (s *spawner) start(c *exec.Cmd) error {
	result := make(chan error, 1)
	s.jobs <- func() { result <- c.Start() }
	return <-result
}

// close may be called after the last child has ended.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}
