package store

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestNoConnection: a connection that cannot be made, for whatever reason, is something that may succeed later, and
// leaves no network connection behind.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, u *url.URL){
		"a server that says nothing": func(t *testing.T, u *url.URL) {
			hole := badnet.New(t, u.Host)
			hole.Set(badnet.Swallow)
			u.Host = hole.Addr()
		},
		"a server that hangs up": func(t *testing.T, u *url.URL) {
			broken := badnet.New(t, u.Host)
			broken.Set(badnet.Cut)
			u.Host = broken.Addr()
		},
		"nobody there":                    func(_ *testing.T, u *url.URL) { u.Host = "127.0.0.1:1" },
		"no such database":                func(_ *testing.T, u *url.URL) { u.Path = "/nothing" },
		"no such role":                    func(_ *testing.T, u *url.URL) { u.User = url.User("nobody") },
		"a server without TLS":            func(_ *testing.T, u *url.URL) { u.RawQuery = "sslmode=require" },
		"a setting that Postgres refuses": func(_ *testing.T, u *url.URL) { u.RawQuery = "sslmode=disable&work_mem=much" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(stacktest.DatabaseURL(t))
			require.NoError(t, err)
			change(t, u)
			c, err := newConnector(config.Database{URL: u.String(), StatementTimeout: time.Second})
			require.NoError(t, err)
			var dialed []net.Conn
			dial := c.Config().Dialer
			c.Config().Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				if conn != nil {
					dialed = append(dialed, conn)
				}
				return conn, err
			}
			_, err = c.Connect(t.Context())
			require.Error(t, err)
			require.True(t, Unavailable(err), err)
			for _, conn := range dialed {
				require.ErrorIs(t, conn.SetDeadline(time.Time{}), net.ErrClosed)
			}
			require.Equal(t, name != "nobody there", len(dialed) == 1)
		})
	}
}
