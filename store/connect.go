package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/config"
)

// keepAlive has the system find out within half a minute that an idle connection is dead, such as one that a firewall
// has forgotten. The pool does not lend it then.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// connector makes connections to Postgres.
type connector struct{ *pgdriver.Connector }

// newConnector turns pgdriver's panics about an address, such as one that names a missing certificate, into errors.
func newConnector(c config.Database) (_ *connector, err error) {
	dsn, err := connectionString(c)
	if err != nil {
		return nil, err
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("store: DATABASE_URL: %v", problem)
		}
	}()
	made := pgdriver.NewConnector(
		pgdriver.WithDialTimeout(dialTimeout), pgdriver.WithDSN(dsn), pgdriver.WithApplicationName("watchparty"),
	)
	made.Config().Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: made.Config().DialTimeout, KeepAliveConfig: keepAlive}
		conn, err := dialer.DialContext(ctx, network, addr)
		if dialed, ok := ctx.Value(dialedKey{}).(*net.Conn); ok && err == nil {
			*dialed = conn
		}
		return conn, err
	}
	return &connector{made}, nil
}

// patience returns how long a query waits for a connection: as long as a statement waits for a lock, if that is a
// number of milliseconds.
func (c *connector) patience() time.Duration {
	limit, _ := c.Config().ConnParams["lock_timeout"].(string)
	if ms, err := strconv.Atoi(limit); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return lockTimeout
}

// errNoConnection is in the error of each attempt to connect that failed.
var errNoConnection = errors.New("store: no connection")

// Connect implements driver.Connector. pgdriver leaves the network connection open when Postgres refuses the session or
// does not answer.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var dialed net.Conn
	conn, err := c.Connector.Connect(context.WithValue(ctx, dialedKey{}, &dialed))
	if err == nil {
		return conn, nil
	}
	if dialed != nil {
		_ = dialed.Close()
	}
	return nil, fmt.Errorf("%w: %w", errNoConnection, err)
}

// dialedKey is the key of a *net.Conn in a context: the place for what is dialed.
type dialedKey struct{}

// connectionString adds parameters that pgdriver does not set by default: a statement timeout, since a query continues
// when its context ends, and verified TLS, unless the address says otherwise or names this machine.
func connectionString(c config.Database) (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme == "unix" && u.Path == "" { // pgdriver would show the whole address, with its password
		return "", errors.New("store: DATABASE_URL is not an address")
	}
	q := u.Query()
	if q.Get("sslmode") == "" {
		q.Set("sslmode", "verify-full")
		if staysHere(u) {
			q.Set("sslmode", "disable")
		}
	}
	if q.Get("statement_timeout") == "" {
		q.Set("statement_timeout", strconv.FormatInt(c.StatementTimeout.Milliseconds(), 10))
	}
	if q.Get("lock_timeout") == "" {
		q.Set("lock_timeout", strconv.FormatInt(lockTimeout.Milliseconds(), 10))
	}
	if q.Get("read_timeout") == "" {
		q.Set("read_timeout", (c.StatementTimeout + readSlack).String())
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// staysHere reports whether pgdriver will connect to this machine. The parameter host overrides the host of the
// address, which in unix:// is the database.
func staysHere(u *url.URL) bool {
	host := u.Hostname()
	if named := u.Query()["host"]; len(named) > 0 {
		host = named[len(named)-1]
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
	}
	return u.Scheme == "unix" || host == "" || host == "localhost" || host[0] == '/' || net.ParseIP(host).IsLoopback()
}
