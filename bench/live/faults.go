package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/player"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

const (
	faultRooms  = 2
	redisAway   = time.Minute
	commandGap  = 4 * time.Second
	nodeKills   = 6
	backTime    = 12 * time.Second // in which the clients of a dead node are looked at
	kicks       = 100
	kicksAway   = 50 // while Redis is away
	silentRooms = 8  // for each kind of wait
	arriveTime  = 10 * time.Second
	unlucky     = 1 // the node that is killed
	plotBefore  = 5 * time.Second
)

// faults measures what people notice of a Redis and of nodes that die.
func (m *Measurement) faults(ctx context.Context) error {
	var rooms []*Room
	for i := range faultRooms {
		people, err := m.system.People(ctx, fmt.Sprintf("faults%dx", i), roomSize)
		if err != nil {
			return err
		}
		r, err := m.system.Gather(ctx, string(playback.WaitAuto), badnet.Fair(), people, RandomManner)
		if err != nil {
			return err
		}
		defer r.Close() //nolint:errcheck // it has ended
		rooms = append(rooms, r)
	}
	if err := m.kickAll(ctx, "kicked", kicks, "kick until the connection is closed, p99", 0.3); err != nil {
		return err
	}
	if err := m.killRedis(ctx, rooms); err != nil {
		return err
	}
	return m.killNodes(ctx, rooms)
}

// killRedis takes Redis away for a minute, and gives it back empty.
func (m *Measurement) killRedis(ctx context.Context, rooms []*Room) error {
	m.say("Redis is killed")
	before := stateOf(rooms)
	begun := time.Now()
	if err := m.system.Stack.Kill(devstack.Redis); err != nil {
		return err
	}
	var doing errgroup.Group
	doing.Go(func() error {
		return m.kickAll(ctx, "away", kicksAway, "kick until the connection is closed, Redis away, p99", 1)
	})
	doing.Go(func() error { return m.waitInSilence(ctx) })
	var outage, all Deliveries
	doing.Go(func() error {
		return each(ctx, rooms, func(ctx context.Context, r *Room) error {
			return r.command(ctx, begun.Add(redisAway), &outage)
		})
	})
	if err := doing.Wait(); err != nil {
		return err
	}
	if err := sleep(ctx, time.Until(begun.Add(redisAway))); err != nil {
		return err
	}
	if err := m.system.Stack.Restart(ctx, devstack.Redis); err != nil {
		return err
	}
	back := time.Now()
	err := each(ctx, rooms, func(ctx context.Context, r *Room) error {
		return r.command(ctx, back.Add(12*time.Second), &all)
	})
	if err != nil {
		return err
	}
	after := stateOf(rooms)
	given := outage.Given + all.Given
	m.atMost("Redis away for 60 s, then empty: connections lost", 0, float64(after.connections-before.connections), "")
	m.atMost("changes of playback that nobody commanded", 0, float64(after.revisions-before.revisions-int64(given)), "")
	m.atMost(fmt.Sprintf("commands lost, of %d", given), 0, float64(outage.Lost+all.Lost), "")
	m.figure("command until all have heard of it, Redis away, p95", Quantile(outage.Took, 0.95).Seconds(), " s")
	r := rooms[0]
	return m.plotRoom("redis", "Redis is killed, and comes back empty; a command each 4 s", r, begun.Add(-plotBefore),
		time.Now(), begun, 1500, event{0, "killed"}, event{back.Sub(begun).Seconds(), "back"})
}

// standing is what should not change by itself.
type standing struct {
	connections int
	revisions   int64
}

func stateOf(rooms []*Room) (s standing) {
	for _, r := range rooms {
		for _, v := range r.Viewers {
			opened, _ := v.Opened()
			s.connections += opened
		}
		if last, ok := r.last(); ok {
			s.revisions += last.Revision
		}
	}
	return s
}

// Deliveries are commands that were given, and how long it took until everybody had heard of each.
type Deliveries struct {
	mu    sync.Mutex
	Given int
	Lost  int // that were not answered, or not heard of by all
	Took  []time.Duration
}

