package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// connectionHolder is a client of the database that takes all connections which it can get, and keeps them.
type connectionHolder struct {
	connector *pgdriver.Connector
	cancel    context.CancelFunc
	running   sync.WaitGroup
	refused   atomic.Int64 // how many times Postgres had no connection left
}

func startConnectionHolder(t *testing.T, databaseURL string) *connectionHolder {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &connectionHolder{connector: pgdriver.NewConnector(pgdriver.WithDSN(databaseURL)), cancel: cancel}
	h.running.Go(func() { h.take(ctx) })
	t.Cleanup(h.stop)
	return h
}

func (h *connectionHolder) take(ctx context.Context) {
	var taken []driver.Conn
	defer func() {
		for _, conn := range taken {
			_ = conn.Close()
		}
	}()
	var dialed net.Conn // pgdriver does not close it when Postgres refuses the session
	h.connector.Config().Dialer = func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
		dialed, err = new(net.Dialer).DialContext(ctx, network, addr)
		return dialed, err
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		conn, err := h.connector.Connect(ctx)
		if err == nil {
			taken = append(taken, conn)
			continue
		}
		if dialed != nil {
			_ = dialed.Close()
		}
		var answer pgdriver.Error
		const tooManyConnections = "53300"
		if errors.As(err, &answer) && answer.Field('C') == tooManyConnections {
			h.refused.Add(1)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// awaitFull returns when no connection is left for anybody.
func (h *connectionHolder) awaitFull(t *testing.T) {
	t.Helper()
	before := h.refused.Load()
	require.Eventually(t, func() bool { return h.refused.Load() > before+3 }, longWait, time.Millisecond)
}

// stop gives all connections back.
func (h *connectionHolder) stop() {
	h.cancel()
	h.running.Wait()
}

// TestConnectionsTaken: others take all connections to the database, up to the limit of the role, and up to that of the
// server. No answer is wrong, and none is another fault than a 503 that says when to come again. Processes that start
// meanwhile wait. When there are connections again, all is well soon, and what was promised is done.
func TestConnectionsTaken(t *testing.T) {
	t.Parallel()
	stack := stacktest.New(t, devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox)
	admin := bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(stack.DatabaseURL()))), pgdialect.New())
	t.Cleanup(func() { _ = admin.Close() })
	execute := func(statement string) {
		t.Helper()
		_, err := admin.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	execute("CREATE ROLE party LOGIN")
	execute("ALTER DATABASE watchparty OWNER TO party")
	address, err := url.Parse(stack.DatabaseURL())
	require.NoError(t, err)
	address.User = url.User("party")
	s := newSystemOn(t, stack, address.String())
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	host, _ := s.client.register(t, "host", "Host")
	stranger, _ := s.client.register(t, "stranger", "Stranger")
	newRoom := func(name, visibility string) string {
		return host.post(t, "/rooms", map[string]any{"name": name, "visibility": visibility}).data(t)["id"].(string)
	}
	room, secret := newRoom("Night", "public"), newRoom("Secret", "private")
	second := s.another(t)

	var newest atomic.Int64 // the last message of which the host knows that it is there
	writing := startTraffic(t, 10, func(t require.TestingT, n int) answer {
		got := host.post(t, "/chat/messages", map[string]any{"room_id": room, "body": fmt.Sprint("message ", n)})
		if got.status == http.StatusCreated {
			for known := newest.Load(); known < int64(n) && !newest.CompareAndSwap(known, int64(n)); {
				known = newest.Load()
			}
		}
		return got
	})
	reading := startTraffic(t, 20, func(t require.TestingT, _ int) answer {
		known := newest.Load()
		got := host.get(t, "/chat/messages?limit=100&room_id="+room)
		if got.status == http.StatusOK && known > 0 {
			assert.Contains(t, string(got.body), fmt.Sprintf(`"message %d"`, known))
		}
		return got
	})
	searching := startTraffic(t, 20, host.searches("night"))
	intruding := startTraffic(t, 5, func(t require.TestingT, _ int) answer {
		return stranger.get(t, "/chat/messages?room_id="+secret)
	})

	for _, limit := range []string{"30", "-1"} {
		execute("ALTER ROLE party CONNECTION LIMIT " + limit)
		others := startConnectionHolder(t, address.String())
		others.awaitFull(t)
		eventually(t, func(c *assert.CollectT) { // the API also takes some of the places that become free
			var left int
			err := admin.NewRaw("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "+
				"WHERE application_name = 'watchparty'").Scan(t.Context(), &left)
			require.NoError(c, err)
			require.Zero(c, left)
		}, "the others have the API's connections")
		others.awaitFull(t)
		searching.await(t, http.StatusServiceUnavailable, 20)
		writing.await(t, http.StatusServiceUnavailable, 10)
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, http.StatusServiceUnavailable, s.client.get(c, "/health/ready").status)
			require.Equal(c, "unreachable", s.client.get(c, "/health").data(c)["database"])
		}, "the API is not ready")
		require.Equal(t, http.StatusNoContent, s.client.get(t, "/health/live").status)
		newcomer := start(t, t.TempDir(), second.environ, "api")
		eventually(t, func(c *assert.CollectT) {
			response, err := httpClient.Get(second.url + "/api/health/ready")
			require.NoError(c, err)
			require.NoError(c, response.Body.Close())
			require.Equal(c, http.StatusServiceUnavailable, response.StatusCode)
		}, "another process starts, and is not ready")
		worker := s.startWorker(t)
		waiting := start(t, t.TempDir(), s.environ, "migrate", "wait")

		others.stop()
		released := time.Now()
		awaitReady(t, newcomer, second.url)
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, "connected", s.client.get(c, "/health").data(c)["database"])
		}, "the database is back")
		host.requireWell(t)
		writing.await(t, http.StatusCreated, 5)
		t.Logf("limit %s: well %s after connections were there", limit, time.Since(released))
		require.Equal(t, 0, waiting.wait(t), waiting.out.String())
		name := "late" + strings.TrimPrefix(limit, "-")
		second.client.register(t, name, "Late")
		eventually(t, func(c *assert.CollectT) {
			sent := readInbox(c, stack.InboxURL()).counted()
			require.Equal(c, []int{1, 1}, []int{sent["host@people.example"], sent[name+"@people.example"]})
		}, "the worker works")
		require.Equal(t, 0, newcomer.stop(t))
		require.Equal(t, 0, worker.stop(t))
	}
	writing.requireBounded(t, http.StatusCreated)
	reading.requireBounded(t, http.StatusOK)
	searching.requireBounded(t, http.StatusOK)
	intruding.requireBounded(t, http.StatusNotFound)
	var stored, different int
	require.NoError(t, admin.NewRaw("SELECT count(*), count(DISTINCT body) FROM messages").
		Scan(t.Context(), &stored, &different))
	require.Equal(t, stored, different, "no message is there twice")
	require.GreaterOrEqual(t, stored, writing.count(http.StatusCreated))
}

// another is one more process of the API on the same servers.
func (s *system) another(t *testing.T) *system {
	t.Helper()
	other := *s
	addr := stacktest.FreeAddress(t)
	other.url, other.client.base = "http://"+addr, "http://"+addr+"/api"
	other.environ = append(other.environ[:len(other.environ):len(other.environ)], "HTTP_ADDR="+addr)
	return &other
}
