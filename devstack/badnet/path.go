package badnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Quality has the delays and losses of a Path.
type Quality struct {
	Base   time.Duration // each way
	Jitter time.Duration // the mean of what comes on top, which is distributed exponentially
	Loss   float64       // the share of what is sent that comes only after a retransmission
	Skew   time.Duration // what the way from the server takes longer than the way to it
}

// Fair is like the wireless network of a home, far from the server.
func Fair() Quality {
	return Quality{Base: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.03}
}

// Poor is like a mobile network.
func Poor() Quality {
	return Quality{Base: 75 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.03}
}

// firstTimeout is the least time after which TCP retransmits a lost packet. It doubles with each retransmission.
const firstTimeout = 200 * time.Millisecond

// Draw returns a random delay for one packet, in one direction.
func (q Quality) Draw(random *rand.Rand) time.Duration {
	d := q.Base + time.Duration(random.ExpFloat64()*float64(q.Jitter))
	for timeout := firstTimeout; random.Float64() < q.Loss; timeout *= 2 {
		d += max(timeout, 2*q.Base+timeout/2)
	}
	return d
}

// Path is a network path to a service over TCP: data arrives in order, so that it waits for lost packets before it.
// Each new connection goes to the first server that accepts it, as with a load balancer.
type Path struct {
	listener net.Listener
	targets  []string
	running  sync.WaitGroup

	quality Quality

	mu     sync.Mutex
	cut    bool
	held   chan struct{} // is closed when the path is held no longer; nil if it is not
	conns  map[net.Conn]struct{}
	closed chan struct{}
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

// Hold stops all data until the returned function is called, but keeps the connections open, like a network that drops
// all packets for a time.
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

// Cut closes all connections, and accepts none until the returned function is called.
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

// Reset closes all connections, so that clients reconnect.
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

// keep registers a connection to be closed by Close. It returns false if the path is closed already.
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

// packet is data that was read, and the time when it is delivered.
type packet struct {
	data []byte
	due  time.Time
}

// maxFlying is the largest number of packets in flight on a connection. At that number, no more data is read.
const maxFlying = 256

// pass passes on the data of one side. The first packet also waits for the time of a handshake, a full round trip.
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
	// The other side sees the end of the connection when it has received everything.
	_, _ = to.Close(), from.Close()
}

func (p *Path) draw(random *rand.Rand, back bool) time.Duration {
	d := p.quality.Draw(random)
	if back {
		d += p.quality.Skew
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
