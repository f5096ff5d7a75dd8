package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

// patience bounds what is waited for, on a machine that is busy with other tests.
const patience = time.Minute

func TestHit(t *testing.T) {
	t.Parallel()
	i := install(t)
	a := i.start(t)
	requireGet(t, a, text("first"), "first", false)
	requireGet(t, a, text("second"), "first", true)
	require.EqualValues(t, 1, a.Stats().Local)

	b := i.start(t)
	requireGet(t, b, text("second"), "first", true)
	require.EqualValues(t, 1, b.Stats().Shared)
	requireGet(t, b, text("second"), "first", true)
	require.EqualValues(t, 1, b.Stats().Local)
	require.NoError(t, b.Redis().State(t.Context()))
}

func TestAnEntryIsWholeWhereverItIsFrom(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	load := func(context.Context) (Loaded, error) {
		return Loaded{Body: []byte(`{"name":"movie night"}`), Meta: "private"}, nil
	}
	for _, p := range []*process{a, a, b, b} {
		e, _, err := p.Get(t.Context(), roomQuery(), load)
		require.NoError(t, err)
		require.Equal(t, `{"name":"movie night"}`, string(e.Body))
		require.Equal(t, "private", e.Meta)
		require.Equal(t, ETag(e.Body), e.ETag)
		require.Regexp(t, `^"[A-Za-z0-9_-]{22}"$`, e.ETag)
	}
	require.NotEqual(t, ETag([]byte("a")), ETag([]byte("b")))
}

func TestChangeVoids(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	requireGet(t, a, text("first"), "first", false)
	requireGet(t, b, text("second"), "first", true)
	for _, tag := range roomQuery().Tags {
		a.change(t, "room:2")
		requireGet(t, b, text("unrelated"), "first", true)
		a.change(t, tag)
		requireGet(t, b, text("second "+tag), "second "+tag, false)
		requireGet(t, a, text("third"), "second "+tag, true)
		requireGet(t, b, text("third"), "second "+tag, true)
		a.change(t, tag)
		requireGet(t, a, text("first"), "first", false)
	}
}

// A tag may be known only from the data.
func TestDiscoveredTags(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	load := func(body, tag string) Loader {
		return func(context.Context) (Loaded, error) { return Loaded{Body: []byte(body), Tags: []string{tag}}, nil }
	}
	requireGet(t, a, load("first", "person:1"), "first", false)
	requireGet(t, b, text("not called"), "first", true)
	b.change(t, "person:1")
	requireGet(t, a, load("second", "person:2"), "second", false)
	a.change(t, "person:1")
	requireGet(t, b, text("not called"), "second", true)
	a.change(t, "person:2")
	b.forget()
	requireGet(t, b, load("third", "person:1"), "third", false)
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	p := install(t).with(func(l *limits) { l.refreshShare = 1 }).start(t)
	raw := rawClient(t, stacktest.RedisURL())
	q := roomQuery()
	q.TTL = 300 * time.Millisecond
	get(t, p, q, text("old"))
	left, err := raw.PTTL(t.Context(), p.shared.entryKey(p.member.Generation(), q.Key)).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, left, q.TTL)
	require.Eventually(t, func() bool {
		_, hit := get(t, p, q, text("new"))
		return !hit
	}, patience, 10*time.Millisecond)

	q = Query{Key: "long", TTL: 24 * time.Hour}
	get(t, p, q, text("a"))
	left, err = raw.PTTL(t.Context(), p.shared.entryKey(p.member.Generation(), q.Key)).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, left, coherence.KeepTime)

	q = Query{Key: "bounded", TTL: time.Minute}
	get(t, p, q, func(context.Context) (Loaded, error) {
		return Loaded{Body: []byte("a"), Lasts: 300 * time.Millisecond}, nil
	})
	left, err = raw.PTTL(t.Context(), p.shared.entryKey(p.member.Generation(), q.Key)).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, left, 300*time.Millisecond, "as long as the data is true")
	require.Eventually(t, func() bool {
		_, hit := get(t, p, q, text("b"))
		return !hit
	}, patience, 10*time.Millisecond)

	q = Query{Key: "never"}
	get(t, p, q, text("a"))
	_, hit := get(t, p, q, text("b"))
	require.False(t, hit, "with no time to live nothing is stored")
}