// command gives commands until an instant, and looks whether all hear of each.
func (r *Room) command(ctx context.Context, until time.Time, d *Deliveries) error {
	kinds := []string{"seek", "pause", "play", "faster", "seek", "slower"}
	for i := 0; time.Now().Before(until); i++ {
		next := time.Now().Add(commandGap)
		o, err := r.Order(ctx, kinds[i%len(kinds)])
		var refused *Refusal
		if errors.As(err, &refused) {
			return err
		}
		heard := err == nil && Until(ctx, arriveTime, "all hear of it", func() bool {
			return !slices.ContainsFunc(r.Viewers, func(v *Viewer) bool { return v.State().Revision < o.Revision })
		}) == nil
		d.mu.Lock()
		d.Given++
		if heard {
			d.Took = append(d.Took, time.Since(o.Given))
		} else {
			d.Lost++
		}
		d.mu.Unlock()
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// kickAll kicks people who are connected to the one process at the other one, and times the end of their connections.
func (m *Measurement) kickAll(ctx context.Context, prefix string, count int, what string, bound float64) error {
	took, err := m.system.Kick(ctx, prefix, count)
	if err != nil {
		return err
	}
	m.atMost(what, bound, Quantile(took, 0.99).Seconds(), " s")
	return nil
}

// Kick kicks people who are connected to the one process at the other one, and returns how long after the request was
// sent each connection was closed.
func (s *System) Kick(ctx context.Context, prefix string, count int) (took []time.Duration, err error) {
	people, err := s.People(ctx, prefix, count+1)
	if err != nil {
		return nil, err
	}
	room, err := s.OpenRoom(ctx, string(playback.WaitNobody), people...)
	if err != nil {
		return nil, err
	}
	host, guests := people[0], people[1:]
	var clients []*client.Client
	for _, p := range guests {
		c, err := client.Connect(ctx, client.Options{API: s.Nodes[1].API(), RoomID: room, Token: p.Token})
		if err != nil {
			return nil, err
		}
		defer c.Close()
		go drain(c)
		clients = append(clients, c)
	}
	for i, c := range clients {
		asked := time.Now()
		err := s.Nodes[0].Call(ctx, http.MethodDelete, "/rooms/"+room+"/participants/"+guests[i].Name, host)
		if err != nil {
			return nil, err
		}
		select {
		case <-c.Ended():
			took = append(took, time.Since(asked))
		case <-time.After(arriveTime):
			return nil, fmt.Errorf("%s is still there", guests[i].Name)
		}
		if code, reason, _ := c.Code(); code != wire.CodeNotParticipant {
			return nil, fmt.Errorf("closed with %d %s", code, reason)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func drain(c *client.Client) {
	for range c.Messages() { //nolint:revive // nobody listens
	}
}

// waitInSilence has rooms wait for people who never answer.
func (m *Measurement) waitInSilence(ctx context.Context) error {
	var (
		waiting errgroup.Group
		mu      sync.Mutex
		over    []float64
	)
	for _, kind := range []playback.Wait{playback.WaitLoad, playback.WaitSeek, playback.WaitRebuffer} {
		for i := range silentRooms {
			waiting.Go(func() error {
				late, err := m.system.WaitInSilence(ctx, fmt.Sprintf("silent%s%dx", kind, i), kind)
				mu.Lock()
				defer mu.Unlock()
				over = append(over, late.Seconds())
				return err
			})
		}
	}
	if err := waiting.Wait(); err != nil {
		return err
	}
	m.atMost(fmt.Sprintf("the longest of %d waits for silent players, past its deadline", len(over)), 1,
		Quantile(over, 1), " s")
	return nil
}

// WaitInSilence has a room wait for two people, at two processes, who fall silent, and returns how long after its deadline
// they hear of its end.
func (s *System) WaitInSilence(ctx context.Context, prefix string, kind playback.Wait) (time.Duration, error) {
	people, err := s.People(ctx, prefix, Nodes)
	if err != nil {
		return 0, err
	}
	room, err := s.OpenRoom(ctx, string(playback.WaitEveryone), people...)
	if err != nil {
		return 0, err
	}
	var silent []*Silent
	for i, p := range people {
		c, err := client.Connect(ctx, client.Options{API: s.Nodes[i].API(), RoomID: room, Token: p.Token})
		if err != nil {
			return 0, err
		}
		defer c.Close()
		silent = append(silent, &Silent{Client: c, state: c.Welcome.State})
	}
	first := silent[0]
	load := &wire.Load{Command: first.command(), StreamURL: "https://films.example/film.webm"}
	if err := first.Send(ctx, load); err != nil {
		return 0, err
	}
	if kind != playback.WaitLoad {
		if err := fallSilentLater(ctx, silent, kind); err != nil {
			return 0, err
		}
	}
	var late time.Duration
	for _, c := range silent {
		waiting, _, err := c.await(ctx, func(s wire.State) bool { return s.Wait != nil && s.Wait.Reason == string(kind) })
		if err != nil {
			return 0, err
		}
		_, heard, err := c.await(ctx, func(s wire.State) bool { return s.Revision > waiting.Revision })
		if err != nil {
			return 0, err
		}
		late = max(late, heard.Sub(wire.FromMilliseconds(waiting.Wait.UntilMS)))
	}
	return late, nil
}

// fallSilentLater has people play, and then go to what they do not answer.
func fallSilentLater(ctx context.Context, silent []*Silent, kind playback.Wait) error {
	first := silent[0]
	duration := int64(filmDuration)
	for _, c := range silent {
		s, _, err := c.await(ctx, func(s wire.State) bool { return s.Wait != nil })
		if err != nil {
			return err
		}
		if err := c.Send(ctx, &wire.Ready{Epoch: s.Epoch, Cue: s.Cue, DurationMS: &duration}); err != nil {
			return err
		}
	}
	for _, c := range silent {
		if _, _, err := c.await(ctx, func(s wire.State) bool { return s.State == player.Playing }); err != nil {
			return err
		}
	}
	// Until they have been there long enough to be waited for.
	if err := sleep(ctx, playback.JoinGrace+time.Second); err != nil {
		return err
	}
	if kind == playback.WaitSeek {
		return first.Send(ctx, &wire.Seek{Command: first.command(), PositionMS: 600_000})
	}
	return first.Send(ctx, &wire.Status{
		Epoch: first.state.Epoch, Cue: first.state.Cue, Stalled: true, Watching: true, WaitForMe: true,
	})
}

// Silent is a client that listens, and says what it is told to say.
type Silent struct {
	*client.Client
	state wire.State
}

func (c *Silent) command() wire.Command {
	return wire.Command{ID: newID(), Epoch: c.state.Epoch}
}

// await waits for a state that fits, and returns when it was heard.
func (c *Silent) await(ctx context.Context, fits func(wire.State) bool) (wire.State, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	for !fits(c.state) {
		s, err := await[*wire.State](ctx, c.Client)
		if err != nil {
			return c.state, time.Time{}, err
		}
		if s.Revision > c.state.Revision {
			c.state = *s
		}
	}
	return c.state, time.Now(), nil
}

// killNodes kills a process again and again, with and without a command while its clients are away.
func (m *Measurement) killNodes(ctx context.Context, rooms []*Room) error {
	var (
		took       []time.Duration
		disturbed  standing
		othersWent float64 // how far the others went from their rooms in the rounds without a command
	)
	for round := range nodeKills {
		k, err := m.killNode(ctx, rooms, round%2 == 1)
		if err != nil {
			return err
		}
		took = append(took, k.Back...)
		disturbed.connections += k.Lost
		disturbed.revisions += k.Changed
		othersWent = max(othersWent, k.Apart)
		if round == 1 {
			err = m.plotRoom("node", "A node is killed, and a seek follows; half of the players were connected to it", rooms[0],
				k.At.Add(-plotBefore), time.Now(), k.At, 1500, event{0, "killed, seek"})
			if err != nil {
				return err
			}
		}
	}
	m.atMost("a node killed: its clients back and within 100 ms, p95", 5, Quantile(took, 0.95).Seconds(), " s")
	m.figure("the same, the slowest", Quantile(took, 1).Seconds(), " s")
	m.atMost("the others: connections lost", 0, float64(disturbed.connections), "")
	m.atMost("the others: changes that nobody commanded", 0, float64(disturbed.revisions), "")
	m.atMost("the others: the furthest from the room, without a command", near, othersWent, " ms")
	return nil
}

// Killed is what was noticed of a process that was killed.
type Killed struct {
	At      time.Time
	Back    []time.Duration // until each of its clients was back and near
	Lost    int             // connections of the others
	Changed int64           // revisions that nobody commanded
	Apart   float64         // how far the others went from the room, in milliseconds, without a command
}

// killNode kills a process, and starts it again when its clients are elsewhere.
func (m *Measurement) killNode(ctx context.Context, rooms []*Room, seek bool) (k Killed, err error) {
	node := m.system.Nodes[unlucky]
	if err := sleep(ctx, 3*time.Second); err != nil {
		return k, err
	}
	before := stateOf(rooms)
	m.say("a node is killed")
	k.At = time.Now()
	node.Kill()
	var mu sync.Mutex
	given := 0
	err = each(ctx, rooms, func(ctx context.Context, r *Room) error {
		one, commands, err := r.lookAfter(ctx, k.At, seek)
		mu.Lock()
		defer mu.Unlock()
		given += commands
		k.Back = append(k.Back, one.Back...)
		k.Lost += one.Lost
		k.Apart = max(k.Apart, one.Apart)
		return err
	})
	if err != nil {
		return k, err
	}
	k.Changed = stateOf(rooms).revisions - before.revisions - int64(given)
	if err := node.Start(ctx); err != nil {
		return k, err
	}
	for _, r := range rooms {
		for i, v := range r.Viewers {
			if i%Nodes == unlucky {
				v.Path.Reset()
			}
		}
	}
	if err := sleep(ctx, time.Second); err != nil {
		return k, err
	}
	for _, r := range rooms {
		if err := Until(ctx, gatherTime, "all are back", r.connected); err != nil {
			return k, err
		}
	}
	return k, nil
}

// lookAfter looks at a room after a process was killed.
func (r *Room) lookAfter(ctx context.Context, killed time.Time, seek bool) (k Killed, commands int, err error) {
	var gone, others []*Viewer
	opened := map[*Viewer]int{}
	for i, v := range r.Viewers {
		opened[v], _ = v.Opened()
		if i%Nodes == unlucky {
			gone = append(gone, v)
		} else {
			others = append(others, v)
		}
	}
	o := Ordered{Given: killed}
	if seek {
		by := others[r.random.IntN(len(others))]
		m := &wire.Seek{Command: by.NewCommand(), PositionMS: 60_000 + r.random.Int64N(filmDuration/2)}
		if o, err = r.give(ctx, by, m, "seek"); err != nil {
			return k, 0, err
		}
		commands, o.Given = 1, killed
	} else {
		row, err := r.system.Store.Playback(ctx, r.ID)
		if err != nil {
			return k, 0, err
		}
		o.State = row.State
	}
	back := map[*Viewer]time.Duration{}
	var looking errgroup.Group
	looking.Go(func() error {
		return Until(ctx, backTime, "the clients are back", func() bool {
			for _, v := range gone {
				n, open := v.Opened()
				if _, ok := back[v]; !ok && open && n > opened[v] && v.State().Revision >= o.State.Revision {
					back[v] = time.Since(killed)
				}
			}
			return len(back) == len(gone)
		})
	})
	settled, err := o.Settled(ctx, backTime, r.Viewers)
	if err := errors.Join(err, looking.Wait()); err != nil {
		return k, commands, err
	}
	for _, v := range gone {
		k.Back = append(k.Back, max(back[v], settled[v]))
	}
	for _, v := range others {
		n, _ := v.Opened()
		k.Lost += n - opened[v]
	}
	if !seek {
		k.Apart = r.furthest(killed, others)
	}
	return k, commands, nil
}

// furthest is how far viewers went from the room since an instant.
func (r *Room) furthest(since time.Time, viewers []*Viewer) (most float64) {
	for _, s := range r.Samples(since) {
		for _, v := range viewers {
			most = max(most, math.Abs(s.Errors[v]))
		}
	}
	return most
}
