package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

// pooler is pgbouncer in transaction mode before the stack's Postgres, with fewer connections than its clients have.
type pooler struct {
	address, settings string
	running           *exec.Cmd
}

// poolerConnections is how many connections the pooler has to Postgres.
const poolerConnections = 8

func newPooler(t *testing.T, s *system) *pooler {
	t.Helper()
	port := stacktest.FreePort(t)
	server, err := url.Parse(s.stack.DatabaseURL())
	require.NoError(t, err)
	dir := t.TempDir()
	p := &pooler{settings: filepath.Join(dir, "pgbouncer.ini")}
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s connect_query='SET statement_timeout = 5000; SET lock_timeout = 2000'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
`, server.Hostname(), server.Port(), port, filepath.Join(dir, "users"), poolerConnections)
	if os.Geteuid() == 0 { // which pgbouncer refuses to run as
		text += "user = postgres\n"
	}
	require.NoError(t, os.WriteFile(p.settings, []byte(text), 0o644)) //nolint:gosec // for another account
	require.NoError(
		t,
		os.WriteFile(filepath.Join(dir, "users"), []byte(strconv.Quote(server.User.Username())+` ""`), 0o644),
	) //nolint:gosec // as above
	server.Host = "127.0.0.1:" + strconv.Itoa(port)
	p.address = server.String()
	p.start(t)
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *pooler) start(t *testing.T) {
	t.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		binary = "/usr/sbin/pgbouncer"
	}
	var said bytes.Buffer
	p.running = exec.Command(binary, p.settings)
	p.running.Stdout, p.running.Stderr = &said, &said
	require.NoError(t, p.running.Start())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("pgbouncer:\n%s", said.String())
		}
	})
}

func (p *pooler) kill() {
	_ = p.running.Process.Signal(syscall.SIGKILL)
	_ = p.running.Wait()
}

// TestPooler: two API processes and a worker have all their connections through pgbouncer in transaction mode. Only
// migrations need Postgres itself.
func TestPooler(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	p := newPooler(t, s)
	s.environ = append(s.environ, "DATABASE_URL="+p.address, "RATE_LIMIT_ENABLED=false")
	s.startAPI(t)
	other := *s
	addr := stacktest.FreeAddress(t)
	other.url, other.client.base = "http://"+addr, "http://"+addr+"/api"
	other.environ = append(other.environ, "HTTP_ADDR="+addr)
	other.startAPI(t)
	s.startWorker(t)

	migrate := start(t, t.TempDir(), s.environ, "migrate")
	require.Equal(t, 1, migrate.wait(t), migrate.out.String())
	require.Contains(t, migrate.out.String(), "pooler")
	direct := start(t, t.TempDir(), append(s.environ, "DATABASE_URL="+s.stack.DatabaseURL()), "migrate")
	require.Equal(t, 0, direct.wait(t), direct.out.String())
	waiting := start(t, t.TempDir(), s.environ, "migrate", "wait")
	require.Equal(t, 0, waiting.wait(t), waiting.out.String())

	host, _ := s.client.register(t, "host", "Host")
	room := host.post(t, "/rooms", map[string]any{"name": "Night"}).data(t)["id"].(string)
	post := func(c client, text string) answer { // again while a busy machine refuses it
		return c.postUntilTaken(t, "/chat/messages", map[string]any{"room_id": room, "body": text})
	}
	elsewhere := host
	elsewhere.base = other.client.base
	requireNewest := func(want string) {
		t.Helper()
		newest := elsewhere.get(t, "/chat/messages?limit=1&room_id="+room).list(t)
		require.Equal(t, want, newest[0].(map[string]any)["body"], "what one process acknowledges, the other one shows")
	}
	const writers, each = 20, 10
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			c := host
			if w%2 == 1 {
				c = elsewhere
			}
			for n := range each {
				assert.Equal(t, http.StatusCreated, post(c, fmt.Sprint("message ", w, " ", n)).status)
			}
		})
	}
	writing.Wait()
	require.False(t, t.Failed())
	for n := range 20 {
		require.Equal(t, http.StatusCreated, post(host, fmt.Sprint("newest ", n)).status)
		requireNewest(fmt.Sprint("newest ", n))
	}
	var stored, backends int
	require.NoError(t, s.store.DB().NewRaw("SELECT count(DISTINCT body) FROM messages").Scan(t.Context(), &stored))
	require.Equal(t, writers*each+20, stored)
	require.NoError(t, s.store.DB().NewRaw(`SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND client_port IS NOT NULL AND pid <> pg_backend_pid()`).Scan(t.Context(), &backends))
	require.LessOrEqual(t, backends, poolerConnections+4, "the test has connections, too")
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, 1, readInbox(c, s.stack.InboxURL()).counted()["host@people.example"])
	}, "the welcome has come")

	p.kill()
	refused := host.post(t, "/chat/messages", map[string]any{"room_id": room, "body": "nowhere"})
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	p.start(t)
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, http.StatusCreated, post(host, "after all").status)
	}, "the pooler is back")
	eventually(t, func(c *assert.CollectT) {
		assert.True(c,
			strings.Contains(fmt.Sprint(elsewhere.get(c, "/chat/messages?limit=1&room_id="+room).list(c)), "after all"))
	}, "the other process has it")
}
