package live

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/limit"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

// Bus carries hints between processes; see package bus.
type Bus interface {
	Publish(channel string, payload []byte) error
	Subscribe(channel string, handle func(payload []byte))
	OnSubscribed(f func())
	Healthy() bool
	Process() string
}

// Deps are the parts that a Hub is built on.
type Deps struct {
	Store  *store.Store
	Bus    Bus // not running yet
	Tokens *auth.Tokens
	Files  string // address of all public files; see watchparty.Person
	// HostSilence is how long a host may be away before the room is passed on.
	HostSilence time.Duration
	// Connects counts a person's new connections, and refuses too many; nil for no limit.
	Connects func(ctx context.Context, userID string) limit.Result
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// Hub holds the connections of this process. Its methods are safe for concurrent use.
type Hub struct {
	store    *store.Store
	bus      Bus
	tokens   *auth.Tokens
	files    string
	connects func(context.Context, string) limit.Result
	log      *slog.Logger // errors of the database once an interval
	metrics  metrics
	clock    *Clock
	node     string // the ID of this process in the database
	silence  time.Duration
	began    time.Time
	limits   limits

	perPerson, perRoom *limit.Local // commands
	commands           chan struct{}
	signIns            chan struct{}
	dismissals         dismissals
	registered         chan struct{} // is closed when the database knows this process
	register           sync.Once
	wake               chan struct{} // the poll is due now
	changes            *changes

	running  *group // all goroutines of connections and rooms
	degraded atomic.Bool
	answered atomic.Int64 // when Postgres last answered
	renewed  atomic.Int64 // when this process' lease was last renewed, with its connections in the database

	mu       sync.Mutex
	rooms    map[string]*room
	pending  map[string]int // connections before hello, by client
	waiting  int            // their number
	draining bool
	closed   bool
	conns    map[*conn]bool // whether they have signed in
}

// limits are the limits of a hub. The fields are exported because export_test.go embeds the struct.
type limits struct {
	PendingEach int           // connections of one client that have not signed in
	Pending     int           // of all clients
	Connections int           // that have signed in, and those that have not
	Hello       time.Duration // until a connection signs in
	Write       time.Duration // of one message
	Ping, Dead  time.Duration
	Warning     time.Duration // before a token expires
	Grace       time.Duration // after it
	Degraded    time.Duration // without an answer of Postgres
	PollCalm    time.Duration // while the bus is healthy
	PollBusy    time.Duration // while it is not
	Digest      time.Duration // between two digests
	Sweep       time.Duration
	Attend      time.Duration // between two notes of who is present
	Lease       time.Duration // of this process
	Statement   time.Duration // of what the hub asks Postgres
}

func defaultLimits() limits {
	return limits{
		PendingEach: 50,
		Pending:     4000,
		Connections: 30000,
		Hello:       wire.HelloTime,
		Write:       wire.WriteTime,
		Ping:        wire.PingInterval,
		Dead:        wire.DeadAfter,
		Warning:     time.Minute,
		Grace:       30 * time.Second,
		Degraded:    10 * time.Second,
		PollCalm:    5 * time.Second,
		PollBusy:    300 * time.Millisecond,
		Digest:      time.Second,
		Sweep:       2 * time.Second,
		Attend:      30 * time.Second,
		Lease:       store.LeaseFor,
		Statement:   5 * time.Second,
	}
}

const (
	// commandSlots is the number of commands that this process runs at a time, so that a flood of commands leaves database
	// connections to all other work.
	commandSlots = 4
	// signInSlots is how many connections sign in at a time. The others wait: when another process ends, all of its
	// clients connect at once.
	signInSlots = 8
)

// NewHub makes a hub without connections. Run has to be called, and ended, before any are accepted.
func NewHub(d Deps) *Hub {
	h := &Hub{
		store:      d.Store,
		bus:        d.Bus,
		tokens:     d.Tokens,
		files:      d.Files,
		connects:   d.Connects,
		log:        logging.Sparse(d.Log, slog.LevelWarn, "while"),
		clock:      NewClock(d.Store.ReadClock, d.Log),
		node:       uuid.Must(uuid.NewV7()).String(),
		began:      time.Now(),
		limits:     defaultLimits(),
		perPerson:  limit.NewLocal(commandsPerPerson),
		perRoom:    limit.NewLocal(commandsPerRoom),
		commands:   make(chan struct{}, commandSlots),
		signIns:    make(chan struct{}, signInSlots),
		dismissals: dismissals{rooms: map[string]bool{}},
		registered: make(chan struct{}),
		wake:       make(chan struct{}, 1),
		rooms:      map[string]*room{},
		pending:    map[string]int{},
		conns:      map[*conn]bool{},
		changes:    newChanges(),
		silence:    d.HostSilence,
		running:    newGroup(),
	}
	h.metrics = newMetrics(d.Metrics, h)
	h.bus.Subscribe(hintChannel, h.handleHint)
	h.bus.OnSubscribed(h.pollNow)
	return h
}

// Run keeps the hub until ctx ends. Then it closes all connections that are left, and waits for them. Call Drain
// before, so that their clients do not reconnect all at once.
func (h *Hub) Run(ctx context.Context) error {
	h.answered.Store(int64(h.elapsed()))
	group, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context){
		func(ctx context.Context) { h.clock.Run(ctx, h.clockJumped) },
		h.pollAll, h.sendDigests, h.keepAlive, h.keepPresence, h.sweep, h.followChanges,
	} {
		group.Go(func() error { loop(ctx); return nil })
	}
	err := group.Wait()
	h.closeAll(wire.CodeGoingAway)
	h.running.wait()
	h.removeNode(context.WithoutCancel(ctx))
	return err
}

