// Package badnet is a network between a test and a server that can go wrong.
package badnet

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Mode is how a network behaves.
type Mode int

// Modes of a Proxy.
const (
	Pass         Mode = iota
	Cut               // connections end at once
	Swallow           // connections stay, and nothing comes through
	SwallowCalls      // what the server sends comes through, what the test sends does not
)

// Proxy stands before a server.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	mode  Mode
	delay time.Duration
	conns map[net.Conn]struct{}
}

// New starts a proxy for the test. It passes everything on to the address until Set is called.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's listener
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]struct{}{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.Set(Cut)
		running.Wait()
	})
	return p
}

// Addr is where the server is reached through the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set changes what happens to connections. Those that there are end at the change to Pass and to Cut.
func (p *Proxy) Set(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m == Pass || m == Cut {
		for conn := range p.conns {
			_ = conn.Close()
		}
	}
}

// Delay has each answer of the server wait.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

func (p *Proxy) state() (Mode, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.delay
}

// keep reports whether the connection may be used; it is then closed with the others.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = struct{}{}
	return p.mode != Cut
}

func (p *Proxy) drop(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

func (p *Proxy) serve(client net.Conn) {
	defer p.drop(client)
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target) //nolint:noctx // a test's connection
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.keep(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client, true) })
	p.copy(client, server, false)
	both.Wait()
}

func (p *Proxy) copy(to, from net.Conn, calls bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		mode, delay := p.state()
		if mode == Swallow || mode == SwallowCalls && calls {
			continue
		}
		if !calls && delay > 0 {
			time.Sleep(delay)
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
