package badnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Quality says what a Path does to what passes.
type Quality struct {
	Base   time.Duration // each way
	Jitter time.Duration // the mean of what comes on top, which is distributed exponentially
	Loss   float64       // the share of what is sent that comes only after a retransmission
	Skew   time.Duration // what the way from the server takes longer than the way to it
}

// Fair is a home's wireless network, far from the server.
func Fair() Quality {
	return Quality{Base: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.03}
}

// Poor is a mobile network.
func Poor() Quality {
	return Quality{Base: 75 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.03}
}

// firstTimeout is TCP's, at the least, until it sends again what was lost. It doubles.
const firstTimeout = 200 * time.Millisecond

// Draw is how long something takes to come through, one way.
func (q Quality) Draw(random *rand.Rand) time.Duration {
	d := q.Base + time.Duration(random.ExpFloat64()*float64(q.Jitter))
	for timeout := firstTimeout; random.Float64() < q.Loss; timeout *= 2 {
		d += max(timeout, 2*q.Base+timeout/2)
	}
	return d
}

// Path is a way to a service, in TCP: what was sent first comes first, so that all waits for what was lost. Each new
// connection goes to the first of the servers that takes it, as a load balancer has it.
type Path struct {
	listener net.Listener
	targets  []string
	running  sync.WaitGroup

	mu      sync.Mutex
	quality Quality
	cut     bool
	held    chan struct{} // is closed when the path is held no longer; nil if it is not
	conns   map[net.Conn]struct{}
	closed  chan struct{}
}

// NewPath opens a path to servers. Close ends it.
func NewPath(q Quality, targets ...string) (*Path, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("badnet: %w", err)
	}
	p := &Path{listener: l, targets: targets, quality: q, conns: map[net.Conn]struct{}{}, closed: make(chan struct{})}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the service is reached.
func (p *Path) Addr() string { return p.listener.Addr().String() }

// Set changes the quality for what is sent from now on.
func (p *Path) Set(q Quality) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quality = q
}

// Hold lets nothing through until the function that it returns is called, and keeps the connections: the network is a
// black hole for a time.
func (p *Path) Hold() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		return func() {}
	}
	held := make(chan struct{})
	p.held = held
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held = nil
		close(held)
	})
}

// Cut ends all connections, and takes none until the function that it returns is called.
func (p *Path) Cut() (restore func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.endAll()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cut = false
	}
}

// Reset ends all connections: clients come again.
func (p *Path) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endAll()
}

// Close ends the path.
func (p *Path) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.cut = true
	p.endAll()
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Path) endAll() {
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *Path) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

// keep has a connection closed with the others. It returns false if it is closed already.
func (p *Path) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = struct{}{}
	return !p.cut
}

func (p *Path) end(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

func (p *Path) serve(client net.Conn) {
	if !p.keep(client) {
		p.end(client)
		return
	}
	server, err := p.dial()
	if err != nil {
		p.end(client)
		return
	}
	if !p.keep(server) {
		p.end(client, server)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, false) })
	both.Go(func() { p.pass(client, server, true) })
	both.Wait()
	p.end(client, server)
}

func (p *Path) dial() (net.Conn, error) {
	var failures []error
	for _, target := range p.targets {
		conn, err := net.Dial("tcp", target)
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// packet is what was read at a time, and when it is through.
type packet struct {
	data []byte
	due  time.Time
}

// maxFlying is how many packets a connection has on the way. Then nothing more is read.
const maxFlying = 256

// pass passes on what one side sends. The first of it also waits for a handshake, which takes both ways.
func (p *Path) pass(to, from net.Conn, back bool) {
	flying := make(chan packet, maxFlying)
	var writing sync.WaitGroup
	writing.Go(func() { p.deliver(to, flying) })
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var last time.Time
	first := !back
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if err != nil {
			break
		}
		delay := p.draw(random, back)
		if first {
			delay += p.draw(random, false) + p.draw(random, true)
			first = false
		}
		if due := time.Now().Add(delay); due.After(last) {
			last = due
		}
		flying <- packet{buffer[:n], last}
	}
	close(flying)
	writing.Wait()
	// The other side hears of the end when it has everything.
	_, _ = to.Close(), from.Close()
}

func (p *Path) draw(random *rand.Rand, back bool) time.Duration {
	p.mu.Lock()
	q := p.quality
	p.mu.Unlock()
	d := q.Draw(random)
	if back {
		d += q.Skew
	}
	return d
}

// deliver writes packets when they are due.
func (p *Path) deliver(to net.Conn, flying <-chan packet) {
	broken := false
	for next := range flying {
		if broken || !p.wait(next.due) {
			continue // so that the reader ends
		}
		_, err := to.Write(next.data)
		broken = err != nil
		if broken {
			_ = to.Close()
		}
	}
}

// wait waits until a packet may be delivered, and reports whether the path is still there.
func (p *Path) wait(due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closed:
		return false
	}
	for {
		p.mu.Lock()
		held := p.held
		p.mu.Unlock()
		if held == nil {
			return true
		}
		select {
		case <-held:
		case <-p.closed:
			return false
		}
	}
}
