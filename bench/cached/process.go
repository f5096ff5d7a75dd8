package cached

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime is how long a server may take until it answers.
const startTime = time.Minute

// process is a server that is measured. What it logs goes to /dev/null, as cheap as a file that nobody reads.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a server, on the core of what is measured if there is one, and returns when it answers at an address.
func (m *Measurement) start(
	ctx context.Context, answers string, environ []string, name string, args ...string,
) (*process, error) {
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer sink.Close() //nolint:errcheck // the process has its own
	p := &process{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = environ, sink, sink
	begin := p.cmd.Start
	if m.divided {
		begin = func() error { return startMeasured(p.cmd.Start) }
	}
	if err := begin(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if answersAt(ctx, answers) {
			return p, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.ended:
			return nil, fmt.Errorf("%s has ended: %s", name, p.cmd.ProcessState)
		case <-ctx.Done():
			p.stop()
			return nil, fmt.Errorf("%s does not answer: %w", name, ctx.Err())
		}
	}
}

// answersAt reports whether a server answers at an address, with whatever it may be.
func answersAt(ctx context.Context, address string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < http.StatusInternalServerError
}

// stop ends the process, and by force if it takes too long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

func (p *process) id() int { return p.cmd.Process.Pid }

// hertz is the unit in which Linux counts processor time for programs, on every architecture.
const hertz = 100

// spent is the processor time that processes and their children have taken so far.
func spent(processes ...int) (time.Duration, error) {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	table := map[int]usage{}
	for _, folder := range folders {
		id, err := strconv.Atoi(folder.Name())
		if err != nil {
			continue
		}
		content, err := os.ReadFile("/proc/" + folder.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if u, err := parseStat(content); err == nil {
			table[id] = u
		}
	}
	return sumOf(table, processes)
}

// usage is what the system knows of a process.
type usage struct {
	parent int
	ticks  int64 // with those of its children that have ended
}

// parseStat reads /proc/PID/stat. The second field, the command's name in parentheses, may contain anything.
func parseStat(content []byte) (u usage, err error) {
	_, rest, found := bytes.Cut(content[max(0, bytes.LastIndexByte(content, ')')):], []byte(") "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 15 {
		return u, errors.New("/proc/PID/stat looks different")
	}
	if u.parent, err = strconv.Atoi(fields[1]); err != nil {
		return u, err
	}
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, err
		}
		u.ticks += ticks
	}
	return u, nil
}

// sumOf adds up processes and all that descend from them.
func sumOf(table map[int]usage, processes []int) (time.Duration, error) {
	var ticks int64
	for _, id := range processes {
		if _, ok := table[id]; !ok {
			return 0, fmt.Errorf("process %d has ended", id)
		}
	}
	for id, u := range table {
		for depth := 0; id != 0 && depth < len(table); depth++ {
			if slices.Contains(processes, id) {
				ticks += u.ticks
				break
			}
			id = table[id].parent
		}
	}
	return time.Duration(ticks) * time.Second / hertz, nil
}
