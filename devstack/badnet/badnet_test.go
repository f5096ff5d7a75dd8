package badnet_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
)

// second matches what a connection sends after a text.
func second(text string) func() badnet.Matcher {
	return func() badnet.Matcher {
		after := false
		return func(call []byte) bool {
			matches := after
			after = bytes.Contains(call, []byte(text))
			return matches
		}
	}
}

// TestStall: what matches on its own connection reaches the server only when it is released; the rest does at once.
func TestStall(t *testing.T) {
	t.Parallel()
	p := badnet.New(t, echo(t, "a"))
	stalled, release := make(chan struct{}), make(chan struct{})
	p.Stall(second("first"), func() {
		close(stalled)
		<-release
	})
	c, other := dial(t, p.Addr()), dial(t, p.Addr())
	for _, line := range []string{"first", "second"} {
		fmt.Fprintln(c, line)
		if line == "first" {
			require.Equal(t, "a first\n", c.line(t))
		}
	}
	<-stalled
	fmt.Fprintln(other, "second")
	require.Equal(t, "a second\n", other.line(t), "of another connection")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	p.Stall(nil, nil)
	close(release)
	require.Equal(t, "a second\n", c.line(t))
	fmt.Fprintln(c, "first")
	require.Equal(t, "a first\n", c.line(t))
	fmt.Fprintln(c, "second")
	require.Equal(t, "a second\n", c.line(t), "the stall has ended")
}

// TestIntercept: the answer to what matches is not delivered, and its connection ends; before that, the call has
// reached the server.
func TestIntercept(t *testing.T) {
	t.Parallel()
	p := badnet.New(t, echo(t, "a"))
	answered := make(chan struct{})
	p.Intercept(second("first"), func() bool {
		close(answered)
		return false
	})
	c := dial(t, p.Addr())
	fmt.Fprintln(c, "first")
	require.Equal(t, "a first\n", c.line(t))
	fmt.Fprintln(c, "second")
	<-answered
	_, err := c.lines.ReadString('\n')
	require.Error(t, err)
	p.Intercept(nil, nil)
	c = dial(t, p.Addr())
	for _, line := range []string{"first", "second"} {
		fmt.Fprintln(c, line)
		require.Equal(t, "a "+line+"\n", c.line(t))
	}
}