// TestLivesAreOfOneClock: an entry that another process has stored lives as long in the memory of this one as there,
// although the clocks of the machines are wrong, since both processes tell its life by the clock of Postgres.
func TestLivesAreOfOneClock(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-20 * time.Minute, 0, 20 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.ahead = ahead
			a, b := i.start(t), i.start(t)
			raw := rawClient(t, stacktest.RedisURL())
			for _, c := range []struct{ ttl, lasts, life time.Duration }{
				{ttl: 2 * time.Minute, life: 2 * time.Minute},
				{ttl: 10 * time.Minute, lasts: 2 * time.Minute, life: 2 * time.Minute},
				{ttl: time.Hour, life: coherence.KeepTime},
			} {
				q := Query{Key: fmt.Sprint("thing:", c.ttl), TTL: c.ttl}
				load := func(context.Context) (Loaded, error) {
					return Loaded{Body: []byte("a"), Lasts: c.lasts}, nil
				}
				_, hit := get(t, a, q, load)
				require.False(t, hit)
				_, hit = get(t, b, q, load)
				require.True(t, hit, "it is from Redis")
				for _, p := range []*process{a, b} {
					e, ok := p.local.GetEntry(q.Key)
					require.True(t, ok)
					require.LessOrEqual(t, e.ExpiresAfter(), c.life)
					require.Greater(t, e.ExpiresAfter(), c.life/4, "a busy machine takes its time")
					require.False(t, p.isOld(e.Value) && e.ExpiresAfter() > c.life/2)
				}
				left, err := raw.PTTL(t.Context(), a.shared.entryKey(a.member.Generation(), q.Key)).Result()
				require.NoError(t, err)
				require.LessOrEqual(t, left, c.life)
				require.Greater(t, left, c.life/4)
			}
		})
	}
}

func TestMissingIsCached(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	q := roomQuery()
	q.Missing, q.MissingTTL = watchparty.ErrNotFound, time.Minute
	notFound := func(context.Context) (Loaded, error) {
		return Loaded{}, fmt.Errorf("store: room: %w", watchparty.ErrNotFound)
	}
	for n, p := range []*process{a, a, b, b} {
		e, hit, err := p.Get(t.Context(), q, notFound)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.Equal(t, n > 0, hit)
		require.Nil(t, e)
	}
	b.forget()
	requireGet(t, b, text("another query of the key"), "another query of the key", false)
	b.change(t, "room:1")
	requireGet(t, a, text("made since"), "made since", false)

	q = Query{Key: "no time", TTL: time.Minute, Missing: watchparty.ErrNotFound}
	for range 2 {
		_, hit, err := a.Get(t.Context(), q, notFound)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.False(t, hit)
	}
}

func TestOtherErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	q := roomQuery()
	q.Missing, q.MissingTTL = watchparty.ErrNotFound, time.Minute
	broken := errors.New("broken")
	for range 2 {
		_, hit, err := p.Get(t.Context(), q, func(context.Context) (Loaded, error) { return Loaded{}, broken })
		require.ErrorIs(t, err, broken)
		require.False(t, hit)
	}
	requireGet(t, p, text("well"), "well", false)
}

func TestCorruptValueIsAMiss(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, p, text("whole"), "whole", false)
	key := p.shared.entryKey(p.member.Generation(), "room:1")
	whole, err := raw.Get(t.Context(), key).Result()
	require.NoError(t, err)
	flipped := whole[:9] + string([]byte{whole[9] ^ 1}) + whole[10:]
	for _, bad := range []string{"", "x", whole[:len(whole)-1], whole + "x", flipped} {
		require.NoError(t, raw.Set(t.Context(), key, bad, 0).Err())
		p.forget()
		requireGet(t, p, text("loaded"), "loaded", false)
	}
	require.NoError(t, raw.Del(t.Context(), key).Err())
	require.NoError(t, raw.LPush(t.Context(), key, "another type").Err())
	p.forget()
	requireGet(t, p, text("loaded"), "loaded", false)
	require.NoError(t, raw.Set(t.Context(), key, whole, 0).Err())
	p.forget()
	requireGet(t, p, text("not called"), "whole", true)
}

// Whatever Redis brings back from before a change does not count.
func TestOldDataIsVoid(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, a, text("old"), "old", false)
	key := a.shared.entryKey(a.member.Generation(), "room:1")
	old, err := raw.Get(t.Context(), key).Result()
	require.NoError(t, err)
	a.change(t, "movie:9")
	late := i.start(t)
	for n, p := range []*process{a, b, late} {
		require.NoError(t, raw.Set(t.Context(), key, old, 0).Err())
		p.forget()
		body := fmt.Sprint("new ", n)
		requireGet(t, p, text(body), body, false)
	}
}