// Clock is Postgres' clock.
func (h *Hub) Clock() *Clock { return h.clock }

// elapsed counts from the hub's beginning, by the monotonic clock.
func (h *Hub) elapsed() time.Duration { return time.Since(h.began) }

// spawn runs f in a goroutine that Run waits for. After the end of Run it does not, and returns false.
func (h *Hub) spawn(f func()) bool { return h.running.run(f) }

func (h *Hub) warn(ctx context.Context, while string, err error) {
	if ctx.Err() == nil {
		h.log.WarnContext(ctx, "live rooms are impaired", slog.String("while", while),
			slog.String("reason", logging.Reason(err)))
	}
}

// encode logs what cannot be encoded, which is an error of the program.
func (h *Hub) encode(m wire.ServerMessage) []byte {
	frame, err := wire.Encode(m)
	if err != nil {
		h.log.Error("live message not encoded", slog.String("type", m.Type()), slog.Any("error", err))
		return nil
	}
	return frame
}

// Errors of Accept.
var (
	// errTooManyConnections is watchparty.ErrBusy when this process has as many connections as it takes, or stops.
	errTooManyConnections = &watchparty.Error{Kind: watchparty.KindUnavailable, Code: "busy",
		Message: "This server takes no more connections now. Try again in a moment."}
	// ErrTooManyPending: the client has too many connections that have not signed in.
	ErrTooManyPending = &watchparty.Error{Kind: watchparty.KindLimited, Code: "rate_limited",
		Message: "Too many connections that have not signed in.", RetryAfter: wire.HelloTime}
)

// Accept upgrades a request to a connection to a room, and returns at once. client is the network address by which
// limits are counted. It returns watchparty.ErrBusy or ErrTooManyPending before it has answered; after an error of the
// handshake the answer is written.
func (h *Hub) Accept(w http.ResponseWriter, r *http.Request, roomID, client string) error {
	c := &conn{hub: h, id: uuid.Must(uuid.NewV7()).String(), client: client}
	if err := h.admit(c); err != nil {
		return err
	}
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{wire.Subprotocol}, InsecureSkipVerify: true, // the caller has checked the origin
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { return c.admitControl() },
		OnPongReceived:  func(context.Context, []byte) { c.admitControl() },
	})
	if err != nil {
		h.dismiss(c)
		return nil //nolint:nilerr // it has been answered
	}
	socket.SetReadLimit(-1) // see next
	c.messages = rate.NewLimiter(wire.MessageRate, wire.MessageBurst)
	c.statuses = rate.NewLimiter(wire.StatusRate, wire.StatusBurst)
	c.read.Store(int64(h.elapsed()))
	c.pinged.Store(int64(h.elapsed()))
	h.metrics.opened.Inc()
	// Not the request's context, which has ended with the request, and not its goroutine, whose stack is large.
	if !h.attach(c, socket) || !h.spawn(func() { c.serve(context.Background(), roomID) }) {
		_ = socket.CloseNow()
		h.dismiss(c)
	}
	return nil
}

