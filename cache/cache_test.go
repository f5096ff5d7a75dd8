package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

func TestGetStoresWhatItLoads(t *testing.T) {
	t.Parallel()
	cfg := settings(t, stacktest.RedisURL())
	here, there := openCalm(t, cfg), openCalm(t, cfg)
	load := func(context.Context) (Loaded, error) {
		return Loaded{Body: []byte(`{"name":"film night"}`), Meta: "private"}, nil
	}

	first, hit, err := here.Get(t.Context(), roomQuery(), load)
	require.NoError(t, err)
	require.False(t, hit)
	require.Equal(t, `{"name":"film night"}`, string(first.Body))
	require.Equal(t, "private", first.Meta)
	require.Regexp(t, `^"[A-Za-z0-9_-]{22}"$`, first.ETag)

	for _, c := range []*Cache{here, there} {
		again, hit, err := c.Get(t.Context(), roomQuery(), text("not called"))
		require.NoError(t, err)
		require.True(t, hit)
		require.Equal(t, first, again)
	}
	require.Equal(t, Stats{Hits: 1, Misses: 1}, here.Stats())
	require.Equal(t, Stats{Hits: 1}, there.Stats())
	require.NoError(t, here.Ping(t.Context()))
}

func TestETagFollowsTheBody(t *testing.T) {
	t.Parallel()
	require.Equal(t, ETag([]byte("a")), ETag([]byte("a")))
	require.NotEqual(t, ETag([]byte("a")), ETag([]byte("b")))
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	raw := rawClient(t, stacktest.RedisURL())
	q := roomQuery()
	q.TTL = 70 * time.Millisecond
	get(t, c, q, text("old"))
	left, err := raw.PTTL(t.Context(), c.entryKey(q.Key)).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, left, q.TTL)
	require.Eventually(t, func() bool {
		_, hit := get(t, c, q, text("new"))
		return !hit
	}, 10*time.Second, 10*time.Millisecond)

	tag, err := raw.PTTL(t.Context(), c.tagKey(q.Tags[0])).Result()
	require.NoError(t, err)
	require.Greater(t, tag, 23*time.Hour, "a tag outlives its entries")

	q = Query{Key: "never"}
	get(t, c, q, text("a"))
	_, hit := get(t, c, q, text("b"))
	require.False(t, hit, "with no time to live nothing is stored")
}

func TestMissingIsCached(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	q := roomQuery()
	q.Missing, q.MissingTTL = watchparty.ErrNotFound, time.Minute
	absent := func(context.Context) (Loaded, error) {
		return Loaded{}, fmt.Errorf("store: room: %w", watchparty.ErrNotFound)
	}

	_, hit, err := c.Get(t.Context(), q, absent)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	require.False(t, hit)
	e, hit, err := c.Get(t.Context(), q, text("not called"))
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	require.True(t, hit)
	require.Zero(t, e)

	c.Invalidate(t.Context(), "room:1")
	requireGet(t, c, text("made since"), "made since", false)
}

func TestOtherErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	q := roomQuery()
	q.Missing, q.MissingTTL = watchparty.ErrNotFound, time.Minute
	broken := errors.New("broken")
	for range 2 {
		_, hit, err := c.Get(t.Context(), q, func(context.Context) (Loaded, error) { return Loaded{}, broken })
		require.ErrorIs(t, err, broken)
		require.False(t, hit)
	}
	requireGet(t, c, text("well"), "well", false)
}

func TestInvalidateVoids(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"room:1", "movie:9"} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			cfg := settings(t, stacktest.RedisURL())
			here, there := openCalm(t, cfg), openCalm(t, cfg)
			requireGet(t, here, text("old"), "old", false)
			requireGet(t, there, text("not called"), "old", true)

			ended, cancel := context.WithCancel(t.Context())
			cancel()
			there.Invalidate(ended, "another", tag)

			requireGet(t, here, text("new"), "new", false)
			requireGet(t, there, text("not called"), "new", true)
		})
	}
}

func TestInvalidateLeavesOtherTags(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	requireGet(t, c, text("old"), "old", false)
	c.Invalidate(t.Context())
	c.Invalidate(t.Context(), "room:2", "movie:1")
	requireGet(t, c, text("not called"), "old", true)
}

// Whatever Redis evicts, an entry from before an invalidation never counts again.
func TestEvictedTagVoids(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, c, text("old"), "old", false)
	stored, err := raw.Get(t.Context(), c.entryKey("room:1")).Result()
	require.NoError(t, err)

	require.NoError(t, raw.Del(t.Context(), c.tagKey("room:1")).Err())
	requireGet(t, c, text("new"), "new", false)
	requireGet(t, c, text("not called"), "new", true)

	for range 3 {
		require.NoError(t, raw.Del(t.Context(), c.tagKey("room:1"), c.tagKey("movie:9")).Err())
		require.NoError(t, raw.Set(t.Context(), c.entryKey("room:1"), stored, 0).Err())
		requireGet(t, c, text("newer"), "newer", false)
	}
}

