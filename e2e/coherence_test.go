package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// All faults, over two and three processes: make soak.
var coherenceWhole = flag.Bool("coherence.whole", false, "run TestNoReadIsStale with all faults, and for longer")

// cluster is API processes, each with its own way to Redis and Postgres.
type cluster struct {
	*system
	t        *testing.T // of all its faults
	program  string
	fail     func(format string, args ...any) // reports an unexpected answer
	nodes    []*replica
	redis    *redis.Client // around the faults
	subjects []*subject
	writable atomic.Pointer[[]*replica] // over which writes may begin
	writing  atomic.Int64
	seen     atomic.Pointer[tally] // of the last storm
}

// replica is one of the processes.
type replica struct {
	number   int
	url      string
	environ  []string
	process  *process
	redis    *badnet.Proxy
	database *badnet.Proxy
	http     *http.Client
}

// newCluster has processes of a build of the program.
func newCluster(t *testing.T, program string, processes int) *cluster {
	t.Helper()
	stack := stacktest.New(t, devstack.Postgres, devstack.Redis, devstack.Inbox)
	c := &cluster{t: t, system: newSystemOn(t, stack, stack.DatabaseURL()), program: program, fail: t.Errorf}
	options, err := redis.ParseURL(stack.RedisURL())
	require.NoError(t, err)
	options.ReadTimeout = 10 * time.Second
	c.redis = redis.NewClient(options)
	t.Cleanup(func() { _ = c.redis.Close() })
	databaseAddress := strings.TrimPrefix(stack.DatabaseURL(), "postgres://watchparty@")
	databaseAddress, _, _ = strings.Cut(databaseAddress, "/")
	for number := range processes {
		n := &replica{
			number: number, redis: badnet.New(t, options.Addr), database: badnet.New(t, databaseAddress),
			http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		}
		addr := stacktest.FreeAddress(t)
		n.url = "http://" + addr
		n.environ = slices.Concat(c.environ, []string{
			"HTTP_ADDR=" + addr, "REDIS_URL=redis://" + n.redis.Addr(), "RATE_LIMIT_ENABLED=false", "LOG_LEVEL=warn",
			"DATABASE_URL=" + strings.Replace(stack.DatabaseURL(), databaseAddress, n.database.Addr(), 1),
			"TEMPORAL_ADDRESS=" + stacktest.FreeAddress(t),
		})
		c.start(n)
		t.Cleanup(n.http.CloseIdleConnections)
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		awaitReady(t, n.process, n.url)
	}
	c.writable.Store(&c.nodes)
	c.makeSubjects(t)
	return c
}

// signal sends a signal to the process.
func (n *replica) signal(t *testing.T, s os.Signal) {
	assert.NoError(t, n.process.cmd.Process.Signal(s))
}

// start starts the process, for the first time or after it was killed.
func (c *cluster) start(n *replica) {
	n.process = startProgram(c.t, c.program, c.t.TempDir(), n.environ, "api")
}

// fault is something that goes wrong while people write and read. run returns when it is over.
type fault struct {
	name  string
	brief bool // whether it is part of the short form
	run   func(t *testing.T, c *cluster, long time.Duration)
}

