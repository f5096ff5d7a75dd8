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

	"github.com/watchparty/watchparty"
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
	backTime    = 12 * time.Second // for which the clients of a dead node are observed
	kicks       = 100
	kicksAway   = 50 // while Redis is down
	silentRooms = 8  // for each kind of wait
	arriveTime  = 10 * time.Second
	unlucky     = 1 // the node that is killed
	plotBefore  = 5 * time.Second
	plotLimit   = 1_500.0         // milliseconds
	restTime    = 3 * time.Second // between two faults
)

// faults measures what people notice when Redis or nodes die.
func (m *Measurement) faults(ctx context.Context) error {
	var rooms []*Room
	for i := range faultRooms {
		people, err := m.system.People(ctx, fmt.Sprintf("faults%dx", i), roomSize)
		if err != nil {
			return err
		}
		r, err := m.system.Gather(ctx, string(watchparty.WaitPolicyAuto), badnet.Fair(), people, RandomManner)
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
	if err := m.loseNetworks(ctx, rooms); err != nil {
		return err
	}
	return m.killNodes(ctx, rooms)
}

const (
	networkAway   = 10 * time.Second
	networkLosers = 4 // of each room
)

// loseNetworks interrupts the network of some viewers for ten seconds.
func (m *Measurement) loseNetworks(ctx context.Context, rooms []*Room) error {
	m.logf("networks are lost")
	var (
		mu   sync.Mutex
		took []time.Duration
	)
	err := each(ctx, rooms, func(ctx context.Context, r *Room) error {
		back, err := r.LoseNetwork(ctx, networkLosers, networkAway)
		mu.Lock()
		defer mu.Unlock()
		took = append(took, back...)
		return err
	})
	if err != nil {
		return err
	}
	m.Figure("a client's network away for 10 s, and a seek: within 100 ms after it is back, the slowest",
		Quantile(took, 1).Seconds(), " s")
	return nil
}

// killRedis stops Redis for a minute, and restarts it empty. Meanwhile people are kicked, and rooms wait.
func (m *Measurement) killRedis(ctx context.Context, rooms []*Room) error {
	m.logf("Redis is killed")
	o, err := m.system.LoseRedis(ctx, rooms, redisAway, func(ctx context.Context) error {
		var doing errgroup.Group
		doing.Go(func() error {
			return m.kickAll(ctx, "away", kicksAway, "kick until the connection is closed, Redis away, p99", 1)
		})
		doing.Go(func() error { return m.waitInSilence(ctx) })
		return doing.Wait()
	})
	if err != nil {
		return err
	}
	m.AtMost("Redis away for 60 s, then empty: connections lost", 0, float64(o.Connections), "")
	m.AtMost("the same: changes of playback that nobody commanded", 0, float64(o.Changes), "")
	m.AtMost(fmt.Sprintf("the same: commands lost, of %d", o.Given), 0, float64(o.Lost), "")
	m.Figure("the same: command until all have heard of it, p95", Quantile(o.Took, 0.95).Seconds(), " s")
	return m.plotRoom("redis", "Redis is killed, and comes back empty; a command each 4 s", rooms[0],
		o.Killed.Add(-plotBefore), time.Now(), o.Killed, plotLimit,
		event{0, "killed"}, event{o.Back.Sub(o.Killed).Seconds(), "back"})
}

// Outage has the effects of an outage of Redis.
type Outage struct {
	Killed, Back time.Time
	Connections  int // that were lost
	Changes      int // revisions that nobody commanded
	Given        int // commands
	Lost         int // commands that were not answered, or not heard of by all
	Took         []time.Duration
}

// backFor is how long rooms are observed after Redis has come back.
const backFor = 12 * time.Second

// LoseRedis stops Redis for a time, and restarts it empty. Meanwhile it sends commands to rooms, and runs a function.
func (s *System) LoseRedis(
	ctx context.Context, rooms []*Room, away time.Duration, meanwhile func(context.Context) error,
) (o Outage, err error) {
	before := stateOf(rooms)
	o.Killed = time.Now()
	if err := s.Stack.Kill(devstack.Redis); err != nil {
		return o, err
	}
	var d deliveries
	command := func(ctx context.Context, until time.Time) error {
		return each(ctx, rooms, func(ctx context.Context, r *Room) error { return r.command(ctx, until, &d) })
	}
	var doing errgroup.Group
	doing.Go(func() error { return meanwhile(ctx) })
	doing.Go(func() error { return command(ctx, o.Killed.Add(away)) })
	if err := doing.Wait(); err != nil {
		return o, err
	}
	o.Took = slices.Clone(d.took)
	if err := s.Stack.Restart(ctx, devstack.Redis); err != nil {
		return o, err
	}
	o.Back = time.Now()
	if err := command(ctx, o.Back.Add(backFor)); err != nil {
		return o, err
	}
	after := stateOf(rooms)
	o.Given, o.Lost = d.given, d.lost
	o.Connections = after.connections - before.connections
	o.Changes = int(after.revisions-before.revisions) - d.given
	return o, nil
}

// standing has counts that an outage should not change.
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
		s.revisions += r.settledRevision()
	}
	return s
}

// settledRevision returns the room's revision as of the next sample.
func (r *Room) settledRevision() int64 {
	now := time.Now()
	var last Sample
	_ = Until(context.Background(), arriveTime, "the next sample", func() (ok bool) {
		last, ok = r.last()
		return ok && last.At.After(now)
	})
	return last.Revision
}