func TestLargeBodyIsNotStored(t *testing.T) {
	t.Parallel()
	p := install(t).start(t)
	largest := strings.Repeat("x", p.limits.maxBody)
	q := roomQuery()
	_, hit := get(t, p, q, text(largest+"x"))
	require.False(t, hit)
	_, hit = get(t, p, q, text(largest))
	require.False(t, hit)
	p.forget()
	body, hit := get(t, p, q, text("not called"))
	require.True(t, hit)
	require.Equal(t, largest, body)
}

func TestKeyPrefix(t *testing.T) {
	t.Parallel()
	i := install(t)
	one, another := i.start(t), install(t).start(t)
	raw := rawClient(t, stacktest.RedisURL())
	requireGet(t, one, text("one"), "one", false)
	requireGet(t, another, text("another"), "another", false)
	another.change(t, "room:1")
	one.forget()
	requireGet(t, one, text("not called"), "one", true)

	keys, err := raw.Keys(t.Context(), i.redis.KeyPrefix+"*").Result()
	require.NoError(t, err)
	require.Contains(t, keys, i.redis.KeyPrefix+"e:"+one.member.Generation()+":{room:1}")
	require.NotContains(t, strings.Join(keys, " "), "l:", "the lock is given back")
}

// exchanges is a hook that notes what is sent, an exchange each, and may hold a command up.
type exchanges struct {
	mu   sync.Mutex
	sent []string
	hold func(cmd redis.Cmder)
}

func (x *exchanges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (x *exchanges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if ctx.Value(probeKey{}) == nil {
			x.note(cmd)
		}
		return next(ctx, cmd)
	}
}

func (x *exchanges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		x.note(cmds...)
		return next(ctx, cmds)
	}
}

func (x *exchanges) note(cmds ...redis.Cmder) {
	var names []string
	for _, cmd := range cmds {
		names = append(names, cmd.Name())
		if x.hold != nil {
			x.hold(cmd)
		}
	}
	if names[0] == "hello" { // the handshake of a new connection
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sent = append(x.sent, strings.Join(names, " "))
}

func (x *exchanges) take() (sent []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sent, x.sent = x.sent, nil
	return sent
}

func TestPrefetchIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	var queries []Query
	for n := range 5 {
		key := fmt.Sprint("room:", n)
		queries = append(queries, Query{Key: key, Tags: []string{key}, TTL: time.Minute})
		if n > 0 {
			get(t, a, queries[n], text(key))
		}
	}
	a.change(t, "room:1")
	var sent exchanges
	b.Redis().Client().AddHook(&sent)
	get(t, b, queries[4], text("not called"))
	require.Equal(t, []string{"get"}, sent.take())

	ctx := b.Prefetch(t.Context(), queries...)
	require.Equal(t, []string{"get get get get"}, sent.take(), "what is not in memory")
	ctx = b.Prefetch(ctx, queries...)
	require.Empty(t, sent.take(), "what Redis does not have is not asked for again")
	for n, q := range queries {
		_, hit, err := b.Get(ctx, q, text("loaded"))
		require.NoError(t, err)
		require.Equal(t, n > 1, hit)
	}
	require.Equal(t, []string{"set get", "set", "evalsha", "set get", "set", "evalsha"}, withoutEval(sent.take()),
		"what Redis does not have is not asked for again")
	b.Prefetch(t.Context(), queries...)
	require.Empty(t, sent.take())
}

// withoutEval leaves out what is sent once in a server's life: the text of a script.
func withoutEval(sent []string) (kept []string) {
	for _, exchange := range sent {
		if exchange != "eval" {
			kept = append(kept, exchange)
		}
	}
	return kept
}

// An entry is reloaded once in the background before its end.
func TestEarlyRefresh(t *testing.T) {
	t.Parallel()
	i := install(t).with(func(l *limits) { l.refreshShare = 0.0001 }) // 6 ms of a minute
	p := i.start(t)
	requireGet(t, p, text("old"), "old", false)
	require.Eventually(t, func() bool {
		body, hit := get(t, p, roomQuery(), text("new"))
		require.True(t, hit)
		return body == "new"
	}, patience, time.Millisecond)
	require.NotZero(t, p.Stats().Refreshed)
	require.Eventually(t, func() bool { // on a busy machine another refresh may have begun
		stats := p.Stats()
		return stats.Loads == 1+stats.Refreshed
	}, patience, time.Millisecond)

	calm := install(t).start(t)
	requireGet(t, calm, text("old"), "old", false)
	requireGet(t, calm, text("new"), "old", true)
	require.Zero(t, calm.Stats().Refreshed)

	// What lives for a shorter time than limits.minRefreshTTL is not refreshed ahead, however old it is.
	brief := install(t).with(func(l *limits) { l.refreshShare, l.minRefreshTTL = 0, 2*time.Minute }).start(t)
	requireGet(t, brief, text("old"), "old", false)
	requireGet(t, brief, text("new"), "old", true)
	require.Zero(t, brief.Stats().Refreshed)
}

