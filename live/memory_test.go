package live_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	bench "github.com/watchparty/watchparty/bench/live"
	"github.com/watchparty/watchparty/live/wire"
)

func inUse() (bytes uint64) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestConnectionMemory: an idle connection takes at most 36 KB of the server, and one goroutine.
//
//nolint:paralleltest // it measures the whole process
func TestConnectionMemory(t *testing.T) {
	const (
		limit  = 36 << 10
		people = 100
		each   = wire.MaxConnectionsEach
	)
	i := newInstallation(t)
	n := i.nodes[0]
	guests := make([]person, people)
	for j := range guests {
		guests[j] = i.createPerson(t, fmt.Sprintf("guest%d", j))
	}
	room := n.createRoom(t, guests[0], nil)
	n.joinRoom(t, room, guests[1:]...)

	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), bench.HoldVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	answers := bufio.NewScanner(out)
	open := func(connections int) {
		for j := range connections {
			_, err := fmt.Fprintln(in, n.api, room, guests[j%people].token)
			require.NoError(t, err)
		}
		_, err := fmt.Fprintln(in)
		require.NoError(t, err)
		require.True(t, answers.Scan())
		require.Equal(t, "ready", answers.Text())
	}
	open(people) // the room, the pools and the caches are there
	before, goroutines := inUse(), runtime.NumGoroutine()
	open(people * (each - 1))
	n.awaitSignedIn(t, people*each)
	require.Eventually(t, func() bool {
		return runtime.NumGoroutine()-goroutines <= people*(each-1)+50
	}, patience, 1e6, "idle connections have one goroutine")
	per := (int64(inUse()) - int64(before)) / (people * (each - 1)) //nolint:gosec // far below the limits
	t.Logf("%d bytes a connection", per)
	require.Less(t, per, int64(limit))
	require.NoError(t, in.Close())
	err = cmd.Wait()
	var exit *exec.ExitError
	require.False(t, errors.As(err, &exit), "%v", err)
}
