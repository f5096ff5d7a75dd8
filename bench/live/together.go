package live

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

const (
	roomSize = 12 // more than playback.AutoEveryone, so that no room waits for everyone
	// calmAfter is how long after a command players are to be together, and roundTime how often there is one.
	calmAfter = 10 * time.Second
	roundTime = 14 * time.Second
	briskTime = 5500 * time.Millisecond
	joinAt    = 5500 * time.Millisecond // after a command
)

// slowRounds are commands that are far enough from each other for players to be looked at afterwards.
var slowRounds = []string{"seek", "faster", "pause", "play", "seek", "slower", "seek", "pause", "seek", "play", "seek"}

// briskRounds come one soon after the other.
var briskRounds = []string{
	"seek", "pause", "play", "seek", "faster", "pause", "seek", "play", "slower", "seek", "pause", "play",
}

// findings are what rooms of one kind have shown.
type findings struct {
	mu       sync.Mutex
	apart    []float64 // pairs of players
	widest   []float64 // the outermost of all, for each instant
	clocks   []float64
	settled  map[string][]time.Duration // by the kind of the command: until all of the room are near
	each     []time.Duration            // until one of them is
	joined   []time.Duration
	disturbs int // changes that joins have made
}

// watch collects what a room has shown from an instant on.
func (f *findings) watch(r *Room, from time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range r.Samples(from) {
		var errors []float64
		for _, v := range r.Viewers {
			if e, ok := s.Clocks[v]; ok {
				f.clocks = append(f.clocks, math.Abs(e))
			}
			if e, ok := s.Errors[v]; ok {
				errors = append(errors, e)
			}
		}
		if s.Calm < calmAfter || s.Status != playback.Playing {
			continue
		}
		pairs := spread(errors)
		f.apart = append(f.apart, pairs...)
		f.widest = append(f.widest, Quantile(pairs, 1))
	}
}

func (f *findings) command(kind string, took map[*Viewer]time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var last time.Duration
	for _, t := range took {
		last = max(last, t)
		f.each = append(f.each, t)
	}
	f.settled[kind] = append(f.settled[kind], last)
}

// settleTimes returns the times of all commands that move players; another rate moves nobody at once.
func (f *findings) settleTimes() (all []time.Duration) {
	for kind, some := range f.settled {
		if kind != "faster" {
			all = append(all, some...)
		}
	}
	return all
}

