package cached

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// reads compares hits with the same reads from Postgres, and counts exchanges with Redis.
func (m *Measurement) reads(ctx context.Context) error {
	in, err := m.install(ctx, "reads", 10_000)
	if err != nil {
		return err
	}
	defer in.close()
	cached, err := m.startNode(ctx, in, program)
	if err != nil {
		return err
	}
	defer cached.stop()
	direct, err := m.startNode(ctx, in, uncached)
	if err != nil {
		return err
	}
	defer direct.stop()
	postgres, err := in.postmaster(ctx)
	if err != nil {
		return err
	}
	kinds := []struct {
		name, path string
		bound      float64
	}{
		{"rooms", pathRooms, 20},
		{"movies", pathMovies, 20},
		{"messages", in.messages(), 20},
		{"a room", pathRooms + "/" + in.room, 8},
		{"a profile", "/api/users/" + in.person, 8},
	}
	var contenders []contender
	for _, k := range kinds {
		ours := target{url: cached.url + k.path}
		if _, err := hit(ctx, ours); err != nil {
			return err
		}
		contenders = append(contenders,
			contender{name: k.name, target: ours, connections: 1, processes: []int{cached.id()}},
			contender{name: k.name + ", from Postgres", target: target{url: direct.url + k.path}, connections: 1,
				processes: []int{direct.id(), postgres}})
	}
	rounds, turn := m.often(5, 2*time.Second)
	found, err := m.takeTurns(ctx, rounds, turn, contenders)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		stored := k.name + ", from Postgres"
		m.AtLeast(k.name+": processor time from Postgres, of a hit's", k.bound, found.processors(stored, k.name), " ×")
		m.Figure("the same, of a hit", found.processor(k.name), " µs")
		m.Figure("the same, from Postgres, with Postgres' own", found.processor(stored), " µs")
		m.Figure("time from Postgres, of a hit's", found.rates(k.name, stored), " ×")
	}
	return m.countExchanges(ctx, in, cached)
}

// postmaster is the process of Postgres from which all others descend.
func (in *installation) postmaster(ctx context.Context) (id int, err error) {
	err = in.store.DB().NewRaw("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int").Scan(ctx, &id)
	return id, err
}

// exchangesOf is how often the process has asked Redis about its cache.
func exchangesOf(s series) float64 {
	return s.sumOf("redis_pool_hits_total", `pool="cache"`) + s.sumOf("redis_pool_misses_total", `pool="cache"`)
}

// countExchanges counts how often a signed-in read of messages asks Redis: when only another process has read the same
// before, and when this one has.
func (m *Measurement) countExchanges(ctx context.Context, in *installation, first *node) error {
	second, err := m.startNode(ctx, in, program)
	if err != nil {
		return err
	}
	defer second.stop()
	const sets, rooms = 5, 50
	var other, same []float64
	for set := range sets {
		some := in.rooms[1+set*rooms : 1+(set+1)*rooms]
		if _, err := in.exchanges(ctx, first, some, true); err != nil {
			return err
		}
		for _, counts := range []*[]float64{&other, &same} {
			n, err := in.exchanges(ctx, second, some, false)
			if err != nil {
				return err
			}
			*counts = append(*counts, n)
		}
	}
	// The process also asks by itself whether Redis is well, which falls into some of the sets.
	m.AtMost("Redis exchanges of a signed-in read of messages that another process has read", 1, slices.Min(other), "")
	m.AtMost("the same, that this process has read", 0, slices.Min(same), "")
	return nil
}

// exchanges reads the messages of rooms as somebody who is signed in, and returns how often the process has asked Redis
// for each.
func (in *installation) exchanges(ctx context.Context, n *node, rooms []string, missed bool) (float64, error) {
	// Metrics have the state of Redis, so that each reading of them may ask Redis, too.
	idle, err := n.read(ctx)
	if err != nil {
		return 0, err
	}
	before, err := n.read(ctx)
	if err != nil {
		return 0, err
	}
	for _, room := range rooms {
		t := target{url: n.url + "/api/chat/messages?room_id=" + room, headers: []string{in.signedIn()}}
		if _, err := fetch(ctx, t); err != nil {
			return 0, err
		}
	}
	after, err := n.read(ctx)
	if err != nil {
		return 0, err
	}
	if misses := after.sumOf("cache_misses_total") - before.sumOf("cache_misses_total"); misses > 0 && !missed {
		return 0, fmt.Errorf("%v of %d reads were misses", misses, len(rooms))
	}
	own := exchangesOf(before) - exchangesOf(idle)
	return max(0, exchangesOf(after)-exchangesOf(before)-own) / float64(len(rooms)), nil
}
