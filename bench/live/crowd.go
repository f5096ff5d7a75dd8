package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
)

const (
	members        = 1_000
	crowdSeeks     = 100
	crowdSeeksAway = 40 // while Redis is down
	crowdGap       = 300 * time.Millisecond

	connections = 20_000 // on one node
	holders     = 2      // processes that hold them
	idleRooms   = 10
	idlePeople  = connections / idleRooms / wire.MaxConnectionsEach
	spareFiles  = 200              // that a process needs besides its connections
	settleDown  = 30 * time.Second // until everybody has been told who is there
)

// arrival is an encoded state, and when a client received it.
type arrival struct {
	at    time.Time
	frame []byte
}

// listener is one of many clients on a machine that they share with what they measure: it does as little as it can when
// a frame comes.
type listener struct {
	mu       sync.Mutex
	arrivals []arrival
}

func (l *listener) listen(socket *websocket.Conn) {
	for {
		_, frame, err := socket.Read(context.Background())
		at := time.Now()
		if err != nil {
			return
		}
		if bytes.Contains(frame[:min(len(frame), 20)], []byte(`"t":"state"`)) {
			l.mu.Lock()
			l.arrivals = append(l.arrivals, arrival{at, frame})
			l.mu.Unlock()
		}
	}
}

// delivery is a decoded state, and when a client received it.
type delivery struct {
	at    time.Time
	state *wire.State
}

// take returns the states that came, in the order of their arrival, and forgets them.
func (l *listener) take() (deliveries []delivery, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.arrivals {
		m, err := wire.DecodeServer(a.frame)
		if err != nil {
			return nil, err
		}
		if s, ok := m.(*wire.State); ok {
			deliveries = append(deliveries, delivery{a.at, s})
		}
	}
	l.arrivals = nil
	return deliveries, nil
}

// open signs a connection in, which is read by nobody yet.
func open(ctx context.Context, o client.Options) (*websocket.Conn, error) {
	socket, err := client.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	frame, err := wire.Encode(&wire.Hello{Token: o.Token})
	if err == nil {
		err = socket.Write(ctx, websocket.MessageText, frame)
	}
	if err == nil {
		_, _, err = socket.Read(ctx)
	}
	if err != nil {
		_ = socket.CloseNow()
	}
	return socket, err
}

// crowd measures how soon many people in one room hear of a change.
func (m *Measurement) crowd(ctx context.Context) error {
	people, err := m.system.People(ctx, "crowd", members)
	if err != nil {
		return err
	}
	room, err := m.system.OpenRoom(ctx, string(watchparty.WaitPolicyAuto), people...)
	if err != nil {
		return err
	}
	var (
		connecting errgroup.Group
		listening  sync.WaitGroup
		listeners  = make([]*listener, members-1)
		sockets    = make([]*websocket.Conn, members-1)
	)
	defer listening.Wait()
	defer func() {
		for _, socket := range sockets {
			if socket != nil {
				_ = socket.CloseNow()
			}
		}
	}()
	connecting.SetLimit(16)
	for i, p := range people[1:] {
		listeners[i] = &listener{}
		connecting.Go(func() (err error) {
			sockets[i], err = open(ctx, client.Options{API: m.system.Nodes[i%Nodes].API(), RoomID: room, Token: p.Token})
			if err == nil {
				listening.Go(func() { listeners[i].listen(sockets[i]) })
			}
			return err
		})
	}
	if err := connecting.Wait(); err != nil {
		return err
	}
	host, err := client.Connect(ctx, client.Options{API: m.system.Nodes[0].API(), RoomID: room, Token: people[0].Token})
	if err != nil {
		return err
	}
	defer host.Close()
	m.logf("%d members are connected", members)
	h := &Silent{Client: host, state: host.Welcome.State}
	load := &wire.Load{Command: h.command(), StreamURL: new("https://movies.example/movie.webm")}
	if err := h.apply(ctx, load); err != nil {
		return err
	}
	if _, _, err := h.await(ctx, func(s wire.State) bool { return s.Epoch > 0 }); err != nil {
		return err
	}
	if err := h.apply(ctx, &wire.Pause{Command: h.command()}); err != nil {
		return err
	}
	if err := sleep(ctx, 5*time.Second); err != nil {
		return err
	}
	if err := m.deliver(
		ctx, h, listeners, crowdSeeks, "commit until the frame is there, 1,000 members, p99", 60,
	); err != nil {
		return err
	}
	if err := m.system.Stack.Kill(devstack.Redis); err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	return m.deliver(ctx, h, listeners, crowdSeeksAway, "the same, Redis away, p99", 600)
}