// together measures how near to each other players are, after commands and joins, on paths of all kinds.
func (m *Measurement) together(ctx context.Context) error {
	kinds := []struct {
		name    string
		quality badnet.Quality
		rooms   int
		stalls  time.Duration
	}{
		{"plain", badnet.Quality{}, 1, 0},
		{"jitter", badnet.Fair(), 3, 0},
		{"poor", badnet.Poor(), 1, 0},
		{"stalls", badnet.Fair(), 1, 5 * time.Minute},
	}
	found := map[string]*findings{}
	rooms := map[string][]*Room{}
	var all []*Room
	var gathering errgroup.Group
	var mu sync.Mutex
	for _, k := range kinds {
		found[k.name] = &findings{settled: map[string][]time.Duration{}}
		for i := range k.rooms {
			gathering.Go(func() error {
				people, err := m.system.People(ctx, fmt.Sprintf("%s%dx", k.name, i), roomSize)
				if err != nil {
					return err
				}
				r, err := m.system.Gather(ctx, string(watchparty.WaitPolicyAuto), k.quality, people,
					func(random *rand.Rand) Manner {
						manner := RandomManner(random)
						manner.Stalls = k.stalls
						return manner
					})
				if err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				rooms[k.name], all = append(rooms[k.name], r), append(all, r)
				return nil
			})
		}
	}
	if err := gathering.Wait(); err != nil {
		return err
	}
	defer func() {
		for _, r := range all {
			_ = r.Close()
		}
	}()
	kindOf := map[*Room]string{}
	for name, some := range rooms {
		for _, r := range some {
			kindOf[r] = name
		}
	}
	probing, stop := context.WithCancel(ctx)
	defer stop()
	var probes errgroup.Group
	var nodeErrors []float64
	probes.Go(func() (err error) {
		nodeErrors, err = m.probeClocks(probing)
		return err
	})
	m.logf("%d rooms of %d are together", len(all), roomSize)
	begun := time.Now()
	err := each(ctx, all, func(ctx context.Context, r *Room) error {
		return m.exercise(ctx, r, found[kindOf[r]], kindOf[r])
	})
	stop()
	if err := probes.Wait(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	for _, r := range all {
		found[kindOf[r]].watch(r, begun)
	}
	m.tellTogether(found, nodeErrors)
	return m.plotTogether(ctx, rooms, begun)
}

// exercise gives commands, and has people join in between.
func (m *Measurement) exercise(ctx context.Context, r *Room, f *findings, name string) error {
	if err := sleep(ctx, time.Duration(r.random.Float64()*float64(roundTime))); err != nil {
		return err
	}
	guests, err := m.system.People(ctx, "guest"+r.ID[len(r.ID)-12:]+"x", len(slowRounds))
	if err != nil {
		return err
	}
	for i, kind := range slowRounds {
		next := time.Now().Add(roundTime)
		if err := m.round(ctx, r, f, kind); err != nil {
			return err
		}
		if err := m.join(ctx, r, f, guests[i], name); err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	for _, kind := range briskRounds {
		next := time.Now().Add(briskTime)
		if err := m.round(ctx, r, f, kind); err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Measurement) round(ctx context.Context, r *Room, f *findings, kind string) error {
	o, err := r.Order(ctx, kind)
	if err != nil {
		return err
	}
	took, err := o.Settled(ctx, settleTime, r.Viewers)
	if err != nil {
		return err
	}
	f.command(kind, took)
	return nil
}

// join has a person join a room that plays. It records how long that took, and counts the changes of playback that it
// caused: there should be none.
func (m *Measurement) join(ctx context.Context, r *Room, f *findings, p Person, name string) error {
	before, err := r.system.Store.Playback(ctx, r.ID)
	if err != nil || before.Status != playback.Playing {
		return err
	}
	took, err := r.late(ctx, p, r.Quality, RandomManner(r.random))
	if err != nil {
		return fmt.Errorf("a newcomer to %s: %w", name, err)
	}
	after, err := r.system.Store.Playback(ctx, r.ID)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.joined = append(f.joined, took)
	f.disturbs += int(after.Revision - before.Revision)
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// probeClocks asks both processes for the time over loopback, until ctx ends, and returns by how many milliseconds they
// were wrong about that of Postgres, which is this machine's.
func (m *Measurement) probeClocks(ctx context.Context) (wrong []float64, err error) {
	people, err := m.system.People(ctx, "probe", 1)
	if err != nil {
		return nil, err
	}
	room, err := m.system.OpenRoom(ctx, string(watchparty.WaitPolicyNobody), people...)
	if err != nil {
		return nil, err
	}
	var clients []*client.Client
	for _, n := range m.system.Nodes {
		c, err := client.Connect(ctx, client.Options{API: n.API(), RoomID: room, Token: people[0].Token})
		if err != nil {
			return nil, err
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for {
		for _, c := range clients {
			e, err := probe(ctx, c)
			if ctx.Err() != nil {
				return wrong, nil //nolint:nilerr // it was to end
			}
			if err != nil {
				return nil, err
			}
			wrong = append(wrong, math.Abs(e))
		}
		if sleep(ctx, 500*time.Millisecond) != nil {
			return wrong, nil
		}
	}
}

// probes is how often a clock is asked for one figure. The fastest answer counts, which says the most.
const probes = 5

func probe(ctx context.Context, c *client.Client) (wrong float64, err error) {
	fastest := math.Inf(1)
	for range probes {
		asked := time.Now()
		if err := c.Send(ctx, &wire.Clock{C0: milliseconds(asked)}); err != nil {
			return 0, err
		}
		reply, err := await[*wire.ClockReply](ctx, c)
		if err != nil {
			return 0, err
		}
		answered := time.Now()
		trip := float64(answered.Sub(asked))/1e6 - (reply.S2 - reply.S1)
		if trip < fastest {
			fastest = trip
			wrong = (reply.S1-milliseconds(asked))/2 + (reply.S2-milliseconds(answered))/2
		}
	}
	return wrong, nil
}

// await waits for a message of a kind.
func await[M wire.ServerMessage](ctx context.Context, c *client.Client) (found M, err error) {
	for {
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case m, ok := <-c.Messages():
			if !ok {
				code, reason, _ := c.Code()
				return found, fmt.Errorf("the connection was closed: %d %s", code, reason)
			}
			if wanted, ok := m.(M); ok {
				return wanted, nil
			}
		}
	}
}

func (m *Measurement) tellTogether(found map[string]*findings, nodeErrors []float64) {
	seconds := func(times []time.Duration) float64 { return Quantile(times, 0.95).Seconds() }
	m.AtMost("clock of a node and of Postgres, p99", 1, Quantile(nodeErrors, 0.99), " ms")
	fair, poor := found["jitter"], found["poor"]
	m.AtMost("clock of a client, 40 ms ± 20 ms, 3 % lost, p95", 10, Quantile(fair.clocks, 0.95), " ms")
	m.AtMost("clock of a client, 75 ms ± 50 ms, 3 % lost, p95", 25, Quantile(poor.clocks, 0.95), " ms")
	m.AtMost("two players, 10 s after a command, p95", 60, Quantile(fair.apart, 0.95), " ms")
	m.AtMost("two players, 10 s after a command, p99", 120, Quantile(fair.apart, 0.99), " ms")
	m.Figure(fmt.Sprintf("the outermost of %d players, p95", roomSize), Quantile(fair.widest, 0.95), " ms")
	for _, kind := range []struct{ name, title string }{
		{"plain", "without delay"}, {"poor", "75 ms ± 50 ms"}, {"stalls", "that stall once in 5 minutes"},
	} {
		m.Figure("two players, "+kind.title+", p95", Quantile(found[kind.name].apart, 0.95), " ms")
	}
	m.AtMost(
		fmt.Sprintf("play, pause or seek until all %d are within 100 ms, p95", roomSize),
		1,
		seconds(fair.settleTimes()),
		" s",
	)
	m.Figure("command until one player is, p95", seconds(fair.each), " s")
	for _, kind := range []string{"seek", "pause", "play", "faster"} {
		m.Figure("command until all are, "+kind+", p95", seconds(fair.settled[kind]), " s")
	}
	m.Figure("command until all are, without delay, p95", seconds(found["plain"].settleTimes()), " s")
	m.AtMost("newcomer within 100 ms, after canplay, p95", 2, seconds(fair.joined), " s")
	disturbs := 0
	for _, f := range found {
		disturbs += f.disturbs
	}
	m.AtMost("changes that newcomers made for others", 0, float64(disturbs), "")
}