// faults are in an order in which each begins with a cluster that works.
var faults = []fault{
	{"plain", true, func(_ *testing.T, _ *cluster, long time.Duration) { time.Sleep(long) }},
	{"redis restarted", false, func(t *testing.T, c *cluster, long time.Duration) {
		time.Sleep(long / 2)
		assert.NoError(t, c.stack.Restart(t.Context(), devstack.Redis))
		time.Sleep(long / 2)
	}},
	{"redis stopped for 10 s", false, func(t *testing.T, c *cluster, long time.Duration) {
		assert.NoError(t, c.stack.Stop(devstack.Redis))
		time.Sleep(10 * time.Second)
		assert.NoError(t, c.stack.Restart(t.Context(), devstack.Redis))
		time.Sleep(long / 2)
	}},
	{"pubsub cut", true, brokenBus(badnet.Cut)},
	{"pubsub silent", false, brokenBus(badnet.Swallow)},
	{"45 ms", false, slowRedis(45 * time.Millisecond)},
	{"50 ms", false, slowRedis(50 * time.Millisecond)},
	{"60 ms", false, slowRedis(60 * time.Millisecond)},
	{blackHole, false, func(t *testing.T, c *cluster, long time.Duration) {
		forgotten := time.AfterFunc(silence, c.seen.Load().forgetTimes) // what is read from memory takes no time
		defer forgotten.Stop()
		partitionRedis(long, badnet.Swallow, c.nodes...)
		ended := time.Now()
		c.awaitHits(t)
		assert.Less(t, time.Since(ended), 2*time.Second, "the cache is back")
	}},
	{"resets", false, func(_ *testing.T, c *cluster, long time.Duration) {
		for range 10 {
			partitionRedis(long/20, badnet.Cut, c.nodes...)
			time.Sleep(long / 20)
		}
	}},
	{"paused between load and store", true, pausedInLoad},
	{"paused with a lease", true, func(t *testing.T, c *cluster, long time.Duration) {
		time.Sleep(long / 4)
		if *coherenceWhole {
			c.pause(t, c.nodes[0], 5*time.Second, 0)
			time.Sleep(long / 4)
		}
		c.pause(t, c.nodes[0], shortPause, 500*time.Millisecond)
		time.Sleep(long / 4)
	}},
	{"killed after COMMIT", true, killedAfterCommit},
	{"answer to COMMIT lost", true, func(t *testing.T, c *cluster, long time.Duration) {
		defer c.nodes[0].intercept(t, commitsOfChanges, func() bool { return rand.IntN(3) > 0 })()
		time.Sleep(long)
	}},
	{"FLUSHALL", false, func(t *testing.T, c *cluster, long time.Duration) {
		for range 50 {
			assert.NoError(t, c.redis.FlushAll(t.Context()).Err())
			time.Sleep(long / 50)
		}
	}},
	{"eviction under 1 MB", false, evictRedis},
	{"full without eviction", false, func(t *testing.T, c *cluster, long time.Duration) {
		c.configure(t, "maxmemory", "1")
		time.Sleep(long)
		c.configure(t, "maxmemory", "0")
	}},
	{"turned into a replica", false, func(t *testing.T, c *cluster, long time.Duration) {
		time.Sleep(long / 4)
		assert.NoError(t, c.redis.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
		time.Sleep(long / 2)
		assert.NoError(t, c.redis.ReplicaOf(t.Context(), "NO", "ONE").Err())
		time.Sleep(long / 4)
	}},
	{"one process parted from redis", true, func(_ *testing.T, c *cluster, long time.Duration) {
		partitionRedis(long/2, badnet.Cut, c.nodes[0])
		partitionRedis(long/2, badnet.Swallow, c.nodes[0])
	}},
	{"256 connections on one process", false, loadOneProcess},
	{"one process hears late", false, hearsLate},
	{"loads answered late", false, loadsAnsweredLate},
	{"one process stopped during changes", false, stoppedDuringChanges},
	{"renewals answered late", false, renewalsAnsweredLate},
	{"lease given back late", false, leaseGivenBackLate},
	{"joins while lists are old", false, joinsBesideOldLists},
	{"COMMIT on its way while a process joins", false, joinsBesideCommit},
	{"changes removed while a process is stopped", false, restoreOldRedis("UPDATE cache_changes " +
		"SET created_at = created_at - interval '1 hour'")},
	{"another table of changes", false, restoreOldRedis("ALTER TABLE cache_changes RENAME TO former; " +
		"CREATE TABLE cache_changes (LIKE former INCLUDING ALL); DROP TABLE former")},
}

const blackHole = "black hole"

// silence is more than the time after which a process takes a silent message bus for dead, and gives its lease back.
const silence = 2500 * time.Millisecond

// partitionRedis makes the processes' networks to Redis fail for a time.
func partitionRedis(long time.Duration, mode badnet.Mode, nodes ...*replica) {
	for _, n := range nodes {
		n.redis.Set(mode)
	}
	time.Sleep(long)
	for _, n := range nodes {
		n.redis.Set(badnet.Pass)
	}
}

// brokenBus does the same to the connections of pub/sub only, with those that publish.
func brokenBus(mode badnet.Mode) func(*testing.T, *cluster, time.Duration) {
	return func(t *testing.T, c *cluster, long time.Duration) {
		var selected atomic.Bool
		for _, n := range c.nodes {
			n.redis.Select(func(call []byte) bool {
				ofBus := bytes.Contains(call, []byte("subscribe")) || bytes.Contains(call, []byte("publish"))
				if ofBus {
					selected.Store(true)
				}
				return ofBus
			})
		}
		partitionRedis(long, mode, c.nodes...)
		for _, n := range c.nodes {
			n.redis.Select(nil)
		}
		assert.True(t, selected.Load(), "no process has used pub/sub")
		time.Sleep(long / 4)
	}
}

// slowRedis has each answer of Redis come late.
func slowRedis(delay time.Duration) func(*testing.T, *cluster, time.Duration) {
	return func(_ *testing.T, c *cluster, long time.Duration) {
		for _, n := range c.nodes {
			n.redis.Delay(delay)
		}
		time.Sleep(long)
		for _, n := range c.nodes {
			n.redis.Delay(0)
		}
	}
}

// shortPause is longer than a lease. It is so short that the process still takes its message bus for alive afterwards:
// only its clock tells it.
const shortPause = 1500 * time.Millisecond

// pauseTime is longer than a lease.
func pauseTime() time.Duration {
	if *coherenceWhole {
		return 5 * time.Second
	}
	return 2 * time.Second
}

// pause stops the process for a time, after a pause in the writes so long that its memory has everything. Meanwhile
// others write. After it continues, it has no connection to Redis and Postgres for another time.
func (c *cluster) pause(t *testing.T, n *replica, long, deaf time.Duration) {
	c.fillMemory(t)
	others := c.without(n)
	defer c.writable.Store(&c.nodes)
	n.signal(t, syscall.SIGSTOP)
	if deaf > 0 {
		n.redis.Set(badnet.Swallow)
		n.database.Set(badnet.Swallow)
	}
	c.writable.Store(&others)
	time.Sleep(long)
	n.signal(t, syscall.SIGCONT)
	if deaf > 0 {
		time.Sleep(deaf)
		n.redis.Set(badnet.Pass)
		n.database.Set(badnet.Pass)
	}
}

func (c *cluster) without(n *replica) (others []*replica) {
	for _, other := range c.nodes {
		if other != n {
			others = append(others, other)
		}
	}
	return others
}

// pausedInLoad stops a process when Postgres has answered its read of messages.
func pausedInLoad(t *testing.T, c *cluster, _ time.Duration) {
	n := c.nodes[0]
	others := c.without(n)
	for range 2 {
		c.writable.Store(&others) // so that none of them hangs
		var once sync.Once
		stopped := make(chan struct{})
		n.database.Intercept(readsOfMessages, func() bool {
			once.Do(func() {
				n.signal(t, syscall.SIGSTOP)
				close(stopped)
			})
			return true
		})
		select {
		case <-stopped:
		case <-time.After(time.Minute):
			t.Error("the process reads no messages")
			return
		}
		time.Sleep(pauseTime())
		n.database.Intercept(nil, nil)
		n.signal(t, syscall.SIGCONT)
		time.Sleep(500 * time.Millisecond)
	}
	c.writable.Store(&c.nodes)
}

// commitsOfChanges matches the COMMIT of a transaction that changed cached data.
func commitsOfChanges() badnet.Matcher {
	changed := false
	return func(call []byte) bool {
		if bytes.Contains(call, []byte("INSERT INTO cache_changes (tags)")) {
			changed = true
			return false
		}
		ends := changed && bytes.Contains(call, []byte("COMMIT"))
		changed = changed && !ends
		return ends
	}
}

// killedAfterCommit kills a process when Postgres has answered its COMMIT.
func killedAfterCommit(t *testing.T, c *cluster, long time.Duration) {
	n := c.nodes[0]
	for began := time.Now(); time.Since(began) < long; {
		var once sync.Once
		killed := make(chan struct{})
		n.database.Intercept(commitsOfChanges, func() bool {
			once.Do(func() {
				n.process.kill()
				close(killed)
			})
			return false
		})
		select {
		case <-killed:
		case <-time.After(time.Minute):
			t.Error("the process commits nothing")
			return
		}
		n.database.Intercept(nil, nil)
		time.Sleep(long / 10)
		c.start(n)
		awaitReady(t, n.process, n.url)
		time.Sleep(long / 10)
	}
}

func (c *cluster) configure(t *testing.T, name, value string) {
	assert.NoError(t, c.redis.ConfigSet(t.Context(), name, value).Err())
}

// evictRedis makes Redis evict under 1 MB of what it holds.
func evictRedis(t *testing.T, c *cluster, long time.Duration) {
	assert.NoError(t, c.redis.FlushAll(t.Context()).Err())
	var empty int
	info := c.redis.InfoMap(t.Context(), "memory").Val()["Memory"]["used_memory"]
	_, err := fmt.Sscan(info, &empty)
	assert.NoError(t, err)
	c.configure(t, "maxmemory-policy", "allkeys-random")
	c.configure(t, "maxmemory", fmt.Sprint(empty+512<<10))
	for n := range 100 {
		_ = c.redis.Set(t.Context(), fmt.Sprint("filler:", n), make([]byte, 100<<10), 0).Err()
		time.Sleep(long / 100)
	}
	assert.NotEqual(t, "0", c.redis.InfoMap(t.Context(), "stats").Val()["Stats"]["evicted_keys"])
	c.configure(t, "maxmemory", "0")
	c.configure(t, "maxmemory-policy", "noeviction")
}

// loadOneProcess has 256 more readers at work on one process.
func loadOneProcess(_ *testing.T, c *cluster, long time.Duration) {
	ctx, stop := context.WithTimeout(context.Background(), long)
	defer stop()
	var busy sync.WaitGroup
	chat := c.subjects[3]
	for range 256 {
		busy.Go(func() {
			for ctx.Err() == nil {
				_, _ = chat.reads[0](c.nodes[0])
			}
		})
	}
	busy.Wait()
}

// tally counts what was seen in a storm.
type tally struct {
	reads, hits, writes, unanswered atomic.Int64
	slowest                         atomic.Int64 // of the writes that were acknowledged, in nanoseconds
	mu                              sync.Mutex
	stale                           []string
	took                            []time.Duration // by reads that were answered
}

// percentile returns the time within which p % of the reads were answered.
func (s *tally) percentile(p int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.took)
	if len(s.took) == 0 {
		return 0
	}
	return s.took[(len(s.took)-1)*p/100]
}

