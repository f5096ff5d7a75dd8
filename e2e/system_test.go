package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// system is the API and the worker as processes of their own, on servers of their own, so that a test may stop and
// kill any of them.
type system struct {
	stack   *devstack.Stack
	environ []string
	files   string
	url     string
	client  client
	store   *store.Store
}

// newSystem starts the servers and migrates the database; the test starts the processes.
func newSystem(t testing.TB) *system {
	t.Helper()
	stack := stacktest.New(t, devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox)
	return newSystemOn(t, stack, stack.DatabaseURL())
}

// newSystemOn has a database that is not the stack's.
func newSystemOn(t testing.TB, stack *devstack.Stack, databaseURL string) *system {
	t.Helper()
	addr := stacktest.FreeAddress(t)
	s := &system{stack: stack, files: t.TempDir(), url: "http://" + addr, client: client{base: "http://" + addr + "/api"}}
	// The schedules start nothing during a test: their day is half a year away.
	day := fmt.Sprintf(" 1 %d *", time.Now().AddDate(0, 6, 0).Month())
	s.environ = append(bareEnvironment(t),
		"APP_ENV=production", "LOG_LEVEL=info", "METRICS_ADDR=off", "HTTP_DRAIN_DELAY=1s",
		"HTTP_ADDR="+addr, "PUBLIC_URL="+s.url, "AUTH_SECRET="+strings.Repeat("s", config.MinSecretBytes),
		"DATABASE_URL="+databaseURL, "REDIS_URL="+stack.RedisURL(), "TEMPORAL_ADDRESS="+stack.TemporalAddress(),
		"SMTP_HOST="+stack.SMTPHost(), "SMTP_PORT="+strconv.Itoa(stack.SMTPPort()), "SMTP_TLS=none",
		"BLOB_URL=file://"+s.files+"?no_tmp_dir=true&metadata=skip", clockSkew+"=20m",
		"CLEANUP_SCHEDULE=0 4"+day, "REPORT_WEEKLY_SCHEDULE=0 5"+day, "REPORT_MONTHLY_SCHEDULE=0 5"+day,
	)
	cfg, err := config.Load(s.environ)
	require.NoError(t, err)
	s.store, err = store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.store.Close() })
	_, err = migrations.Up(t.Context(), s.store.DB())
	require.NoError(t, err)
	return s
}

// startAPI returns when the API says that it is ready.
func (s *system) startAPI(t testing.TB) *process {
	t.Helper()
	p := start(t, t.TempDir(), s.environ, "api")
	awaitReady(t, p, s.url)
	return p
}

// grantAdmin makes the account with that address an admin, and the address its own.
func (s *system) grantAdmin(t testing.TB, email string) {
	t.Helper()
	_, err := s.store.DB().ExecContext(t.Context(), "UPDATE users SET email_verified_at = now() WHERE email = ?", email)
	require.NoError(t, err)
	_, err = s.store.GrantAdmin(t.Context(), email)
	require.NoError(t, err)
}

func (s *system) startWorker(t testing.TB) *process {
	t.Helper()
	return start(t, t.TempDir(), s.environ, "worker")
}

func awaitReady(t testing.TB, p *process, url string) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		select {
		case <-p.done:
			require.FailNow(t, "the process has ended", p.out.String())
		default:
		}
		response, err := httpClient.Get(url + "/api/health/ready")
		if !assert.NoError(c, err) {
			return
		}
		_ = response.Body.Close()
		assert.Equal(c, http.StatusNoContent, response.StatusCode)
	}, "the API is ready")
}

// objects are the names of the files in the bucket, without what the bucket keeps about them.
func (s *system) objects(t require.TestingT) []string {
	var names []string
	err := filepath.WalkDir(s.files, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasSuffix(path, ".attrs") {
			names = append(names, entry.Name())
		}
		return err
	})
	require.NoError(t, err)
	return names
}

func dialTemporal(t testing.TB, address string) temporal.Client {
	t.Helper()
	c, err := temporal.Dial(temporal.Options{HostPort: address, Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// quiet drops the SDK's log.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
