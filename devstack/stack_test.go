package devstack_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/devstack"
)

var everything = []devstack.Service{devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox}

// reachable is a temporary folder that the user postgres can enter; t.TempDir's is not.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devstack-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// program is the path of a script in testdata. A test that wrote one itself could not be sure to execute it: what
// another test starts at that moment holds the file open for writing.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return path
}

func start(t *testing.T, o devstack.Options) *devstack.Stack {
	t.Helper()
	stack, err := devstack.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url)))
	defer db.Close()
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func count(t *testing.T, url, table string) (n int) {
	t.Helper()
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(url)))
	defer db.Close()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func redisClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func sendMail(t *testing.T, s *devstack.Stack) {
	t.Helper()
	server := net.JoinHostPort(s.SMTPHost(), fmt.Sprint(s.SMTPPort()))
	body := []byte("Subject: hello\r\n\r\nhello")
	require.NoError(t, smtp.SendMail(server, nil, "a@watchparty.test", []string{"b@watchparty.test"}, body))
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return string(body)
}

type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf(format, args...))
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

func TestDataSurvivesCloseAndStart(t *testing.T) {
	t.Parallel()
	var progress lines
	options := devstack.Options{Dir: reachable(t), Services: everything, Progress: progress.add}

	first := start(t, options)
	execute(t, first.DatabaseURL(), "CREATE TABLE kept AS SELECT 1 AS id")
	require.NoError(t, redisClient(t, first.RedisURL()).Set(t.Context(), "kept", "yes", 0).Err())
	registerNamespace(t, first.TemporalAddress(), "kept")
	sendMail(t, first)
	require.Contains(t, get(t, first.TemporalUIURL()), "<html")
	require.Contains(t, get(t, first.InboxURL()+"/api/v1/messages"), `"total":1`)
	require.Contains(t, progress.String(), "waiting for Postgres on 127.0.0.1:")

	_, err := devstack.Start(t.Context(), options)
	require.ErrorContains(t, err, "is in use by process "+fmt.Sprint(os.Getpid()))
	require.NoError(t, first.Close())
	left, err := filepath.Glob(filepath.Join(options.Dir, "run", "*.pid"))
	require.NoError(t, err)
	require.Empty(t, left)

	second := start(t, options)
	require.Equal(t, 1, count(t, second.DatabaseURL(), "kept"))
	require.Equal(t, "yes", redisClient(t, second.RedisURL()).Get(t.Context(), "kept").Val())
	require.NoError(t, describeNamespace(t.Context(), second.TemporalAddress(), "kept"))
	require.Contains(t, get(t, second.InboxURL()+"/api/v1/messages"), `"total":1`)
	require.NotContains(t, progress.String(), "left over")
}

func TestAcknowledgedDataSurvivesKill(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Services: everything, Ephemeral: true})
	require.Empty(t, s.TemporalUIURL())
	url, temporal := s.DatabaseURL(), s.TemporalAddress()
	execute(t, url, "CREATE TABLE kept (id int)")

	for round := range 2 {
		execute(t, url, "INSERT INTO kept VALUES (1)")
		registerNamespace(t, temporal, fmt.Sprint("kept-", round))
		for _, service := range everything {
			require.NoError(t, s.Kill(service))
		}
		for _, address := range []string{s.RedisURL(), temporal} {
			requireRefused(t, address)
		}
		for _, service := range everything {
			require.NoError(t, s.Restart(t.Context(), service))
		}
		require.Equal(t, round+1, count(t, url, "kept"))
		require.NoError(t, redisClient(t, s.RedisURL()).Ping(t.Context()).Err())
		require.NoError(t, describeNamespace(t.Context(), temporal, fmt.Sprint("kept-", round)))
		sendMail(t, s)
	}
	require.Contains(t, get(t, s.InboxURL()+"/api/v1/messages"), `"total":2`)
}

func requireRefused(t *testing.T, address string) {
	t.Helper()
	address = strings.TrimSuffix(strings.TrimPrefix(address, "redis://"), "/0")
	c, err := net.Dial("tcp", address)
	if err == nil {
		_ = c.Close()
	}
	require.Error(t, err)
}

