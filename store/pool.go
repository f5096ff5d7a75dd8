package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/puddle/v2"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"golang.org/x/sync/singleflight"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/admission"
)

const (
	// lockTimeout is how long a statement waits for a lock that another transaction has, and a query for a connection,
	// unless DATABASE_URL says otherwise.
	lockTimeout = 2 * time.Second
	// connectTime is how long a new connection may take to be made.
	connectTime = 10 * time.Second
	// dialTimeout and readSlack limit how long a server that does not answer is waited for. readSlack is added to the
	// statement timeout, within which a server that is alive has answered.
	dialTimeout = 2 * time.Second
	readSlack   = time.Second
	// longSilence is how long a statement has to wait without an answer before the network is suspected. Less may be the
	// end of a caller's time.
	longSilence = time.Second
	// idleTime is how long an unused connection is kept.
	idleTime = 5 * time.Minute
)

// pool lends connections to database/sql. The pool of database/sql waits without a limit, lends dead connections, and
// may give all connections to one kind of work, which holds up everything else when it waits for a lock.
type pool struct {
	connections *puddle.Pool[*pgdriver.Conn]
	wait        time.Duration
	share       int64 // how many connections one kind of work may have
	playback    int64 // how many PlaybackKind may have
	shares      *shares
	mu          sync.Mutex
	kinds       map[string]*kind // by name; never removed, since there is one for each part of the API
	refused     atomic.Uint64    // by CheckCapacity
	log         *slog.Logger
	waits       counters
	reaped      atomic.Int64 // when idle connections were last looked through, in Unix seconds
}

func newPool(connector *connector, size int) (*pool, error) {
	connections, err := puddle.NewPool(&puddle.Config[*pgdriver.Conn]{
		Constructor: func(ctx context.Context) (*pgdriver.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTime)
			defer cancel()
			lent, err := connector.Connect(ctx)
			if err != nil {
				return nil, err
			}
			conn := lent.(*pgdriver.Conn)
			if err := clock.compare(ctx, conn); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return conn, nil
		},
		Destructor: func(conn *pgdriver.Conn) { _ = conn.Close() },
		MaxSize:    int32(size), //nolint:gosec // at most 1000
	})
	if err != nil {
		return nil, err
	}
	return &pool{
		connections: connections, wait: connector.patience(), share: int64(size+2) / 3,
		playback: max(int64(size)/5, 1), shares: newShares(size), kinds: map[string]*kind{},
		log: slog.New(slog.DiscardHandler),
	}, nil
}

// open returns a database/sql handle on the pool.
func (p *pool) open() *sql.DB {
	db := sql.OpenDB(p)
	db.SetMaxIdleConns(-1) // database/sql keeps no idle connection: it calls Connect before each use and Close after it
	return db
}

// Refused returns the number of times that work was refused because too much work of its kind waited, or because no
// connection became free in time.
func (s *Store) Refused() uint64 {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	var refused uint64
	for _, k := range s.pool.kinds {
		refused += k.places.Refused()
	}
	return refused + s.pool.refused.Load()
}

type kindKey struct{}

// work is the work for which a context requests connections.
type work struct {
	kind string
	// begun is set once the work has had a connection: from then on it is not refused. It is nil for work that is never
	// refused because too much other work of its kind is waiting.
	begun *atomic.Bool
}

// WithKind sets the kind of work that the context is for. Work of one kind has at most a third of all connections, and
// PlaybackKind a fifth, and all kinds together leave some to kinds that have none (see shares), so that other work goes
// on when some is held up. Work without a kind may have all.
func WithKind(ctx context.Context, kind string) context.Context {
	return context.WithValue(ctx, kindKey{}, work{kind: kind})
}

// WithRequest is WithKind for a request from outside, which may be refused at once while too many others of its kind
// wait; see package admission.
func WithRequest(ctx context.Context, kind string) context.Context {
	return context.WithValue(ctx, kindKey{}, work{kind: kind, begun: new(atomic.Bool)})
}

// CheckCapacity returns an error of KindUnavailable if a new request of that kind would be refused now.
func (s *Store) CheckCapacity(kind string) error {
	if s.pool.kind(kind).places.Full() {
		s.pool.refused.Add(1)
		return watchparty.ErrBusy
	}
	return nil
}