// apply gives a command, and waits until it is applied.
func (c *Silent) apply(ctx context.Context, m wire.ClientMessage) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if err := c.Send(ctx, m); err != nil {
		return err
	}
	for {
		answer, err := await[wire.ServerMessage](ctx, c.Client)
		if err != nil {
			return err
		}
		switch answer := answer.(type) {
		case *wire.State:
			c.state = *answer
		case *wire.Ack:
			if answer.ID == wire.IDOf(m) {
				return nil
			}
		case *wire.Error:
			return &Refusal{answer.Code}
		}
	}
}

// deliver times the frames of seeks in a paused room, whose anchors are the instants of their transactions.
func (m *Measurement) deliver(
	ctx context.Context, h *Silent, listeners []*listener, seeks int, what string, bound float64,
) error {
	if _, err := takeAll(listeners); err != nil {
		return err
	}
	before, err := m.processor(ctx)
	if err != nil {
		return err
	}
	for i := range seeks {
		next := time.Now().Add(crowdGap)
		if err := h.apply(ctx, &wire.Seek{Command: h.command(), PositionMS: int64(1000 * i)}); err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	after, err := m.processor(ctx)
	if err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	received, err := takeAll(listeners)
	if err != nil {
		return err
	}
	all, err := delays(received)
	if err != nil {
		return err
	}
	if seen := len(all) / len(received); seen != seeks {
		return fmt.Errorf("%d seeks were seen by somebody, of %d", seen, seeks)
	}
	m.AtMost(what, bound, float64(Quantile(all, 0.99))/1e6, " ms")
	m.Figure("the same, p50", float64(Quantile(all, 0.5))/1e6, " ms")
	m.Figure("the same, processor time of both nodes for each", (after-before)/float64(seeks)*1e3, " ms")
	return nil
}

// takeAll returns the states that came to each listener.
func takeAll(listeners []*listener) (received [][]delivery, err error) {
	for _, l := range listeners {
		deliveries, err := l.take()
		if err != nil {
			return nil, err
		}
		received = append(received, deliveries)
	}
	return received, nil
}

// delays returns, for each member and each revision that anybody has seen, the time from the commit until the member
// had that state or a newer one: the newest state replaces one that was not sent yet.
func delays(received [][]delivery) (all []time.Duration, err error) {
	commits := map[int64]time.Time{}
	for _, deliveries := range received {
		for _, d := range deliveries {
			commits[d.state.Revision] = wire.FromMilliseconds(d.state.AtMS)
		}
	}
	for number, deliveries := range received {
		for revision, committed := range commits {
			i := slices.IndexFunc(deliveries, func(d delivery) bool { return d.state.Revision >= revision })
			if i < 0 {
				return nil, fmt.Errorf("member %d has never seen revision %d or a newer one", number, revision)
			}
			all = append(all, deliveries[i].at.Sub(committed))
		}
	}
	return all, nil
}

// processor is how much processor time the nodes have taken, in seconds.
func (m *Measurement) processor(ctx context.Context) (seconds float64, err error) {
	for _, n := range m.system.Nodes {
		u, err := n.readUsage(ctx)
		if err != nil {
			return 0, err
		}
		seconds += u.processor
	}
	return seconds, nil
}

// memory measures what connections cost the process that has them.
func (m *Measurement) memory(ctx context.Context) error {
	most := openFiles()
	count := min(connections, int(most)-spareFiles)
	people, err := m.system.People(ctx, "idle", idlePeople)
	if err != nil {
		return err
	}
	var rooms []string
	for range idleRooms {
		room, err := m.system.OpenRoom(ctx, string(watchparty.WaitPolicyAuto), people...)
		if err != nil {
			return err
		}
		rooms = append(rooms, room)
	}
	node := m.system.Nodes[0]
	if err := m.settleMemory(ctx); err != nil {
		return err
	}
	before, err := node.readUsage(ctx)
	if err != nil {
		return err
	}
	m.logf("%d connections are opened, of %d: a process may have %d files", count, connections, most)
	held, release, err := m.hold(ctx, node, rooms, people, count)
	if err != nil {
		return err
	}
	defer release()
	if err := m.settleMemory(ctx); err != nil {
		return err
	}
	after, err := node.readUsage(ctx)
	if err != nil {
		return err
	}
	m.AtMost(fmt.Sprintf("memory of each of %d connections, in use", held), 36,
		float64(after.inUse-before.inUse)/float64(held)/1024, " KB")
	m.AtMost(fmt.Sprintf("memory of a process with %d connections, of the system", held), 1024,
		float64(after.resident)/(1<<20), " MB")
	return nil
}

// settleMemory waits until the messages about who is in the rooms have been sent and their memory is free.
func (m *Measurement) settleMemory(ctx context.Context) error { return sleep(ctx, settleDown) }

// usage is what a process has taken: memory in bytes.
type usage struct {
	inUse, resident int64
	processor       float64 // seconds
}

// readUsage reads the node's metrics.
func (n *Node) readUsage(ctx context.Context) (u usage, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Metrics+"/metrics", nil)
	if err != nil {
		return u, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return u, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes":
			u.inUse += int64(value)
		case "process_resident_memory_bytes":
			u.resident = int64(value)
		case "process_cpu_seconds_total":
			u.processor = value
		}
	}
	return u, lines.Err()
}