// Peek gives what is in memory, and nothing that Get must load.
func TestPeek(t *testing.T) {
	t.Parallel()
	i := install(t)
	p, other := i.start(t), i.start(t)
	peek := func(p *process, want string) {
		e, ok := p.Memory().Peek(t.Context(), "room:1")
		require.Equal(t, want != "", ok)
		if ok {
			require.Equal(t, want, string(e.Body))
		}
	}
	peek(p, "")
	requireGet(t, p, text("cached"), "cached", false)
	peek(p, "cached")
	peek(other, "")
	other.change(t, "room:1")
	peek(p, "")

	old := i.with(func(l *limits) { l.refreshShare = 0 }).start(t)
	get(t, old, Query{Key: "room:1", TTL: time.Minute}, text("old"))
	peek(old, "")
}

func TestLookupsAreLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	i := install(t)
	i.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := i.start(t)
	get(t, p, roomQuery(), text("a"))
	get(t, p, roomQuery(), text("a"))
	p.forget()
	get(t, p, roomQuery(), text("a"))
	p.stop()
	require.Equal(t, 1, strings.Count(out.String(), `level=DEBUG msg="Cache MISS" key=room:1`))
	require.Equal(t, 2, strings.Count(out.String(), `level=DEBUG msg="Cache HIT" key=room:1`))
}

func TestLogCostsNothingWhenOff(t *testing.T) { //nolint:paralleltest // it counts allocations
	c := &Cache{log: slog.New(slog.DiscardHandler)}
	require.Zero(t, testing.AllocsPerRun(100, func() { c.logHit(context.Background(), "room:1") }))
}

// TestFlipsAreLoggedOnceAnInterval: a Redis that fails every second time does not fill the log.
func TestFlipsAreLoggedOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := &Cache{log: logging.Sparse(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelInfo, "key")}
		for range 1000 {
			c.report(t.Context(), errors.New("away"))
			c.report(t.Context(), nil)
		}
		require.Equal(t, 2, strings.Count(out.String(), "\n"))
		require.EqualValues(t, 1000, c.stats.errors.Load())
		time.Sleep(2 * logging.Interval) // of the test's own clock
		synctest.Wait()
		require.Equal(t, 2, strings.Count(out.String(), "repeated=999"))
	})
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "http://localhost", "redis://u:secret@host:port", "redis://h:1,unix:///s", "redis://h:1,redis://h:2/3",
		"redis://h:1,rediss://h:2", "redis://h:1,", "redis://:secret@h/x/y",
		"redis+sentinel://:secret@h:1", "redis+sentinel://h:1/", "redis+sentinel://h:1/main,redis://h:2",
		"redis+sentinel://h:1/main,redis+sentinel://h:2/other", "unix+sentinel:///main", "http+sentinel://h/main",
		"redis+sentinel://h:1/main,rediss+sentinel://h:2/main",
	} {
		_, err := New(config.Redis{URL: url}, config.Cache{Memory: 1 << 20}, nil, store.Now, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "REDIS_URL", url)
		require.NotContains(t, err.Error(), "secret")
	}
}

// With an address at which no Redis listens, everything works, from the store.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	i := install(t).eager()
	nobody := fmt.Sprintf("127.0.0.1:%d", stacktest.FreePort(t))
	for _, url := range []string{
		"redis://" + nobody, "rediss://:secret@" + nobody + "/2", "unix:///nowhere/redis.sock?db=1",
		"redis://" + nobody + ", redis://" + nobody, "redis+sentinel://" + nobody + "/main",
	} {
		p := i.on(url).startAway(t)
		var trouble *RedisError
		require.ErrorAs(t, p.Redis().State(t.Context()), &trouble, url)
		require.Equal(t, "unreachable", trouble.What)
		get(t, p, roomQuery(), text("from the store"))
		p.stop()
	}
}
