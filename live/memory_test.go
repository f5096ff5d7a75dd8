package live_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
)

// holdVariable makes the test's program a client that holds connections: so the memory of this process is the server's.
const holdVariable = "LIVE_HOLD"

// hold opens a connection for each line of its input, which has the API's address, the room and the token. It says so
// when all have signed in, and holds them until its input ends.
func hold(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "" {
			if _, err := fmt.Fprintln(out, "ready"); err != nil {
				return err
			}
			continue
		}
		words := strings.Fields(lines.Text())
		c, err := client.Open(ctx, client.Options{API: words[0], RoomID: words[1]})
		if err != nil {
			return err
		}
		frame, err := wire.Encode(&wire.Hello{Token: words[2]})
		if err == nil {
			err = c.Write(ctx, websocket.MessageText, frame)
		}
		if err == nil {
			_, _, err = c.Read(ctx)
		}
		if err != nil {
			return err
		}
		go func() {
			for {
				if _, _, err := c.Read(ctx); err != nil {
					return
				}
			}
		}()
	}
	return lines.Err()
}

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
	i := install(t)
	n := i.nodes[0]
	guests := make([]person, people)
	for j := range guests {
		guests[j] = i.person(t, fmt.Sprintf("guest%d", j))
	}
	room := n.room(t, guests[0], nil)
	n.join(t, room, guests[1:]...)

	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), holdVariable+"=1")
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
	require.Eventually(t, func() bool { signedIn, _ := n.hub.Counts(); return signedIn == people*each }, patience, 1e6)
	require.Eventually(t, func() bool {
		return runtime.NumGoroutine()-goroutines <= people*(each-1)+50
	}, patience, 1e6, "idle connections have one goroutine")
	per := (inUse() - before) / (people * (each - 1))
	t.Logf("%d bytes a connection", per)
	require.Less(t, per, uint64(limit))
	require.NoError(t, in.Close())
	err = cmd.Wait()
	var exit *exec.ExitError
	require.False(t, errors.As(err, &exit), "%v", err)
}