// openFiles raises the limit of open files for this process and its children, and returns it.
func openFiles() uint64 {
	const wanted = 1 << 17
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	more := syscall.Rlimit{Cur: wanted, Max: max(limit.Max, wanted)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more) == nil {
		return more.Cur
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	return limit.Cur
}

// HoldVariable makes a program that calls Hold a holder of connections.
const HoldVariable = "WATCHPARTY_BENCH_HOLD"

// Hold opens a connection for each line of its input, which has the API's address, the room, the token, and the address
// to connect from or nothing. For each empty line it says that all before it have signed in. It holds them until its
// input ends.
func Hold(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var (
		opening errgroup.Group
		lines   = bufio.NewScanner(in)
		from    = map[string]*http.Client{"": nil}
	)
	opening.SetLimit(8)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			if err := opening.Wait(); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(out, "ready"); err != nil {
				return err
			}
			continue
		}
		source := ""
		if len(words) > 3 {
			source = words[3]
		}
		if _, ok := from[source]; !ok {
			from[source] = clientFrom(source)
		}
		http := from[source]
		opening.Go(func() error {
			socket, err := open(ctx, client.Options{API: words[0], RoomID: words[1], Token: words[2], HTTP: http})
			if err == nil {
				go read(ctx, socket)
			}
			return err
		})
	}
	return errors.Join(lines.Err(), opening.Wait())
}

// clientFrom connects from an address of loopback.
func clientFrom(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
}

func read(ctx context.Context, socket *websocket.Conn) {
	for {
		_, reader, err := socket.Reader(ctx)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, reader); err != nil {
			return
		}
	}
}

// hold has other processes open connections to a node, and hold them until release is called.
func (m *Measurement) hold(
	ctx context.Context, n *Node, rooms []string, people []Person, count int,
) (held int, release func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, nil, err
	}
	var stops []func()
	release = func() {
		for _, stop := range stops {
			stop()
		}
	}
	var starting errgroup.Group
	for i := range holders {
		cmd := exec.CommandContext(ctx, program)
		cmd.Env = append(os.Environ(), HoldVariable+"=1")
		cmd.Stderr = m.Log
		in, err := cmd.StdinPipe()
		if err != nil {
			return 0, release, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return 0, release, err
		}
		if err := cmd.Start(); err != nil {
			return 0, release, err
		}
		stops = append(stops, func() {
			_ = in.Close()
			_ = cmd.Wait()
		})
		starting.Go(func() error {
			for j := i; j < count; j += holders {
				// One person after the other, in one room after the other.
				room, p := rooms[j%len(rooms)], people[j/len(rooms)%len(people)]
				_, err := fmt.Fprintln(in, n.API(), room, p.Token, fmt.Sprintf("127.0.0.%d", 2+j%8))
				if err != nil {
					return err
				}
			}
			if _, err := fmt.Fprintln(in); err != nil {
				return err
			}
			answer, err := bufio.NewReader(out).ReadString('\n')
			if answer != "ready\n" {
				return fmt.Errorf("a process that holds connections has ended: %w", err)
			}
			return nil
		})
	}
	if err := starting.Wait(); err != nil {
		release()
		return 0, nil, err
	}
	return count, release, nil
}
