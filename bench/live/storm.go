package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/player"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

const (
	stormCommands = 1_000
	stormPeople   = 10 // each with a client at both processes
	// stormPace is how often a client gives a command: as often as the room's limit lets all of them, with what is sent
	// twice.
	stormPace = 1300 * time.Millisecond
	// stormSpread is by how much a frame may be late, so that frames overtake each other.
	stormSpread = 300 * time.Millisecond
	stormTwice  = 0.4 // the share of frames that are sent once more, by either of the person's clients
	stormTries  = 20  // of a command that comes too often
)

// Storm is what became of commands that were sent twice and out of order.
type Storm struct {
	Commands    int // with IDs of their own
	Frames      int
	Applied     int
	Twice       int // IDs that were applied more than once
	Shared      int // revisions that more than one ID was answered with
	Unexplained int // revisions of the room that belong to no command
	Fallen      int // states that a client was told after a newer one
	Differing   int // clients whose last state is not that of the row
	Unanswered  int
	Refused     map[string]int // commands that were never applied, by the code of the last refusal
}

// Faults are how many rules were broken.
func (s Storm) Faults() int {
	return s.Twice + s.Shared + max(s.Unexplained, -s.Unexplained) + s.Fallen + s.Differing + s.Unanswered
}

// stormy is a client of a storm.
type stormy struct {
	*client.Client
	twin *stormy // of the same person, at the other process

	mu     sync.Mutex
	state  wire.State
	fallen int
	log    *stormLog
}

// stormLog is what all clients have been answered.
type stormLog struct {
	mu       sync.Mutex
	frames   int
	acks     map[string][]int64
	refusals map[string]string // the code of the latest one
	waiting  map[string]chan string
}

// Storm has clients at both processes give random commands.
func (s *System) Storm(ctx context.Context, prefix string, commands int) (result Storm, err error) {
	people, err := s.People(ctx, prefix, stormPeople)
	if err != nil {
		return result, err
	}
	room, err := s.OpenRoom(ctx, string(watchparty.WaitPolicyNobody), people...)
	if err != nil {
		return result, err
	}
	log := &stormLog{acks: map[string][]int64{}, refusals: map[string]string{}, waiting: map[string]chan string{}}
	var clients []*stormy
	for _, p := range people {
		var both [Nodes]*stormy
		for i, n := range s.Nodes {
			c, err := client.Connect(ctx, client.Options{API: n.API(), RoomID: room, Token: p.Token})
			if err != nil {
				return result, err
			}
			defer c.Close()
			both[i] = &stormy{Client: c, state: c.Welcome.State, log: log}
		}
		both[0].twin, both[1].twin = both[1], both[0]
		clients = append(clients, both[:]...)
	}
	var listening sync.WaitGroup
	for _, c := range clients {
		listening.Go(c.listen)
	}
	begun, err := s.Store.Playback(ctx, room)
	if err != nil {
		return result, err
	}
	var giving errgroup.Group
	for i, c := range clients {
		giving.Go(func() error { return c.give(ctx, share(commands, len(clients), i)) })
	}
	if err := giving.Wait(); err != nil {
		return result, err
	}
	ended, err := s.settleStorm(ctx, room, clients)
	if err != nil {
		return result, err
	}
	for _, c := range clients {
		c.Close()
	}
	listening.Wait()
	result = log.judge()
	result.Unexplained = int(ended.Revision-begun.Revision) - result.Applied
	for _, c := range clients {
		result.Fallen += c.fallen
		if !sameState(c.state, ended.State) {
			result.Differing++
		}
	}
	return result, nil
}

// share is the i-th of n about equal parts.
func share(total, n, i int) int { return total*(i+1)/n - total*i/n }

// settleStorm waits until nothing comes any more, and returns the row.
func (s *System) settleStorm(ctx context.Context, room string, clients []*stormy) (row playback.Snapshot, err error) {
	if err := sleep(ctx, 2*stormSpread); err != nil { // what was sent twice is under way
		return row, err
	}
	_ = Until(ctx, arriveTime, "all have the row's state", func() bool {
		row, err = s.Store.Playback(ctx, room)
		return err != nil || !slices.ContainsFunc(clients, func(c *stormy) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.state.Revision != row.Revision
		})
	})
	return row, err
}

func sameState(told wire.State, row playback.State) bool {
	item := ""
	if told.Item != nil {
		item = *told.Item
	}
	return told.Revision == row.Revision && told.Epoch == row.Epoch && told.Cue == row.Cue &&
		told.State == string(row.Status) && told.PositionMS == row.PositionMS && told.Rate == row.Rate &&
		told.AtMS == wire.Milliseconds(row.At) && item == row.Item.ID
}

