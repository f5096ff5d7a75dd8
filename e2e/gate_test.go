package e2e

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// gate is a network between the program and a server: shut, it takes no connections and breaks those that it had, while
// the server goes on. Stalled, it keeps them, and lets nothing through.
type gate struct {
	listener net.Listener
	target   string
	passing  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  []net.Conn

	stalled sync.RWMutex // is held for writing while nothing may pass
}

func newGate(t testing.TB, target string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{listener: l, target: target}
	g.passing.Go(g.accept)
	t.Cleanup(func() {
		_ = l.Close()
		g.shut()
		g.passing.Wait()
	})
	return g
}

func (g *gate) addr() string { return g.listener.Addr().String() }

func (g *gate) accept() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", g.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !g.admit(client, server) {
			continue
		}
		g.passing.Go(func() { g.pass(client, server) })
		g.passing.Go(func() { g.pass(server, client) })
	}
}

func (g *gate) pass(to, from net.Conn) {
	_, _ = io.Copy(stalling{to, &g.stalled}, from)
	_ = to.Close()
	_ = from.Close()
}

// stalling is a connection whose writes wait while the gate is stalled.
type stalling struct {
	io.Writer
	stalled *sync.RWMutex
}

func (s stalling) Write(b []byte) (int, error) {
	s.stalled.RLock()
	defer s.stalled.RUnlock()
	return s.Writer.Write(b)
}

// stall lets nothing through until the function that it returns is called.
func (g *gate) stall() (resume func()) {
	g.stalled.Lock()
	return g.stalled.Unlock
}

// admit keeps connections for shut, or closes them when it is shut.
func (g *gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns = append(g.conns, conns...)
	if g.closed {
		g.closeAll()
	}
	return !g.closed
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.closeAll()
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

func (g *gate) closeAll() {
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}
