package badnet_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
)

// echo is a server that sends back each line, after a word.
func echo(t *testing.T, word string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintln(conn, word, lines.Text())
				}
			}()
		}
	}()
	return l.Addr().String()
}

type caller struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, addr string) caller {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return caller{conn, bufio.NewReader(conn)}
}

func (c caller) line(t *testing.T) string {
	t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	return line
}

func open(t *testing.T, q badnet.Quality, targets ...string) *badnet.Path {
	t.Helper()
	p, err := badnet.NewPath(q, targets...)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// TestPathDelays: everything takes its time both ways, the first of it also that of a handshake, and comes in order.
func TestPathDelays(t *testing.T) {
	t.Parallel()
	const base, skew = 30 * time.Millisecond, 20 * time.Millisecond
	c := dial(t, open(t, badnet.Quality{Base: base, Jitter: 5 * time.Millisecond, Skew: skew}, echo(t, "a")).Addr())
	for i, least := range []time.Duration{4*base + 2*skew, 2*base + skew, 2*base + skew} {
		sent := time.Now()
		fmt.Fprintln(c, i)
		require.Equal(t, fmt.Sprintf("a %d\n", i), c.line(t))
		require.GreaterOrEqual(t, time.Since(sent), least)
	}
	const many = 200
	go func() {
		for i := range many {
			fmt.Fprintln(c, i)
			time.Sleep(time.Millisecond / 2)
		}
	}()
	for i := range many {
		require.Equal(t, fmt.Sprintf("a %d\n", i), c.line(t))
	}
}

// TestPathHolds: nothing comes through a path that is held, and nothing is lost.
func TestPathHolds(t *testing.T) {
	t.Parallel()
	p := open(t, badnet.Quality{}, echo(t, "a"))
	c := dial(t, p.Addr())
	fmt.Fprintln(c, 1)
	require.Equal(t, "a 1\n", c.line(t))
	release := p.Hold()
	fmt.Fprintln(c, 2)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	release()
	require.Equal(t, "a 2\n", c.line(t))
}

// TestPathIsCut: connections end, and no new one gets anywhere until the path is restored.
func TestPathIsCut(t *testing.T) {
	t.Parallel()
	p := open(t, badnet.Quality{}, echo(t, "a"))
	c := dial(t, p.Addr())
	fmt.Fprintln(c, 1)
	require.Equal(t, "a 1\n", c.line(t))
	restore := p.Cut()
	_, err := c.lines.ReadString('\n')
	require.Error(t, err)
	_, err = dial(t, p.Addr()).lines.ReadString('\n')
	require.ErrorIs(t, err, io.EOF)
	restore()
	again := dial(t, p.Addr())
	fmt.Fprintln(again, 2)
	require.Equal(t, "a 2\n", again.line(t))
	p.Reset()
	_, err = again.lines.ReadString('\n')
	require.Error(t, err)
}

// TestPathGoesElsewhere: while the first server is down, connections go to the next one.
func TestPathGoesElsewhere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c := dial(t, open(t, badnet.Quality{}, l.Addr().String(), echo(t, "b")).Addr())
	fmt.Fprintln(c, 1)
	require.Equal(t, "b 1\n", c.line(t))
}

// TestQuality: losses are as frequent as was asked for, and cost a timeout.
func TestQuality(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const draws = 100_000
	all := make([]time.Duration, draws)
	late := 0
	for i := range all {
		all[i] = badnet.Fair().Draw(random)
		if all[i] >= 240*time.Millisecond {
			late++
		}
	}
	slices.Sort(all)
	require.InDelta(t, 0.03, float64(late)/draws, 0.003)
	require.GreaterOrEqual(t, all[0], 40*time.Millisecond)
	require.InDelta(t, 40+20*0.69, all[draws/2].Seconds()*1000, 2)
}
