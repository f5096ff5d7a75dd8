package devstack

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandLine(t *testing.T) {
	sleeper := exec.Command("sleep", "4711")
	require.NoError(t, sleeper.Start())
	pid := sleeper.Process.Pid
	t.Cleanup(func() { _ = sleeper.Wait() })
	require.Contains(t, commandLine(t.Context(), pid), "sleep 4711")
	require.Contains(t, commandLineFromPS(t.Context(), pid), "sleep 4711")

	require.NoError(t, sleeper.Process.Kill())
	// It is a zombie until somebody waits for it.
	require.True(t, awaitEnd(t.Context(), pid, killTimeout))
	require.Empty(t, commandLineFromPS(t.Context(), pid))
}

func TestEndForeign(t *testing.T) {
	for name, command := range map[string]string{"polite": "exec sleep 600", "gone": "exit 0"} {
		t.Run(name, func(t *testing.T) {
			process := exec.Command("sh", "-c", command)
			require.NoError(t, process.Start())
			t.Cleanup(func() { _ = process.Wait() })
			require.NoError(t, endForeign(t.Context(), process.Process.Pid, orderlySignal(Redis)))
		})
	}
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
