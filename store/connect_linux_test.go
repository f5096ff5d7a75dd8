package store

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestKeepAlive: the system looks after idle connections, and gives up a dead one before the pool does.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	c, err := newConnector(config.Database{URL: stacktest.DatabaseURL(t), StatementTimeout: time.Minute})
	require.NoError(t, err)
	conn, err := c.Connect(t.Context())
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // nothing was written
	raw, err := conn.(*pgdriver.Conn).Conn().(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	option := func(number int) (value int) {
		require.NoError(t, raw.Control(func(fd uintptr) {
			value, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, number)
		}))
		require.NoError(t, err)
		return value
	}
	idle, interval, count := option(syscall.TCP_KEEPIDLE), option(syscall.TCP_KEEPINTVL), option(syscall.TCP_KEEPCNT)
	require.LessOrEqual(t, time.Duration(idle+interval*count)*time.Second, idleTime/10)
}
