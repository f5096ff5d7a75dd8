// Package badnet is a network between a test and a server that can go wrong.
package badnet

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Mode is a behaviour of a network.
type Mode int

// Modes of a Proxy.
const (
	Pass         Mode = iota
	Cut               // connections end at once
	Swallow           // connections stay open, but nothing is passed on
	SwallowCalls      // only data from the server is passed on
)

// Proxy forwards connections to a server.
type Proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	mode     Mode
	delay    time.Duration
	selects  func(call []byte) bool // nil for all connections
	matchers func() Matcher         // nil for none
	answered func() (deliver bool)
	stalls   func() Matcher // nil for none
	stalled  func()
	links    map[*link]struct{}
}

// Matcher is asked about each piece that the client of one connection sends, in order. It reports whether the piece is
// to be stalled, or the next answer of the server to be intercepted.
type Matcher func(call []byte) bool

// link is a connection to the proxy and the one to the server behind it.
type link struct {
	client, server net.Conn

	// The rest is guarded by the proxy's mutex.
	selected bool
	stranded bool
	matcher  Matcher
	caught   func() (deliver bool) // what is called at the next answer
	stall    Matcher
}

func (l *link) close() {
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}

// New starts a proxy for the test. It passes everything on to the address until Set is called.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's listener
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &Proxy{listener: l, target: target, links: map[*link]struct{}{}}
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
		p.Select(nil)
		p.Set(Cut)
		running.Wait()
	})
	return p
}

// Addr is where the server is reached through the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set changes the mode. A change to Pass or Cut closes the existing connections.
func (p *Proxy) Set(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m != Pass && m != Cut {
		return
	}
	for l := range p.links {
		if p.selects == nil || l.selected {
			l.close()
		}
	}
}

// Select limits Set to those connections on which a client sends something that matches, from then on. nil, as in the
// beginning, means all connections.
func (p *Proxy) Select(match func(call []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.selects = match
	for l := range p.links {
		l.selected = false
	}
}

// Strand makes the existing connections swallow all data from now on, like a firewall that has forgotten them. New
// connections are not affected.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.stranded = true
	}
}

// Delay delays each answer of the server.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Intercept asks a matcher of its own about each connection. What the server answers to a call that matches is not
// passed on before answered has returned; if that is false, the connection ends instead. nil ends it.
func (p *Proxy) Intercept(matchers func() Matcher, answered func() (deliver bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.matchers, p.answered = matchers, answered
	for l := range p.links {
		l.matcher, l.caught = nil, nil
	}
}

// Stall asks a matcher of its own about each connection. What a client sends that matches is not passed on before
// stalled has returned. nil ends it.
func (p *Proxy) Stall(matchers func() Matcher, stalled func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalls, p.stalled = matchers, stalled
	for l := range p.links {
		l.stall = nil
	}
}

// matches asks a matcher of the link's own about data that a client sends. It makes the matcher at first.
func matches(own *Matcher, matchers func() Matcher, call []byte) bool {
	if matchers == nil {
		return false
	}
	if *own == nil {
		*own = matchers()
	}
	return (*own)(call)
}

// stallOf returns what is called before data that a client sends is passed on, or nil.
func (p *Proxy) stallOf(l *link, call []byte) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !matches(&l.stall, p.stalls, call) {
		return nil
	}
	return p.stalled
}

// call records data that a client sends, and returns what to do with it.
func (p *Proxy) call(l *link, call []byte) Mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.selects != nil && !l.selected {
		l.selected = p.selects(call)
	}
	if matches(&l.matcher, p.matchers, call) {
		l.caught = p.answered
	}
	return p.modeOf(l)
}

// answer returns what to do with data from the server.
func (p *Proxy) answer(l *link) (m Mode, delay time.Duration, caught func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	caught, l.caught = l.caught, nil
	return p.modeOf(l), p.delay, caught
}

// modeOf is called with the mutex held.
func (p *Proxy) modeOf(l *link) Mode {
	if l.stranded {
		return Swallow
	}
	if p.selects != nil && !l.selected {
		return Pass
	}
	return p.mode
}

// keep reports whether the link may be used; it is then closed with the others.
func (p *Proxy) keep(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	return p.modeOf(l) != Cut
}

func (p *Proxy) drop(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target) //nolint:noctx // a test's connection
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	defer p.drop(l)
	if !p.keep(l) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		defer l.close()
		carry(client, server, func(call []byte) bool {
			if stalled := p.stallOf(l, call); stalled != nil {
				stalled()
			}
			switch p.call(l, call) {
			case Pass:
				return true
			case Cut:
				l.close()
			}
			return false
		})
	})
	carry(server, client, func([]byte) bool {
		mode, delay, caught := p.answer(l)
		if mode == Cut {
			l.close()
		}
		if mode == Cut || mode == Swallow {
			return false
		}
		if caught != nil && !caught() {
			l.close()
			return false
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		return true
	})
	l.close()
	both.Wait()
}

// carry copies those pieces that may pass until a connection ends.
func carry(from, to net.Conn, mayPass func(piece []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if !mayPass(buffer[:n]) {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
