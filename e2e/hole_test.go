package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestDatabaseBlackHole: the network to Postgres says nothing for a while. Requests are refused in the time that a
// statement has. When the network is back, so are requests, the cache, the outbox, emails and clean-up, and nothing of
// the fault is left in the processes.
func TestDatabaseBlackHole(t *testing.T) {
	t.Parallel()
	for name, dig := range map[string]func(t *testing.T, target string) (addr string, hole func() (fill func())){
		"packets are lost": func(t *testing.T, target string) (string, func() func()) {
			network := badnet.New(t, target)
			return network.Addr(), func() func() {
				network.Set(badnet.Swallow)
				return func() { network.Set(badnet.Pass) }
			}
		},
		"packets are late": func(t *testing.T, target string) (string, func() func()) {
			network := newGate(t, target)
			return network.addr(), network.stall
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t)
			address, err := url.Parse(s.stack.DatabaseURL())
			require.NoError(t, err)
			addr, hole := dig(t, address.Host)
			address.Host = addr
			requireRecovery(t, s, address.String(), hole)
		})
	}
}

func requireRecovery(t *testing.T, s *system, databaseURL string, hole func() (fill func())) {
	t.Helper()
	const statementTimeout, readSlack = 2 * time.Second, time.Second
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false", "DATABASE_URL="+databaseURL,
		"DATABASE_STATEMENT_TIMEOUT="+statementTimeout.String())
	var watched []watch
	for _, begin := range []func(testing.TB) *process{s.startAPI, s.startWorker} {
		w := watch{system: s, metrics: stacktest.FreeAddress(t)}
		watched = append(watched, w)
		common := s.environ
		s.environ = append(slices.Clone(common), "METRICS_ADDR="+w.metrics)
		begin(t)
		s.environ = common
	}
	host, _ := s.client.register(t, "host", "Host")
	admin := s.admin(t)
	room := host.post(t, "/rooms", map[string]any{"name": "Night"}).data(t)["id"].(string)
	requireWork := func(name string) {
		t.Helper()
		s.client.register(t, name, "Somebody")
		run := admin.postUntilTaken(t, "/admin/cleanup", nil).data(t)["run_id"].(string)
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, 1, readInbox(c, s.stack.InboxURL()).counted()[name+"@people.example"])
			require.Equal(c, "completed", admin.get(c, "/admin/cleanup/runs/"+run).data(c)["state"])
			require.Equal(c, "HIT", s.client.get(c, "/rooms/"+room).header.Get("X-Cache"))
		}, "emails, clean-up and the cache work")
	}
	requireWork("early")
	goroutines, files := watched[0].gauge(t, "go_goroutines"), watched[0].gauge(t, "process_open_fds")

	searching := startTraffic(t, 20, host.searches("night"))
	writing := startTraffic(t, 10, func(t require.TestingT, n int) answer {
		return host.post(t, "/chat/messages", map[string]any{"room_id": room, "body": fmt.Sprint("message ", n)})
	})
	searching.await(t, http.StatusOK, 20)
	writing.await(t, http.StatusCreated, 10)
	usual := max(searching.slowest(), writing.slowest())
	fill := sync.OnceFunc(hole())
	t.Cleanup(fill)
	searching.await(t, http.StatusServiceUnavailable, 40)
	writing.await(t, http.StatusServiceUnavailable, 20)
	for _, w := range watched {
		eventually(t, func(c *assert.CollectT) {
			assert.Contains(c, w.scrape(c), "watchparty_work_up 0\n")
		}, "each process has noticed")
	}
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, http.StatusServiceUnavailable, s.client.get(c, "/health/ready").status)
	}, "the API is not ready")

	fill()
	filled := time.Now()
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, http.StatusNoContent, s.client.get(c, "/health/ready").status)
	}, "the API is ready")
	searching.requireBounded(t, http.StatusOK)
	writing.requireBounded(t, http.StatusCreated)
	for _, took := range slices.Concat(searching.took, writing.took) {
		require.Less(t, took, 2*(statementTimeout+readSlack+connectionWait)+5*usual)
	}
	host.requireWell(t)
	t.Logf("well %s after the fault", time.Since(filled))
	requireWork("late")
	eventually(t, func(c *assert.CollectT) {
		for _, w := range watched {
			assert.Zero(c, w.gauge(c, "watchparty_postgres_pool_connections_used"))
			assert.Contains(c, w.scrape(c), "watchparty_work_up 1\n")
		}
		const slack = 30 // connections of clients and to the database, with two goroutines each
		assert.Less(c, watched[0].gauge(c, "go_goroutines"), goroutines+slack)
		assert.Less(c, watched[0].gauge(c, "process_open_fds"), files+slack)
	}, "nothing is left of the fault")
}

// gauge reads a metric without labels.
func (w watch) gauge(t require.TestingT, name string) float64 {
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(w.scrape(t))
	require.Len(t, found, 2, name)
	value, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return value
}