// listen takes what comes until the connection ends.
func (c *stormy) listen() {
	for m := range c.Messages() {
		switch m := m.(type) {
		case *wire.State:
			c.mu.Lock()
			if m.Revision <= c.state.Revision {
				c.fallen++
			} else {
				c.state = *m
			}
			c.mu.Unlock()
		case *wire.Ack:
			c.log.answered(m.ID, "", m.Revision)
		case *wire.Error:
			c.log.answered(m.ID, m.Code, 0)
		}
	}
}

func (l *stormLog) answered(id, code string, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if code == "" {
		l.acks[id] = append(l.acks[id], revision)
	} else {
		l.refusals[id] = code
	}
	select {
	case l.waiting[id] <- code:
	default:
	}
}

// give gives commands, one at a time.
func (c *stormy) give(ctx context.Context, count int) error {
	for range count {
		next := time.Now().Add(stormPace/2 + time.Duration(rand.Float64()*float64(stormPace)))
		if err := c.command(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	return nil
}

// command sends one command, perhaps more than once, until it is answered with anything but that it came too often.
func (c *stormy) command(ctx context.Context) error {
	m := c.random()
	id := wire.IDOf(m)
	answers := make(chan string, 16)
	c.log.mu.Lock()
	c.log.waiting[id] = answers
	c.log.mu.Unlock()
	for range stormTries {
		c.sendLate(ctx, m)
		if rand.Float64() < stormTwice {
			again := c
			if rand.IntN(2) == 0 {
				again = c.twin
			}
			go again.sendLate(ctx, m)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case code := <-answers:
			if code != "rate_limited" {
				return nil
			}
		case <-time.After(arriveTime):
			return nil // unanswered
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// sendLate sends a frame after a time. It does not matter here whether the connection is there: then there is no
// answer.
func (c *stormy) sendLate(ctx context.Context, m wire.ClientMessage) {
	if sleep(ctx, time.Duration(rand.Float64()*float64(stormSpread))) != nil {
		return
	}
	c.log.mu.Lock()
	c.log.frames++
	c.log.mu.Unlock()
	_ = c.Send(ctx, m)
}

// random is a command for the state that the client sees.
func (c *stormy) random() wire.ClientMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.state.Revision
	common := wire.Command{ID: newID(), Epoch: c.state.Epoch, Revision: &seen}
	position := rand.Int64N(movieDuration)
	switch n := rand.IntN(100); {
	case c.state.State == player.Idle, n < 3:
		return &wire.Load{Command: common, StreamURL: new(fmt.Sprintf("https://movies.example/%d.webm", rand.IntN(5)))}
	case n < 4:
		return &wire.Stop{Command: common}
	case n < 30:
		return &wire.Play{Command: common}
	case n < 55:
		return &wire.Pause{Command: common, PositionMS: &position}
	case n < 85:
		return &wire.Seek{Command: common, PositionMS: position}
	default:
		return &wire.Rate{Command: common, Rate: 0.5 + rand.Float64()}
	}
}

// judge counts what was broken.
func (l *stormLog) judge() (s Storm) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Frames, s.Commands, s.Refused = l.frames, len(l.waiting), map[string]int{}
	byRevision := map[int64]string{}
	for id, revisions := range l.acks {
		s.Applied++
		slices.Sort(revisions)
		revisions = slices.Compact(revisions)
		if len(revisions) > 1 {
			s.Twice++
		}
		for _, revision := range revisions {
			if other, ok := byRevision[revision]; ok && other != id {
				s.Shared++
			}
			byRevision[revision] = id
		}
	}
	for id := range l.waiting {
		code, refused := l.refusals[id]
		switch {
		case len(l.acks[id]) > 0:
		case refused:
			s.Refused[code]++
		default:
			s.Unanswered++
		}
	}
	return s
}

// storm measures that each command is applied once, whatever the way that it takes.
func (m *Measurement) storm(ctx context.Context) error {
	s, err := m.system.Storm(ctx, "storm", stormCommands)
	if err != nil {
		return err
	}
	m.logf("%+v", s)
	if s.Applied == 0 {
		return errors.New("no command was applied")
	}
	what := fmt.Sprintf(
		"%d commands of %d clients in %d frames, %d applied: ", s.Commands, Nodes*stormPeople, s.Frames, s.Applied,
	)
	for _, rule := range []struct {
		what  string
		times int
	}{
		{"IDs applied twice", s.Twice}, {"revisions without a command, or with two", s.Unexplained + s.Shared},
		{"states that came after newer ones", s.Fallen}, {"clients that end in another state than the row", s.Differing},
		{"IDs without an answer", s.Unanswered},
	} {
		m.AtMost(what+rule.what, 0, float64(rule.times), "")
		what = "the same: "
	}
	return nil
}