func TestCorruptValueIsAMiss(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, c, text("whole"), "whole", false)
	whole, err := raw.Get(t.Context(), c.entryKey("room:1")).Result()
	require.NoError(t, err)
	for _, bad := range []string{"", "x", whole[:len(whole)-1], whole + "x", whole[:9] + "\xff" + whole[10:]} {
		require.NoError(t, raw.Set(t.Context(), c.entryKey("room:1"), bad, 0).Err())
		requireGet(t, c, text("loaded"), "loaded", false)
	}
	require.NoError(t, raw.Del(t.Context(), c.entryKey("room:1")).Err())
	require.NoError(t, raw.LPush(t.Context(), c.entryKey("room:1"), "another type").Err())
	requireGet(t, c, text("loaded"), "loaded", false)
}

func TestLargeBodyIsNotStored(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	largest := strings.Repeat("x", c.limits.maxBody)
	q := roomQuery()
	_, hit := get(t, c, q, text(largest+"x"))
	require.False(t, hit)
	_, hit = get(t, c, q, text(largest))
	require.False(t, hit)
	body, hit := get(t, c, q, text("not called"))
	require.True(t, hit)
	require.Equal(t, largest, body)
}

func TestKeyPrefix(t *testing.T) {
	t.Parallel()
	one, other := openCalm(t, settings(t, stacktest.RedisURL())), openCalm(t, settings(t, stacktest.RedisURL()))
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, one, text("one"), "one", false)
	requireGet(t, other, text("other"), "other", false)
	other.Invalidate(t.Context(), "room:1")
	requireGet(t, one, text("not called"), "one", true)

	keys, err := raw.Keys(t.Context(), one.prefix+"*").Result()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		one.prefix + "e:room:1", one.prefix + "t:room:1", one.prefix + "t:movie:9",
	}, keys)
}

// A load can begin before a commit and be stored after it: by then it is void, in every process.
func TestSlowReaderStoresVoidEntry(t *testing.T) {
	t.Parallel()
	cfg := settings(t, stacktest.RedisURL())
	here, there := openCalm(t, cfg), openCalm(t, cfg)
	load := newGate("before the commit")
	slow := make(chan string)
	go func() {
		body, _ := get(t, here, roomQuery(), load.run)
		slow <- body
	}()
	<-load.began
	there.Invalidate(t.Context(), "room:1")
	close(load.release)
	require.Equal(t, "before the commit", <-slow)

	stored, err := rawClient(t, stacktest.RedisURL()).Exists(t.Context(), here.entryKey("room:1")).Result()
	require.NoError(t, err)
	require.EqualValues(t, 1, stored, "the slow reader has stored its entry")
	requireGet(t, there, text("after the commit"), "after the commit", false)
	requireGet(t, here, text("not called"), "after the commit", true)
}

// Two commits whose invalidations overlap a load each void it.
func TestRacingWritersVoid(t *testing.T) {
	t.Parallel()
	cfg := settings(t, stacktest.RedisURL())
	here, there := openCalm(t, cfg), openCalm(t, cfg)
	load := newGate("old")
	slow := make(chan string)
	go func() {
		body, _ := get(t, here, roomQuery(), load.run)
		slow <- body
	}()
	<-load.began
	var writers sync.WaitGroup
	for _, c := range []*Cache{here, there} {
		writers.Go(func() { c.Invalidate(t.Context(), "room:1") })
	}
	writers.Wait()
	close(load.release)
	<-slow
	requireGet(t, here, text("new"), "new", false)
}

func TestLoadIsShared(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	load := newGate("shared")
	const readers = 20
	bodies := make(chan string, readers)
	read := func() {
		body, _ := get(t, c, roomQuery(), load.run)
		bodies <- body
	}
	go read()
	<-load.began
	for range readers - 1 {
		go read()
	}
	require.Eventually(t, func() bool { return c.Stats().Misses == readers }, 10*time.Second, time.Millisecond)
	close(load.release)
	for range readers {
		require.Equal(t, "shared", <-bodies)
	}
	require.Empty(t, load.began, "no second load")
}

// Who comes after an invalidation must not be given a load from before it.
func TestReaderAfterInvalidateJoinsNoOlderLoad(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	load := newGate("old")
	older := make(chan string)
	go func() {
		body, _ := get(t, c, roomQuery(), load.run)
		older <- body
	}()
	<-load.began
	c.Invalidate(t.Context(), "movie:9")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, hit, err := c.Get(ctx, roomQuery(), text("new"))
	require.NoError(t, err)
	require.False(t, hit)
	require.Equal(t, "new", string(e.Body))

	close(load.release)
	require.Equal(t, "old", <-older)
	requireGet(t, c, text("newer"), "newer", false) // the old load has overwritten the entry, with a void one
}

