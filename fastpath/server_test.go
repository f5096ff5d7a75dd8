package fastpath

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPanic: a handler that gives up ends its connection and no other one.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Server: http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "hello")
	})}})
	require.Len(t, s.converse(t, []string{simple, replace("/hello", "/panic")}, nil), 1)
	require.Len(t, s.converse(t, []string{simple, simple}, nil), 2)
}

// TestShutdown: an answer that takes its time is sent before the server has stopped, and no other one after it.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s, c, goOn := startSlow(t)
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	require.ErrorIs(t, <-s.served, http.ErrServerClosed)
	require.Never(
		t,
		func() bool { return len(stopped) > 0 },
		50*time.Millisecond,
		time.Millisecond,
		"the server did not wait",
	)
	close(goOn)
	require.Contains(t, c.receive(t), "hello")
	require.NoError(t, <-stopped)
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

// TestShutdownTakesTooLong: the stop ends when its context does, and Close ends the rest.
func TestShutdownTakesTooLong(t *testing.T) {
	t.Parallel()
	s, c, goOn := startSlow(t)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	accepted := (<-s.accepted).(*conn)
	require.Eventually(t, func() bool {
		accepted.mu.Lock()
		defer accepted.mu.Unlock()
		return accepted.closed
	}, patience, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-stopped, context.Canceled)
	require.NoError(t, s.Close())
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	close(goOn)
}

// TestClose: the first Close of a connection lets its answer be sent, and the second one does not.
func TestClose(t *testing.T) {
	t.Parallel()
	s, c, goOn := startSlow(t)
	accepted := <-s.accepted
	require.NoError(t, accepted.Close())
	require.NoError(t, accepted.Close())
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.False(t, accepted.(*conn).begin(), "nobody would wait for another answer")
	close(goOn)
}

// TestDeadlines: requests that follow each other keep a connection that would have been idle for too long, and one
// without requests ends.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	s := start(
		t,
		&Server{Server: http.Server{Handler: handler(), IdleTimeout: 4 * time.Second, WriteTimeout: 4 * time.Second}},
	)
	c := s.warm(t)
	began, tick := time.Now(), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for sent := 1; time.Since(began) < 6*time.Second; sent++ {
		c.send(t, simple)
		c.receive(t)
		require.EqualValues(t, sent, s.answered.Load())
		<-tick.C
	}
	_, err := c.answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

// TestSlowReader: a client that does not take its answer is left, whatever it has asked for before.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	for name, before := range map[string][]string{
		"at once":                 {},
		"after an answer":         {simple},
		"after one of net/http's": {simple, replace("/hello", "/other")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, &Server{Server: http.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/endless" {
						_, _ = w.Write(make([]byte, 64<<20))
					}
				}),
				WriteTimeout: 2 * time.Second,
			}})
			c := s.warm(t)
			for i, request := range before {
				c.send(t, request)
				c.receive(t)
				s.settle(t, i+2)
			}
			answered := s.answered.Load()
			c.send(t, replace("/hello", "/endless"))
			select {
			case <-s.left:
			case <-time.After(patience):
				require.Fail(t, "the server still waits")
			}
			require.Equal(t, answered+1, s.answered.Load())
		})
	}
}
