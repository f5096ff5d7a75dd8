package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a running command of the program. Its output is kept, and shown when the test fails.
type process struct {
	cmd  *exec.Cmd
	out  output
	done chan struct{}
	err  error
}

// start runs the program with arguments in dir. It is killed at the test's end if it still runs then.
func start(t testing.TB, dir string, environ []string, args ...string) *process {
	t.Helper()
	return startProgram(t, binary, dir, environ, args...)
}

// startProgram is start for another build of the program.
func startProgram(t testing.TB, program, dir string, environ []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, environ
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			said := p.out.String()
			t.Logf("end of the output of watchparty %v:\n%s", args, said[max(0, len(said)-8000):])
		}
	})
	return p
}

// kill ends the process at once, as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop ends the process in the orderly way and returns its exit code.
func (p *process) stop(t testing.TB) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
	return p.wait(t)
}

// wait returns the exit code.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(longWait):
		require.FailNow(t, "the process did not end", p.out.String())
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, p.err)
	return 0
}

// output collects what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// bareEnvironment is an environment without any setting of ours, that finds the commands which the module has built.
func bareEnvironment(t testing.TB) []string {
	t.Helper()
	bin, err := filepath.Abs("../bin")
	require.NoError(t, err)
	return []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
}