// forgetTimes forgets how long reads have taken until now.
func (s *tally) forgetTimes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = nil
}

// readersOfNode is how many people read over one process.
const readersOfNode = 3

// storm writes and reads while a fault happens.
func (c *cluster) storm(run func()) *tally {
	var seen tally
	c.seen.Store(&seen)
	ctx, stop := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	defer busy.Wait() // also when a fault ends the test
	defer stop()
	for _, n := range c.nodes {
		for range readersOfNode {
			busy.Go(func() {
				for ctx.Err() == nil {
					c.read(n, &seen)
				}
			})
		}
	}
	for _, s := range c.subjects {
		busy.Go(func() {
			for ctx.Err() == nil {
				c.write(s, &seen)
				time.Sleep(rand.N(50 * time.Millisecond))
			}
		})
	}
	run()
	stop()
	busy.Wait()
	return &seen
}

func (c *cluster) read(n *replica, seen *tally) {
	s := c.subjects[rand.IntN(len(c.subjects))]
	began := time.Now()
	hit, stale, err := s.check(n, s.reads[rand.IntN(len(s.reads))])
	switch {
	case errors.Is(err, errUnanswered):
		seen.unanswered.Add(1)
		time.Sleep(5 * time.Millisecond)
		return
	case err != nil:
		c.fail("%s: %v", s.name, err)
		time.Sleep(100 * time.Millisecond)
		return
	}
	seen.reads.Add(1)
	if hit {
		seen.hits.Add(1)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	seen.took = append(seen.took, time.Since(began))
	if stale != "" {
		seen.stale = append(seen.stale, stale)
	}
}

func (c *cluster) write(s *subject, seen *tally) {
	c.writing.Add(1)
	defer c.writing.Add(-1)
	nodes := *c.writable.Load()
	if len(nodes) == 0 {
		return
	}
	began := time.Now()
	err := s.advance(nodes[rand.IntN(len(nodes))])
	switch {
	case errors.Is(err, errUnanswered):
		seen.unanswered.Add(1)
	case err != nil:
		c.fail("%s: %v", s.name, err)
		time.Sleep(100 * time.Millisecond)
	default:
		seen.writes.Add(1)
		raise(&seen.slowest, int64(time.Since(began)))
	}
}

// awaitHits returns when each process answers from its cache.
func (c *cluster) awaitHits(t *testing.T) {
	t.Helper()
	for _, n := range c.nodes {
		eventually(t, func(a *assert.CollectT) {
			got, err := n.sendRequest(http.MethodGet, "/movies", "", nil)
			require.NoError(a, err)
			require.Equal(a, "HIT", got.header.Get("X-Cache"))
		}, "the cache is used")
	}
}

// TestNoReadIsStale: no read, over any process, is older than a write that was acknowledged before the read began, or
// that another read had shown, through faults between the processes, Redis and Postgres, and stops of each of them.
func TestNoReadIsStale(t *testing.T) {
	t.Parallel()
	clusters, long := []int{3}, time.Second
	if *coherenceWhole {
		clusters, long = []int{2, 3}, 6*time.Second
	}
	for _, processes := range clusters {
		t.Run(fmt.Sprint(processes, " processes"), func(t *testing.T) {
			c := newCluster(t, binary, processes)
			var table bytes.Buffer
			rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
			fmt.Fprintln(rows, "fault\treads\thits\tp99\tslowest\twrites\tslowest\tunanswered\tstale")
			for _, f := range faults {
				if !f.brief && !*coherenceWhole {
					continue
				}
				t.Run(f.name, func(t *testing.T) {
					c.fail = t.Errorf
					c.awaitHits(t)
					seen := c.storm(func() {
						f.run(t, c, long)
						seen := c.seen.Load()
						if seen.hits.Load() > 0 && seen.writes.Load() > 0 {
							return
						}
						eventually(t, func(a *assert.CollectT) { // on a busy machine, the time of the fault is short
							assert.NotZero(a, seen.hits.Load())
							assert.NotZero(a, seen.writes.Load())
						}, "answers from the cache, and writes")
					})
					fmt.Fprintf(rows, "%s\t%d\t%d\t%s\t%s\t%d\t%s\t%d\t%d\n", f.name, seen.reads.Load(), seen.hits.Load(),
						seen.percentile(99).Round(time.Millisecond), seen.percentile(100).Round(time.Millisecond),
						seen.writes.Load(), time.Duration(seen.slowest.Load()).Round(time.Millisecond), seen.unanswered.Load(),
						len(seen.stale))
					require.Empty(t, seen.stale)
					if f.name == blackHole {
						require.Less(t, seen.percentile(99), 300*time.Millisecond)
					}
				})
			}
			_ = rows.Flush()
			t.Logf("\n%s", table.String())
		})
	}
}