// Connect lends a connection that is alive. It returns an error of KindUnavailable if none is free in time.
func (p *pool) Connect(ctx context.Context) (driver.Conn, error) {
	p.reap()
	began := time.Now()
	waiting, cancel := context.WithTimeoutCause(ctx, p.wait, watchparty.ErrBusy)
	defer cancel()
	leave, err := p.enter(waiting)
	if err != nil {
		p.waits.refused.Add(1)
		return nil, busy(waiting, err)
	}
	for {
		connection, err := p.connections.Acquire(waiting)
		if err != nil {
			leave()
			p.waits.refused.Add(1)
			return nil, busy(waiting, err)
		}
		err = checkIdle(connection.Value())
		if err == nil && clock.due() {
			err = clock.compare(waiting, connection.Value())
		}
		if err == nil {
			p.waits.count(time.Since(began))
			return &leasedConn{Conn: connection.Value(), connection: connection, leave: leave, pool: p, since: time.Now()}, nil
		}
		discard(ctx, p.log, connection, "idle", err)
	}
}

// discard closes a connection that has failed, idle or in use, and logs the failure, since the caller may succeed with
// another connection.
func discard(
	ctx context.Context,
	log *slog.Logger,
	connection *puddle.Resource[*pgdriver.Conn],
	while string,
	err error,
) {
	log.WarnContext(ctx, "database connection failed", slog.String("while", while),
		slog.Duration("age", time.Since(connection.CreationTime())), slog.Any("error", err))
	connection.Destroy()
}

// enter acquires a place for the context's kind of work, and a connection of the kind's share. It returns the function
// that releases both.
func (p *pool) enter(ctx context.Context) (leave func(), err error) {
	w, _ := ctx.Value(kindKey{}).(work)
	if w.kind == "" {
		return func() {}, nil
	}
	k := p.kind(w.kind)
	err = k.places.Acquire(ctx, p.wait, w.begun == nil || w.begun.Load())
	if errors.Is(err, admission.ErrBusy) {
		return nil, watchparty.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	if err := p.shares.acquire(ctx, k); err != nil {
		k.places.Release()
		return nil, err
	}
	if w.begun != nil {
		w.begun.Store(true)
	}
	since := time.Now()
	return func() {
		p.shares.release(k, time.Since(since))
		k.places.Release()
	}, nil
}

// kind returns the kind of work with that name.
func (p *pool) kind(name string) *kind {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kinds[name]
	if k == nil {
		share := p.share
		if name == PlaybackKind {
			share = p.playback
		}
		k = &kind{places: admission.NewQueue(int(share))}
		p.kinds[name] = k
	}
	return k
}

// busy returns the cause of waiting, such as watchparty.ErrBusy, if that context has ended, and err otherwise.
func busy(waiting context.Context, err error) error {
	if waiting.Err() != nil {
		return context.Cause(waiting)
	}
	return err
}

// reap closes connections that nobody has used for idleTime. It does so once a minute.
func (p *pool) reap() {
	now, last := time.Now().Unix(), p.reaped.Load()
	if now-last < 60 || !p.reaped.CompareAndSwap(last, now) {
		return
	}
	p.closeUnused(idleTime)
}

// Close closes idle connections at once, and connections in use when they are returned.
func (p *pool) Close() error {
	p.connections.Reset()
	return nil
}

// Driver implements driver.Connector.
func (p *pool) Driver() driver.Driver { return pgdriver.NewDriver() }

// leasedConn is a connection that is in use.
type leasedConn struct {
	*pgdriver.Conn
	connection *puddle.Resource[*pgdriver.Conn]
	leave      func()
	pool       *pool
	since      time.Time
	end        error // the error after which pgdriver has closed the connection
}

// BeginTx implements driver.ConnBeginTx.
func (l *leasedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := l.Conn.BeginTx(ctx, options)
	return tx, l.recordFatal(err)
}

// ExecContext implements driver.ExecerContext.
func (l *leasedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := l.Conn.ExecContext(ctx, query, args)
	return result, l.recordFatal(err)
}

// QueryContext implements driver.QueryerContext.
func (l *leasedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := l.Conn.QueryContext(ctx, query, args)
	return rows, l.recordFatal(err)
}

// recordFatal returns err, and keeps it if the connection has ended with it.
func (l *leasedConn) recordFatal(err error) error {
	if l.end == nil && !l.IsValid() {
		l.end = err
	}
	return err
}

// Close returns the connection to the pool. If Postgres did not answer, the connections that have not been used
// meanwhile are closed, too: when a network has forgotten one connection, it has forgotten others, and each of them
// would cost a request as much time.
func (l *leasedConn) Close() error {
	defer l.leave()
	switch {
	case l.IsValid():
		l.connection.Release()
	case isCancellation(l.end):
		l.connection.Destroy()
	default:
		discard(context.Background(), l.pool.log, l.connection, "in use", cmp.Or(l.end, driver.ErrBadConn))
		took := time.Since(l.since)
		if errors.Is(l.end, os.ErrDeadlineExceeded) && took >= longSilence {
			l.pool.closeUnused(took)
		}
	}
	return nil
}

// isCancellation reports whether Postgres has canceled a statement or refused one of an aborted transaction. pgdriver
// closes the connection then, although it works.
func isCancellation(err error) bool {
	var answer pgdriver.Error
	return errors.As(err, &answer) && slices.Contains([]string{"57014", "25P02"}, answer.Field('C'))
}

// closeUnused closes connections that have not been used for that long.
func (p *pool) closeUnused(unused time.Duration) {
	for _, connection := range p.connections.AcquireAllIdle() {
		if connection.IdleDuration() > unused {
			connection.Destroy()
		} else {
			connection.ReleaseUnused()
		}
	}
}

// checkIdle returns an error unless an idle connection is still open. An open idle connection has nothing to read: a
// server that closes it says so first.
func checkIdle(conn *pgdriver.Conn) error {
	if !conn.IsValid() {
		return driver.ErrBadConn
	}
	inner := conn.Conn()
	if tls, ok := inner.(interface{ NetConn() net.Conn }); ok {
		inner = tls.NetConn()
	}
	socket, ok := inner.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var found error
	first := make([]byte, 1)
	// raw.Read would fail once the deadline of the connection's last query has passed.
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), first, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EAGAIN):
		case err != nil:
			found = err
		case n == 0:
			found = io.EOF
		default:
			found = fmt.Errorf("store: a message of type %q that nobody has read", first[0])
		}
	})
	return errors.Join(err, found)
}

