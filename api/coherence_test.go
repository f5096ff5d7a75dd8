package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// cachedReads are the reads that the cache answers, by operation, as they look in a fixture. A read that is refused is
// one too: who may see what is decided from cached standings and sign-ins.
func (w *completeFixture) cachedReads() map[string][]string {
	rooms := []string{w.open, w.private, w.doomed, w.retired}
	each := func(format string) (paths []string) {
		for _, room := range rooms {
			paths = append(paths, fmt.Sprintf(format, room))
		}
		return paths
	}
	return map[string][]string{
		"listMovies": {"/movies", "/movies?q=metropolis", "/movies?ids=" + w.movie},
		"listGenres": {"/movies/genres"},
		"getMovie":   {"/movies/" + w.movie, "/movies/" + w.unused},
		"listRooms": {
			"/rooms",
			"/rooms?sort=active",
			"/rooms?sort=people",
			"/rooms?available=true",
			"/rooms?movie_id=" + w.movie,
			"/rooms?q=show",
		},
		"getRoom":       each("/rooms/%s"),
		"getNowPlaying": each("/rooms/%s/now-playing"),
		"listMessages":  each("/chat/messages?room_id=%s"),
		"getProfile": {
			"/users/alice", "/users/bob", "/users/carol", "/users/dave", "/users/eve", "/users/frank", "/users/root",
		},
	}
}

// withoutCache is another process of the same installation, which never gets a lease: it reads everything from
// Postgres.
func (b *bundle) withoutCache(t testing.TB) *httptest.Server {
	t.Helper()
	server, _ := b.newProcess(t, false)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return listener
}

// newProcess is another process of the same installation, with or without a lease.
func (b *bundle) newProcess(t testing.TB, leased bool) (*Server, *coherence.Member) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	client, err := cache.Connect(b.cfg.Redis, bus.Timeout, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	messages := bus.New(client, b.cfg.Redis, log)
	member := coherence.NewMember(b.store.Journal(), messages, coherence.Options{Reads: leased, Timing: calm(), Log: log})
	if leased {
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = messages.Run(ctx) })
		running.Go(func() { _ = member.Run(ctx) })
		t.Cleanup(func() {
			stop()
			running.Wait()
		})
		require.Eventually(t, func() bool { return member.Lease().InForce() }, 30*time.Second, time.Millisecond)
	}
	server, err := New(Deps{
		Config: b.cfg, Log: log, Store: b.store, Cache: b.newCache(t, member), Bucket: b.bucket,
		Bus: bus.New(client, b.cfg.Redis, log), Schedules: b.server.schedules, Jobs: b.server.jobs,
		Metrics: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	return server, member
}

// newCache is a cache whose memory is empty.
func (b *bundle) newCache(t testing.TB, member *coherence.Member) *cache.Cache {
	t.Helper()
	c, err := cache.New(b.cfg.Redis, b.cfg.Cache, member, store.Now, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// TestNoOperationLeavesOldAnswers runs each operation of the contract that may change something. After each one, every
// cached read says the same as the read from Postgres, to everyone. An operation that does not name what it changes
// fails here.
func TestNoOperationLeavesOldAnswers(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for id, op := range operations() {
		if ok := op.Responses.Status(http.StatusOK); ok != nil && ok.Value.Headers["X-Cache"] != nil {
			require.Contains(t, w.cachedReads(), id, "how does this cached read look?")
		}
	}
	direct := w.withoutCache(t)
	viewers := []person{{}, w.alice, w.bob, w.dave, w.eve, w.frank, w.admin}
	read := func(base, path, token string) string {
		r := w.request(t, http.MethodGet, path, token, nil)
		target, err := r.URL.Parse(base + basePath + path)
		require.NoError(t, err)
		r.URL, r.Host = target, target.Host
		response, err := w.client.Do(r) // not by send, which compares each answer with the contract
		require.NoError(t, err)
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		if response.StatusCode >= http.StatusBadRequest {
			var problem struct{ Code string }
			require.NoError(t, json.Unmarshal(raw, &problem))
			return fmt.Sprint(response.StatusCode, " ", problem.Code)
		}
		return fmt.Sprint(response.StatusCode, " ", string(raw))
	}
	const hit, miss = `{"_cached":true,`, `{"_cached":false,`
	// warm reads until the answer comes from the cache, for the next operation to make it old.
	warm := func(path string, viewer person) {
		require.Eventually(t, func() bool { return !strings.Contains(read(w.url, path, viewer.token), miss) },
			10*time.Second, time.Millisecond, "%s as %q", path, viewer.name)
	}
	all := func(visit func(path string, viewer person)) {
		for _, paths := range w.cachedReads() {
			for _, path := range paths {
				for _, viewer := range viewers {
					// Who may see a room is the same for its messages.
					if viewer.token == "" || viewer == w.alice || strings.HasPrefix(path, "/rooms/") {
						visit(path, viewer)
					}
				}
			}
		}
	}
	compared := 0
	all(warm)
	for _, c := range w.calls() {
		w.call(t, c.id, c.call)
		if operations()[c.id].method == http.MethodGet {
			continue
		}
		all(func(path string, viewer person) {
			got := read(w.url, path, viewer.token)
			require.Equal(t, read(direct.URL, path, viewer.token), strings.Replace(got, hit, miss, 1),
				"%s as %q sees it after %s", path, viewer.name, c.id)
			if strings.Contains(got, miss) {
				warm(path, viewer)
			}
			compared++
		})
	}
	require.Greater(t, w.cache.Stats().Local, uint64(compared/2), "it was the cache that answered")
}