func TestStopAndRestart(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Services: []devstack.Service{devstack.Redis}, Ephemeral: true})
	require.NoError(t, s.Stop(devstack.Redis))
	requireRefused(t, s.RedisURL())
	require.NoError(t, s.Stop(devstack.Redis))
	require.NoError(t, s.Restart(t.Context(), devstack.Redis))
	require.NoError(t, redisClient(t, s.RedisURL()).Ping(t.Context()).Err())

	require.ErrorContains(t, s.Stop(devstack.Postgres), "does not have it")
	require.NoError(t, s.Close())
	require.ErrorContains(t, s.Restart(t.Context(), devstack.Redis), "is closed")
}

func TestWaitReportsUnexpectedEnds(t *testing.T) {
	t.Parallel()
	s := start(t, devstack.Options{Services: []devstack.Service{devstack.Redis}, Ephemeral: true})

	ended := make(chan error, 1)
	go func() { ended <- s.Wait(t.Context()) }()
	require.NoError(t, s.Kill(devstack.Redis))
	require.NoError(t, s.Restart(t.Context(), devstack.Redis))
	shutDownRedis(t, s)
	err := <-ended
	require.ErrorContains(t, err, "Redis ended")
	require.ErrorContains(t, err, "User requested shutdown")

	require.NoError(t, s.Restart(t.Context(), devstack.Redis))
	go func() { ended <- s.Wait(context.Background()) }()
	require.NoError(t, s.Close())
	require.NoError(t, <-ended)
}

// shutDownRedis has Redis end by itself.
func shutDownRedis(t *testing.T, s *devstack.Stack) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.RedisURL(), "redis://"), "/0"))
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(c, "SHUTDOWN NOSAVE\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(c) // ends with the connection
	require.NoError(t, err, string(answer))
}

func TestTakenPortIsNamedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	dir := reachable(t)

	_, err = devstack.Start(t.Context(), devstack.Options{
		Dir: dir, Services: everything, Ports: devstack.Ports{Redis: port},
	})
	require.ErrorContains(t, err, fmt.Sprintf("port %d for Redis", port))
	require.ErrorContains(t, err, "DEV_PORT_OFFSET")
	require.NotContains(t, err.Error(), "\n")
	require.NoFileExists(t, filepath.Join(dir, "logs", "postgres.log"))
}

func TestDefaultPorts(t *testing.T) {
	t.Parallel()
	require.Equal(t, devstack.Ports{
		Postgres: 15532, Redis: 16479, Temporal: 7333, TemporalUI: 8333, SMTP: 1125, Inbox: 8125, Prometheus: 9192,
	}, devstack.DefaultPorts(100))
}

func TestFailedStartStopsEverything(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	_, err := devstack.Start(t.Context(), devstack.Options{
		Dir: filepath.Join(dir, "data"), TemporalBinary: program(t, "broken-temporal"), Services: everything,
	})
	require.ErrorContains(t, err, "start Temporal")
	require.ErrorContains(t, err, "no luck today")
	left, err := filepath.Glob(filepath.Join(dir, "data", "run", "*.pid"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	_, err := devstack.Start(ctx, devstack.Options{
		Ephemeral: true, TemporalBinary: program(t, "silent-temporal"), Services: []devstack.Service{devstack.Temporal},
		Progress: func(format string, _ ...any) {
			if strings.HasPrefix(format, "waiting for") {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "no answer on 127.0.0.1:")
}

func TestEphemeralLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachable(t), "data")
	s := start(
		t, devstack.Options{Dir: dir, Services: []devstack.Service{devstack.Redis, devstack.Inbox}, Ephemeral: true},
	)
	require.DirExists(t, dir)
	require.NoError(t, s.Close())
	_, err := os.Stat(dir)
	require.True(t, errors.Is(err, os.ErrNotExist))
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]devstack.Options{
		"no service":              {Dir: t.TempDir()},
		`unknown service "mysql"`: {Dir: t.TempDir(), Services: []devstack.Service{"mysql"}},
		"no data folder":          {Services: everything},
		"port 70000 for Redis": {Dir: t.TempDir(), Services: []devstack.Service{devstack.Redis},
			Ports: devstack.Ports{Redis: 70000}},
		"/no/temporal is not a prog": {
			Dir: t.TempDir(), Services: []devstack.Service{devstack.Temporal}, TemporalBinary: "/no/temporal",
		},
	} {
		_, err := devstack.Start(t.Context(), o)
		require.ErrorContains(t, err, name)
	}
}

func TestMissingProgramIsExplained(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := devstack.Start(t.Context(), devstack.Options{Dir: t.TempDir(), Services: []devstack.Service{devstack.Redis}})
	require.EqualError(t, err, "Redis is not installed: apt-get install redis-server, or brew install redis")
}