// probe checks whether the database answers, by a connection of its own.
type probe struct {
	db     *sql.DB
	bun    *bun.DB // on db
	flight singleflight.Group
	mu     sync.Mutex
	asked  time.Time
	answer error
}

const (
	// probeTime is how long an answer is reused.
	probeTime = time.Second
	// probeTimeout is how long an answer may take.
	probeTimeout = 2 * time.Second
)

func newProbe(connector driver.Connector) *probe {
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return &probe{db: db, bun: bun.NewDB(db, pgdialect.New())}
}

// ping asks the database, unless there is a recent answer. One question serves all who ask meanwhile, and each of them
// waits no longer than its own context.
func (p *probe) ping(ctx context.Context) error {
	p.mu.Lock()
	asked, answer := p.asked, p.answer
	p.mu.Unlock()
	if time.Since(asked) <= probeTime {
		return answer
	}
	asking := p.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		err := p.db.PingContext(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked, p.answer = time.Now(), err
		return nil, err
	})
	select {
	case result := <-asking:
		return result.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// passing are the prefixes of Postgres' codes for conditions that end by themselves: connections, resources, rollbacks
// that ask for another try, locks, cancellation, a server that stops or starts, and one that takes no writes, as after
// a failover or when its disk is almost full.
var passing = []string{"08", "53", "40", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "25006"}

// Unavailable reports whether an error says that the database cannot do now what may succeed later. So it is if there
// is no connection, for whatever reason, or if Postgres ends one.
func Unavailable(err error) bool {
	var (
		answer  pgdriver.Error
		network net.Error
	)
	switch {
	case errors.Is(err, errNoConnection):
		return true
	case errors.As(err, &answer):
		code, severity := answer.Field('C'), answer.Field('V')
		return severity == "FATAL" || severity == "PANIC" ||
			slices.ContainsFunc(passing, func(beginning string) bool { return strings.HasPrefix(code, beginning) })
	case errors.As(err, &network): // a deadline, too
		return true
	default:
		return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
	}
}
