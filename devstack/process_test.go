package devstack

import (
	"bufio"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bystander is a process that is none of a stack's; prepare, if any, may change it before it starts. It is at work when
// Bystander returns: a process that has only just been started has no command line yet.
func Bystander(t *testing.T, prepare func(*exec.Cmd)) *os.Process {
	t.Helper()
	cmd := exec.Command("sh", "-c", "echo ready; read line", "bystander")
	if prepare != nil {
		prepare(cmd)
	}
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe() // it ends when this process does
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	_, err = bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	return cmd.Process
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	process := Bystander(t, nil)
	require.Contains(t, commandLine(t.Context(), process.Pid), "read line bystander")
	require.Contains(t, commandLineFromPS(t.Context(), process.Pid), "read line bystander")

	require.NoError(t, process.Kill())
	// It is a zombie until somebody waits for it.
	require.True(t, awaitEnd(t.Context(), process.Pid, killTimeout))
	require.Empty(t, commandLineFromPS(t.Context(), process.Pid))
}

func TestEndForeign(t *testing.T) {
	t.Parallel()
	process := Bystander(t, nil)
	require.NoError(t, endForeign(t.Context(), process.Pid, orderlySignal(Redis)))
	require.NoError(t, endForeign(t.Context(), process.Pid, orderlySignal(Redis)), "it is gone already")
}

func TestRecord(t *testing.T) {
	path := t.TempDir() + "/redis.pid"
	_, ok := readRecord(path)
	require.False(t, ok)

	written := record{pid: 4711, marks: []string{"redis-server", "16379"}}
	require.NoError(t, written.write(path))
	read, ok := readRecord(path)
	require.True(t, ok)
	require.Equal(t, written, read)
}

func TestVersionIn(t *testing.T) {
	for dir, version := range map[string]int{
		"/usr/lib/postgresql/15/bin":            15,
		"/opt/homebrew/opt/postgresql@17/bin":   17,
		"/usr/pgsql-16/bin":                     16,
		"/usr/bin":                              0,
		"/usr/local/opt/postgresql/bin":         0,
		"/home/someone/postgresql/latest-9/bin": 9,
	} {
		require.Equal(t, version, versionIn(dir), dir)
	}
}
