package devstack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	tailBytes   = 4 << 10
	tailLines   = 12
	maxLogBytes = 10 << 20
)

// child is one run of a server's process.
type child struct {
	cmd      *exec.Cmd
	log      string
	logStart int64
	stopping atomic.Bool
	done     chan struct{} // closed when the process has ended and was waited for
	exit     error         // set before done is closed
}

// spawn starts cmd, with its output appended to the log. ended is called once if the process ends without being told
// to.
func spawn(s *spawner, cmd *exec.Cmd, log string, ended func(*child)) (*child, error) {
	file, start, err := openLog(log)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = file, file
	c := &child{cmd: cmd, log: log, logStart: start, done: make(chan struct{})}
	if err := s.start(cmd); err != nil {
		return nil, err
	}
	go c.reap(ended)
	return c, nil
}

func openLog(path string) (*os.File, int64, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLogBytes {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open the log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open the log: %w", err), file.Close())
	}
	return file, info.Size(), nil
}

func (c *child) reap(ended func(*child)) {
	c.exit = c.cmd.Wait()
	asked := c.stopping.Load()
	close(c.done)
	if !asked {
		ended(c)
	}
}

// end sends the signal and waits; a process that has not ended after stopTimeout is killed.
func (c *child) end(signal syscall.Signal) error {
	c.stopping.Store(true)
	if err := c.signal(c.cmd.Process.Pid, signal); err != nil {
		return err
	}
	if c.endsWithin(stopTimeout) {
		return nil
	}
	// The whole group, so that nothing that the server started stays.
	if err := c.signal(-c.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return err
	}
	if !c.endsWithin(killTimeout) {
		return fmt.Errorf("process %d does not end", c.cmd.Process.Pid)
	}
	return nil
}

func (c *child) signal(pid int, signal syscall.Signal) error {
	select {
	case <-c.done: // the process ID may belong to another process by now
		return nil
	default:
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}

func (c *child) endsWithin(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// failure describes an unexpected end. It may be called once done is closed.
func (c *child) failure() error {
	how := "ended"
	if c.exit != nil {
		how = "ended with " + c.exit.Error()
	}
	return fmt.Errorf("%s; the end of %s:\n%s", how, c.log, c.tail())
}

// tail returns the end of this run's log.
func (c *child) tail() string {
	content, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	content = content[min(c.logStart, int64(len(content))):]
	content = content[max(0, len(content)-tailBytes):]
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
