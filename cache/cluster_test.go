package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/limit"
)

// cluster is three masters that share the slots, and a replica of the first one.
type cluster struct {
	masters []*server
	replica *server
}

func (c cluster) url() string {
	var urls []string
	for _, s := range c.masters {
		urls = append(urls, s.url())
	}
	return strings.Join(urls, ",")
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	nodes := make([]*server, 4)
	clients := make([]*redis.Client, 4)
	ctx := t.Context()
	for i := range nodes {
		nodes[i] = ownServer(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(stacktest.FreePort(t)),
			"--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0")
		clients[i] = rawClient(t, nodes[i].url())
		if i > 0 {
			bus := nodes[i].args[3]
			require.NoError(t, clients[0].Do(ctx, "cluster", "meet", "127.0.0.1", nodes[i].port, bus).Err())
		}
	}
	require.NoError(t, clients[0].ClusterAddSlotsRange(ctx, 0, 5460).Err())
	require.NoError(t, clients[1].ClusterAddSlotsRange(ctx, 5461, 10922).Err())
	require.NoError(t, clients[2].ClusterAddSlotsRange(ctx, 10923, 16383).Err())
	id, err := clients[0].ClusterMyID(ctx).Result()
	require.NoError(t, err)
	require.Eventually(t, func() bool { return clients[3].ClusterReplicate(ctx, id).Err() == nil }, patience,
		20*time.Millisecond)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, client := range clients {
			info, err := client.ClusterInfo(ctx).Result()
			require.NoError(c, err)
			require.Contains(c, info, "cluster_state:ok")
			require.Contains(c, info, "cluster_slots_ok:16384")
			require.Contains(c, info, "cluster_known_nodes:4")
		}
		info, err := clients[3].Info(ctx, "replication").Result()
		require.NoError(c, err)
		require.Contains(c, info, "master_link_status:up")
	}, patience, 20*time.Millisecond)
	return cluster{nodes[:3], nodes[3]}
}

func queryOf(n int) Query {
	return Query{Key: fmt.Sprint("room:", n), Tags: []string{fmt.Sprint("room:", n), "movie:9"}, TTL: 10 * time.Minute}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	i := install(t).on(nodes.url())
	a, b := i.start(t), i.start(t)
	const rooms = 24 // on all nodes
	requireAll := func(p *process, want string) {
		p.forget()
		p.Prefetch(t.Context(), queryOf(0), queryOf(1), queryOf(2), queryOf(3), queryOf(4), queryOf(5))
		for n := range rooms {
			body, _ := get(t, p, queryOf(n), text(want))
			require.Equal(t, want, body)
		}
	}
	requireHits := func(p *process, want string) {
		require.Eventually(t, func() bool {
			before := p.Stats()
			requireAll(p, want)
			return p.Stats().Misses == before.Misses
		}, 15*clusterReload, 10*time.Millisecond)
	}
	requireAll(a, "old")
	requireHits(b, "old")
	require.NoError(t, a.Redis().State(t.Context()))

	nodes.masters[0].kill()
	a.change(t, "movie:9")
	requireAll(a, "new")
	requireAll(b, "new")
	replica := rawClient(t, nodes.replica.url())
	require.Eventually(t, func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "role:master")
	}, patience, 20*time.Millisecond, "failover")
	requireHits(a, "new")
	requireHits(b, "new")
	requireTrouble(t, a, "")
	b.change(t, "movie:9")
	requireAll(a, "newer")
	requireHits(b, "newer")
}

// Other users of the client work on a cluster, too: rate limits are scripts, which each node has to load.
func TestClusterKeepsRates(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	i := install(t).on(nodes.url())
	var limiters []*limit.Limiter
	for range 2 {
		r, err := OpenRedis(i.redis)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, r.Close()) })
		limiters = append(limiters, limit.New(r.Client(), i.redis.KeyPrefix, "secret", i.log))
	}
	rule := limit.Rule{Name: "test", Rate: 2, Period: time.Hour}
	patient := limit.Within(t.Context(), time.Minute)
	for n := range 16 {
		subject := fmt.Sprint("subject ", n)
		for k := range 4 {
			require.Equal(t, k < 2, limiters[k%2].Allow(patient, rule, subject).Allowed)
		}
	}
	for _, node := range nodes.masters {
		keys, err := rawClient(t, node.url()).Keys(t.Context(), i.redis.KeyPrefix+"rate:test:*").Result()
		require.NoError(t, err)
		require.NotEmpty(t, keys, "all nodes count")
	}
}

func startSentinel(t *testing.T, master *server) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), port: stacktest.FreePort(t)}
	file := filepath.Join(s.dir, "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1\nsentinel down-after-milliseconds main 1000\n"+
		"sentinel failover-timeout main 3000\n", master.port)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	s.config = file
	require.NoError(t, s.start())
	t.Cleanup(s.kill)
	return s
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	master := ownServer(t)
	replica := ownServer(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))
	sentinel := startSentinel(t, master)
	watcher := rawClient(t, sentinel.url())
	require.Eventually(t, func() bool { // it finds replicas by itself
		replicas, err := watcher.Do(context.Background(), "sentinel", "replicas", "main").Slice()
		return err == nil && len(replicas) == 1
	}, patience, 20*time.Millisecond)

	i := install(t).eager()
	i.redis.Timeout = time.Second
	i = i.on("redis+sentinel://" + sentinel.addr() + "/main")
	a, b := i.start(t), i.start(t)
	requireGet(t, a, text("old"), "old", false)
	requireHitSoon(t, b, "old")
	requireTrouble(t, a, "")

	master.kill()
	a.change(t, "room:1")
	requireGet(t, b, text("new"), "new", false)
	require.Eventually(t, func() bool {
		return strings.Contains(rawClient(t, replica.url()).Info(t.Context(), "replication").Val(), "role:master")
	}, patience, 50*time.Millisecond, "failover")
	requireHitSoon(t, a, "new")
	requireHitSoon(t, b, "new")
	requireTrouble(t, a, "")
	b.change(t, "room:1")
	requireGet(t, a, text("newer"), "newer", false)
}