// attach gives a connection its socket, unless all connections have been closed.
func (h *Hub) attach(c *conn, socket *websocket.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		c.socket = socket
	}
	return !h.closed
}

// admit counts a connection that has not signed in.
func (h *Hub) admit(c *conn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining || h.closed || len(h.conns) >= h.limits.Connections || h.waiting >= h.limits.Pending:
		return errTooManyConnections
	case h.pending[c.client] >= h.limits.PendingEach:
		return ErrTooManyPending
	}
	h.pending[c.client]++
	h.waiting++
	h.conns[c] = false
	return nil
}

// dismiss removes a connection, whether it has signed in or not.
func (h *Hub) dismiss(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.conns[c] {
		h.leavePending(c.client)
	}
	delete(h.conns, c)
}

func (h *Hub) leavePending(client string) {
	h.waiting--
	if h.pending[client]--; h.pending[client] == 0 {
		delete(h.pending, client)
	}
}

// signedIn counts a connection as one that has signed in.
func (h *Hub) signedIn(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns[c] = true
	h.leavePending(c.client)
}

// signedInConnections returns the connections that have signed in.
func (h *Hub) signedInConnections() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	some := make([]*conn, 0, len(h.conns))
	for c, signedIn := range h.conns {
		if signedIn {
			some = append(some, c)
		}
	}
	return some
}

// allConnections returns all connections, also those that have not signed in.
func (h *Hub) allConnections() []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.conns))
}

// openRooms returns the rooms with connections.
func (h *Hub) openRooms() []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*room, 0, len(h.rooms))
	for _, r := range h.rooms {
		all = append(all, r)
	}
	return all
}

// roomIDs returns the IDs of the rooms with connections.
func (h *Hub) roomIDs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.rooms))
}

func (h *Hub) roomOf(id string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[id]
}

// codeFor returns the close code for an error: of a standing, or of the database. It also returns the reason.
func codeFor(err error) (wire.Code, string) {
	var (
		coded  *watchparty.Error
		direct closeError
	)
	code := wire.CodeInternal
	switch {
	case errors.As(err, &direct):
		code = wire.Code(direct)
	case errors.Is(err, watchparty.ErrBanned):
		return wire.CodeNotParticipant, watchparty.ErrBanned.Code
	case errors.Is(err, watchparty.ErrNotParticipant):
		code = wire.CodeNotParticipant
	case errors.Is(err, watchparty.ErrRoomArchived), errors.Is(err, watchparty.ErrRoomClosed):
		code = wire.CodeArchived
	case errors.As(err, &coded) && coded.Kind == watchparty.KindUnauthenticated:
		code = wire.CodeUnauthenticated
	case errors.As(err, &coded) && coded.Kind == watchparty.KindNotFound:
		code = wire.CodeNotFound
	case errors.As(err, &coded) && coded.Kind == watchparty.KindLimited:
		code = wire.CodeRateLimited
	case errors.As(err, &coded) && coded.Kind == watchparty.KindUnavailable, store.Unavailable(err):
		code = wire.CodeUnavailable
	}
	return code, wire.Codes()[code]
}

// Drain tells clients to reconnect elsewhere, and closes their connections in the background, spread over a time. New
// connections are refused from now on.
func (h *Hub) Drain(over time.Duration) {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	over = min(over, maxDrain)
	all := h.signedInConnections()
	for i, c := range all {
		// Evenly spread, in the random order of a map.
		after := time.Duration(float64(over) * float64(i+1) / float64(len(all)))
		c.sendMessage(&wire.GoingAway{AfterMS: wire.Duration(after)})
		time.AfterFunc(after, func() { c.close(wire.CodeGoingAway) })
	}
}

// maxDrain is the longest time over which connections are closed.
const maxDrain = 5 * time.Second

// closeAll closes all connections, also those that have not signed in, and accepts no new ones.
func (h *Hub) closeAll(code wire.Code) {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, c := range h.allConnections() {
		if c.socket != nil { // else Accept closes it: attach refuses
			c.close(code)
		}
	}
}
