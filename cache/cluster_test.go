package cache

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/limit"
)

// startCluster is two masters that share the slots.
func startCluster(t *testing.T) []*server {
	t.Helper()
	nodes := make([]*server, 2)
	clients := make([]*redis.Client, 2)
	for i := range nodes {
		nodes[i] = ownServer(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePort(t)))
		clients[i] = rawClient(t, nodes[i].url())
	}
	ctx := t.Context()
	require.NoError(t, clients[0].ClusterAddSlotsRange(ctx, 0, 8191).Err())
	require.NoError(t, clients[1].ClusterAddSlotsRange(ctx, 8192, 16383).Err())
	require.NoError(t, clients[1].ConfigSet(ctx, "cluster-require-full-coverage", "no").Err())
	require.NoError(t, clients[0].ConfigSet(ctx, "cluster-require-full-coverage", "no").Err())
	bus := nodes[1].args[len(nodes[1].args)-1]
	require.NoError(t, clients[0].Do(ctx, "cluster", "meet", "127.0.0.1", nodes[1].port, bus).Err())
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, client := range clients {
			info, err := client.ClusterInfo(ctx).Result()
			require.NoError(c, err)
			require.Contains(c, info, "cluster_state:ok")
			require.Contains(c, info, "cluster_slots_ok:16384")
		}
	}, 30*time.Second, 20*time.Millisecond)
	return nodes
}

func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	cfg := settings(t, nodes[0].url()+","+nodes[1].url())
	here, there := openCalm(t, cfg), openCalm(t, cfg)

	// Keys and tags of many rooms lie on both nodes in every combination.
	for n := range 16 {
		q := Query{Key: fmt.Sprint("room:", n), Tags: []string{fmt.Sprint("room:", n), "movie:9"}, TTL: time.Minute}
		for i, want := range []bool{false, true} {
			_, hit := get(t, here, q, text("old"))
			require.Equal(t, want, hit, i)
		}
		there.Invalidate(t.Context(), q.Tags[0])
		body, hit := get(t, here, q, text("new"))
		require.False(t, hit)
		require.Equal(t, "new", body)
		_, hit = get(t, there, q, text("not called"))
		require.True(t, hit)
	}
	require.NoError(t, here.Ping(t.Context()))
	require.Zero(t, here.Stats().Errors)
}

// What else is kept through the client works on a cluster too: rates are scripts, which each node has to learn.
func TestClusterKeepsRates(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	cfg := settings(t, nodes[0].url()+","+nodes[1].url())
	here := limit.New(openCalm(t, cfg).Redis(), cfg.KeyPrefix, "secret", discard)
	there := limit.New(openCalm(t, cfg).Redis(), cfg.KeyPrefix, "secret", discard)
	rule := limit.Rule{Name: "test", Rate: 2, Period: time.Hour}
	patient := limit.Within(t.Context(), time.Minute)
	for n := range 16 {
		subject := fmt.Sprint("subject ", n)
		require.True(t, here.Allow(patient, rule, subject).Allowed)
		require.True(t, there.Allow(patient, rule, subject).Allowed)
		require.False(t, here.Allow(patient, rule, subject).Allowed)
		require.False(t, there.Allow(patient, rule, subject).Allowed)
	}
	other := rule
	other.Name = "other"
	guards := []*limit.Guard{limit.NewGuard(here), limit.NewGuard(there)}
	for n := range 16 {
		subject := fmt.Sprint("subject ", n)
		for i := range 4 {
			result, _ := guards[i%2].Reserve(
				patient,
				subject,
				limit.Charge{Rule: rule, Subject: subject},
				limit.Charge{Rule: other, Subject: "x" + subject},
			)
			require.Equal(t, i < 2, result.Allowed)
		}
	}
	for _, node := range nodes {
		keys, err := rawClient(t, node.url()).Keys(t.Context(), cfg.KeyPrefix+"rate:test:*").Result()
		require.NoError(t, err)
		require.NotEmpty(t, keys, "both nodes count")
	}
}

// With one node away, what lies on the other one is still cached, and nothing waits.
func TestClusterWithANodeAway(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	c := openReal(t, settings(t, nodes[0].url()+","+nodes[1].url()))
	cluster := c.client.(*redis.ClusterClient)
	on := func(s *server, kind string) string {
		for n := 0; ; n++ {
			name := fmt.Sprint("room:", n)
			node, err := cluster.MasterForKey(t.Context(), c.prefix+kind+name)
			require.NoError(t, err)
			if strings.HasSuffix(node.Options().Addr, fmt.Sprint(":", s.port)) {
				return name
			}
		}
	}
	query := func(s *server) Query {
		return Query{Key: on(s, "e:"), Tags: []string{on(s, "t:")}, TTL: time.Minute}
	}
	require.Eventually(t, func() bool {
		return cluster.ForEachMaster(t.Context(),
			func(ctx context.Context, node *redis.Client) error { return node.Ping(ctx).Err() }) == nil
	},
		20*time.Second, 10*time.Millisecond)
	alive, dead := query(nodes[0]), query(nodes[1])
	nodes[1].kill()

	for range 20 {
		timed(t, "Get", func() {
			_, hit := get(t, c, dead, text("from the store"))
			require.False(t, hit)
		})
		timed(t, "Invalidate", func() { c.Invalidate(t.Context(), dead.Tags[0], alive.Tags[0]) })
	}
	require.Eventually(t, func() bool {
		_, hit := get(t, c, alive, text("cached"))
		return hit
	}, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, 1, c.Stats().Pending)
}