// A caller may leave; its load goes on for the others.
func TestWaitersHaveTheirOwnContexts(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()))
	load := newGate("for the patient")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, _, err := c.Get(ctx, roomQuery(), load.run)
		left <- err
	}()
	<-load.began
	patient := make(chan string)
	go func() {
		body, _ := get(t, c, roomQuery(), text("not called"))
		patient <- body
	}()
	require.Eventually(t, func() bool { return c.Stats().Misses == 2 }, 10*time.Second, time.Millisecond)
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
	close(load.release)
	require.Equal(t, "for the patient", <-patient)

	_, _, err := c.Get(ctx, roomQuery(), text("not called"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	c := openCalm(t, settings(t, stacktest.RedisURL()), func(l *limits) { l.load = time.Millisecond })
	_, _, err := c.Get(t.Context(), roomQuery(), hang)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestCloseEndsLoads(t *testing.T) {
	t.Parallel()
	cfg, l := calm(settings(t, stacktest.RedisURL()))
	c, err := open(cfg, discard, l)
	require.NoError(t, err)
	began := make(chan struct{})
	result := make(chan error)
	go func() {
		_, _, err := c.Get(context.Background(), roomQuery(), func(ctx context.Context) (Loaded, error) {
			close(began)
			return hang(ctx)
		})
		result <- err
	}()
	<-began
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-result, context.Canceled)
	require.NoError(t, c.Close(), "a second Close does nothing")
	requireGet(t, c, text("from the store"), "from the store", false)
}

func TestPanicInALoadReachesEveryWaiter(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){
		"panic":  func() { panic("no such column") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCalm(t, settings(t, stacktest.RedisURL()))
			began, release := make(chan struct{}), make(chan struct{})
			failed := make(chan error, 2)
			read := func() {
				_, _, err := c.Get(t.Context(), roomQuery(), func(context.Context) (Loaded, error) {
					close(began)
					<-release
					end()
					return Loaded{}, nil
				})
				failed <- err
			}
			go read()
			<-began
			go read()
			require.Eventually(t, func() bool { return c.Stats().Misses == 2 }, 10*time.Second, time.Millisecond)
			close(release)
			require.ErrorContains(t, <-failed, "panicked")
			require.ErrorContains(t, <-failed, "panicked")
			requireGet(t, c, text("well again"), "well again", false)
		})
	}
}

func TestLookupsAreLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cfg, l := calm(settings(t, stacktest.RedisURL()))
	c, err := open(cfg, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), l)
	require.NoError(t, err)
	get(t, c, roomQuery(), text("a"))
	get(t, c, roomQuery(), text("a"))
	require.NoError(t, c.Close())
	require.Contains(t, out.String(), `msg="Cache MISS" key=room:1`)
	require.Contains(t, out.String(), `msg="Cache HIT" key=room:1`)
}

func TestLogCostsNothingWhenOff(t *testing.T) { //nolint:paralleltest // it counts allocations
	c := &Cache{log: discard}
	require.Zero(t, testing.AllocsPerRun(100, func() { c.hit(context.Background(), Query{Key: "room:1"}) }))
}

func TestNewRefusesOnlyBadAddresses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "http://localhost", "redis://u:secret@host:port", "redis://h:1,unix:///s", "redis://h:1,redis://h:2/3",
		"redis://h:1,rediss://h:2", "redis://h:1,", "redis://:secret@h/x/y",
	} {
		_, err := New(config.Redis{URL: url}, discard)
		require.ErrorContains(t, err, "REDIS_URL", url)
		require.NotContains(t, err.Error(), "secret")
	}
	nobody := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	for _, url := range []string{
		"redis://" + nobody, "rediss://:secret@" + nobody + "/2", "unix:///nowhere/redis.sock?db=1",
		"redis://" + nobody + ", redis://" + nobody,
	} {
		c := openReal(t, settings(t, url))
		require.Error(t, c.Ping(t.Context()), url)
		requireGet(t, c, text("from the store"), "from the store", false)
	}
}

// gate is a loader that says when it has read and holds its result back.
type gate struct {
	body    string
	began   chan struct{}
	release chan struct{}
}

func newGate(body string) *gate {
	return &gate{body: body, began: make(chan struct{}, 100), release: make(chan struct{})}
}

func (g *gate) run(ctx context.Context) (Loaded, error) {
	g.began <- struct{}{}
	select {
	case <-g.release:
		return Loaded{Body: []byte(g.body)}, nil
	case <-ctx.Done():
		return Loaded{}, ctx.Err()
	}
}

func hang(ctx context.Context) (Loaded, error) {
	<-ctx.Done()
	return Loaded{}, ctx.Err()
}