// deliveries has the commands that were sent, and the time until everybody had received the state of each.
type deliveries struct {
	mu    sync.Mutex
	given int
	lost  int
	took  []time.Duration
}

// command sends commands until an instant, and checks that all viewers receive the state of each.
func (r *Room) command(ctx context.Context, until time.Time, d *deliveries) error {
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
		d.given++
		if heard {
			d.took = append(d.took, time.Since(o.Given))
		} else {
			d.lost++
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
	m.AtMost(what, bound, Quantile(took, 0.99).Seconds(), " s")
	return nil
}

// Kick kicks people who are connected to the one process at the other one, and returns how long after the request was
// sent each connection was closed.
func (s *System) Kick(ctx context.Context, prefix string, count int) (took []time.Duration, err error) {
	people, err := s.People(ctx, prefix, count+1)
	if err != nil {
		return nil, err
	}
	room, err := s.OpenRoom(ctx, string(watchparty.WaitPolicyNobody), people...)
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
	m.AtMost(fmt.Sprintf("the longest of %d waits for silent players, past its deadline", len(over)), 1,
		Quantile(over, 1), " s")
	return nil
}

// WaitInSilence makes a room wait for two people at two processes who send nothing, and returns how long after the
// deadline they receive the end of the wait.
func (s *System) WaitInSilence(ctx context.Context, prefix string, kind playback.Wait) (time.Duration, error) {
	people, err := s.People(ctx, prefix, Nodes)
	if err != nil {
		return 0, err
	}
	room, err := s.OpenRoom(ctx, string(watchparty.WaitPolicyEveryone), people...)
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
	load := &wire.Load{Command: first.command(), StreamURL: new("https://movies.example/movie.webm")}
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

// fallSilentLater makes people play, and then starts a wait that they do not answer.
func fallSilentLater(ctx context.Context, silent []*Silent, kind playback.Wait) error {
	first := silent[0]
	duration := int64(movieDuration)
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
	// The room waits only for people who joined some time ago.
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

// Silent is a client that receives messages, and sends only what the test tells it to send.
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
		m.logf("a node is killed")
		if err := sleep(ctx, restTime); err != nil {
			return err
		}
		k, err := m.system.KillNode(ctx, rooms, round%2 == 1)
		if err != nil {
			return err
		}
		took = append(took, k.Back...)
		disturbed.connections += k.Lost
		disturbed.revisions += k.Changed
		othersWent = max(othersWent, k.Apart)
		if round == 1 {
			err = m.plotRoom("node", "A node is killed, and a seek follows; half of the players were connected to it", rooms[0],
				k.At.Add(-plotBefore), time.Now(), k.At, plotLimit, event{0, "killed, seek"})
			if err != nil {
				return err
			}
		}
	}
	m.AtMost("a node killed: its clients back and within 100 ms, p95", 5, Quantile(took, 0.95).Seconds(), " s")
	m.Figure("the same, the slowest", Quantile(took, 1).Seconds(), " s")
	m.AtMost("the others: connections lost", 0, float64(disturbed.connections), "")
	m.AtMost("the others: changes that nobody commanded", 0, float64(disturbed.revisions), "")
	m.AtMost("the others: the furthest from the room, without a command", near, othersWent, " ms")
	return nil
}

// Killed has the effects of a killed process.
type Killed struct {
	At      time.Time
	Back    []time.Duration // until each of its clients was back and near
	Lost    int             // connections of the others
	Changed int64           // revisions that nobody commanded
	Apart   float64         // how far the others went from the room, in milliseconds, without a command
}

// KillNode kills a process, and starts it again when its clients have connected to the other one. With a command, it
// changes the room while the clients are disconnected.
func (s *System) KillNode(ctx context.Context, rooms []*Room, seek bool) (k Killed, err error) {
	node := s.Nodes[unlucky]
	before := stateOf(rooms)
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

// lookAfter observes a room after a process was killed.
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
		m := &wire.Seek{Command: by.NewCommand(), PositionMS: 60_000 + r.random.Int64N(movieDuration/2)}
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

// LoseNetwork interrupts the network of the last viewers for a time, in which the room seeks. It returns how long after
// the interruption each of them is near the room again. Their connections are not closed; their data does not arrive.
func (r *Room) LoseNetwork(ctx context.Context, count int, away time.Duration) (back []time.Duration, err error) {
	staying := len(r.Viewers) - count
	gone := r.Viewers[staying:]
	var releases []func()
	release := func() {
		for _, one := range releases {
			one()
		}
	}
	defer release()
	for _, v := range gone {
		releases = append(releases, v.Path.Hold())
	}
	by := r.Viewers[r.random.IntN(staying)]
	m := &wire.Seek{Command: by.NewCommand(), PositionMS: 60_000 + r.random.Int64N(movieDuration/2)}
	o, err := r.give(ctx, by, m, "seek")
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, away); err != nil {
		return nil, err
	}
	for _, v := range gone {
		if math.Abs(errorOf(v, o.State)) <= near {
			return nil, errors.New("a viewer is where the room is, and has not heard of it")
		}
	}
	o.Given = time.Now()
	release()
	settled, err := o.Settled(ctx, backTime, gone)
	for _, took := range settled {
		back = append(back, took)
	}
	return back, err
}

// furthest returns the largest distance of viewers from the room since an instant.
func (r *Room) furthest(since time.Time, viewers []*Viewer) (most float64) {
	for _, s := range r.Samples(since) {
		for _, v := range viewers {
			most = max(most, math.Abs(s.Errors[v]))
		}
	}
	return most
}
