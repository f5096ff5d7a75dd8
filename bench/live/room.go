package live

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/player"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

// Room is a room with its viewers, and what was seen of them.
type Room struct {
	ID      string
	Viewers []*Viewer
	Quality badnet.Quality

	system *System
	random *rand.Rand // used by one goroutine

	mu      sync.Mutex
	guests  []*Viewer
	samples []Sample
	sought  time.Time // when the last command was given
	stop    context.CancelFunc
	done    chan struct{}
	err     error
}

// Sample is what was seen at an instant.
type Sample struct {
	At       time.Time
	Status   playback.Status
	Revision int64
	Calm     time.Duration       // since the last command
	Errors   map[*Viewer]float64 // by how many milliseconds players are ahead of the room; negative if they are behind
	Clocks   map[*Viewer]float64 // by how many milliseconds they are wrong about the time
}

const (
	sampleGap = 100 * time.Millisecond
	// near is how close a player is to its room when it is together with it, in milliseconds.
	near = 100.0
	// gatherTime bounds how long viewers may take until they watch.
	gatherTime = time.Minute
)

// Gather opens a room and starts a movie in it. Each person watches over a network path of their own, and people are
// assigned to the two processes in turn. It returns when all players are near the room.
func (s *System) Gather(
	ctx context.Context, policy string, q badnet.Quality, people []Person, manner func(*rand.Rand) Manner,
) (*Room, error) {
	id, err := s.OpenRoom(ctx, policy, people...)
	if err != nil {
		return nil, err
	}
	r := &Room{ID: id, Quality: q, system: s, random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	for i, p := range people {
		v, err := r.watch(p, i%Nodes, q, manner(r.random))
		if err != nil {
			return nil, err
		}
		r.Viewers = append(r.Viewers, v)
	}
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.stop, r.done = cancel, make(chan struct{})
	go r.record(watching)
	host := r.Viewers[0]
	if err := Until(ctx, gatherTime, "the viewers connect", r.connected); err != nil {
		return nil, err
	}
	load := &wire.Load{
		Command:   host.NewCommand(),
		StreamURL: new("https://movies.example/movie.webm"),
		Title:     new("Movie"),
	}
	if _, err := host.Do(ctx, load); err != nil {
		return nil, err
	}
	return r, Until(ctx, gatherTime, "the viewers are together", r.together)
}

// watch has a person watch at a node, or at another one while that is away.
func (r *Room) watch(p Person, node int, q badnet.Quality, m Manner) (*Viewer, error) {
	var targets []string
	for i := range Nodes {
		targets = append(targets, r.system.Nodes[(node+i)%Nodes].Addr)
	}
	path, err := badnet.NewPath(q, targets...)
	if err != nil {
		return nil, err
	}
	return Watch(r.ID, p, path, m), nil
}

// Close has everybody leave.
func (r *Room) Close() error {
	r.stop()
	<-r.done
	for _, v := range r.Viewers {
		v.Leave()
		v.Path.Close()
	}
	return r.err
}

// Until waits until something holds.
func Until(ctx context.Context, most time.Duration, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("until %s: %w", what, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (r *Room) connected() bool {
	for _, v := range r.Viewers {
		if _, open := v.Opened(); !open {
			return false
		}
	}
	return true
}

// together reports whether playback moves, all are near, and the duration is known.
func (r *Room) together() bool {
	s, ok := r.last()
	if !ok || s.Status != playback.Playing {
		return false
	}
	for _, v := range r.Viewers {
		if e, ok := s.Errors[v]; !ok || math.Abs(e) > near {
			return false
		}
		if v.State().DurationMS == nil { // when it is learnt, the state changes once more
			return false
		}
	}
	return true
}

func (r *Room) last() (Sample, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples) == 0 {
		return Sample{}, false
	}
	return r.samples[len(r.samples)-1], true
}

// record looks ten times a second, until ctx ends.
func (r *Room) record(ctx context.Context) {
	defer close(r.done)
	ticker := time.NewTicker(sampleGap)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		row, err := r.system.Store.Playback(ctx, r.ID)
		if err != nil {
			if ctx.Err() == nil {
				r.err = err
			}
			return
		}
		r.note(row.State)
	}
}

func (r *Room) note(state playback.State) {
	r.mu.Lock()
	viewers := append(append([]*Viewer(nil), r.Viewers...), r.guests...)
	calm := time.Since(r.sought)
	r.mu.Unlock()
	s := Sample{
		At: time.Now(), Status: state.Status, Revision: state.Revision, Calm: calm,
		Errors: map[*Viewer]float64{}, Clocks: map[*Viewer]float64{},
	}
	for _, v := range viewers {
		if e, ok := v.ClockError(); ok {
			s.Clocks[v] = e
		}
		if _, ok := v.CanPlaySince(); ok {
			s.Errors[v] = errorOf(v, state)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

// errorOf is by how many milliseconds a player is ahead of the room now.
func errorOf(v *Viewer, state playback.State) float64 {
	a := player.Anchor{
		State: string(state.Status), Position: float64(state.PositionMS), At: milliseconds(state.At), Rate: state.Rate,
		Duration: float64(state.Item.DurationMS),
	}
	// The clock is read on both sides of the position, for the process may be held up in between.
	before := time.Now()
	position := v.Position()
	after := time.Now()
	middle := milliseconds(before.Add(after.Sub(before) / 2))
	return position - a.PositionAt(middle)
}

// Samples are those from an instant on.
func (r *Room) Samples(from time.Time) (some []Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.samples {
		if s.At.After(from) {
			some = append(some, s)
		}
	}
	return some
}

// anybody is one of the viewers.
func (r *Room) anybody() *Viewer { return r.Viewers[r.random.IntN(len(r.Viewers))] }

// Order gives a command by one of the viewers.
func (r *Room) Order(ctx context.Context, kind string) (Ordered, error) {
	by := r.anybody()
	c := by.NewCommand()
	var m wire.ClientMessage
	switch kind {
	case "play":
		m = &wire.Play{Command: c}
	case "pause":
		position := int64(by.Position())
		m = &wire.Pause{Command: c, PositionMS: &position}
	case "seek":
		m = &wire.Seek{Command: c, PositionMS: 60_000 + r.random.Int64N(movieDuration-1_200_000)}
	case "faster":
		m = &wire.Rate{Command: c, Rate: 1.25}
	case "slower":
		m = &wire.Rate{Command: c, Rate: 1}
	default:
		return Ordered{}, fmt.Errorf("there is no command %q", kind)
	}
	return r.give(ctx, by, m, kind)
}

// Ordered is a command that was given.
type Ordered struct {
	Kind     string
	Given    time.Time
	Revision int64
	State    playback.State // the row after it
}

func (r *Room) give(ctx context.Context, by *Viewer, m wire.ClientMessage, kind string) (Ordered, error) {
	o := Ordered{Kind: kind, Given: time.Now()}
	r.mu.Lock()
	r.sought = o.Given
	r.mu.Unlock()
	var err error
	if o.Revision, err = by.Do(ctx, m); err != nil {
		return o, fmt.Errorf("%s: %w", kind, err)
	}
	row, err := r.system.Store.Playback(ctx, r.ID)
	o.State = row.State
	return o, err
}

// settleTime is how long players are looked at after a command.
const settleTime = 5 * time.Second

// Settled observes viewers for a time after a command. It returns how long after the command each of them came near
// the new state and stayed there. No other command may be given meanwhile.
func (o Ordered) Settled(
	ctx context.Context,
	most time.Duration,
	viewers []*Viewer,
) (map[*Viewer]time.Duration, error) {
	took := map[*Viewer]time.Duration{}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for time.Since(o.Given) < most {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
		for _, v := range viewers {
			if math.Abs(errorOf(v, o.State)) > near {
				took[v] = time.Since(o.Given)
			} else if _, ok := took[v]; !ok {
				took[v] = 0
			}
		}
	}
	return took, nil
}

// late has a newcomer join. It returns the time from when their player can play until it stays near the room.
func (r *Room) late(ctx context.Context, p Person, q badnet.Quality, m Manner) (took time.Duration, err error) {
	if err := r.system.Join(ctx, r.ID, p); err != nil {
		return 0, err
	}
	v, err := r.watch(p, r.random.IntN(Nodes), q, m)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	r.guests = append(r.guests, v)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.guests = nil
		r.mu.Unlock()
		v.Leave()
		v.Path.Close()
	}()
	var since time.Time
	err = Until(ctx, gatherTime, "a newcomer can play", func() (ok bool) {
		since, ok = v.CanPlaySince()
		return ok
	})
	if err != nil {
		return 0, err
	}
	row, err := r.system.Store.Playback(ctx, r.ID)
	if err != nil {
		return 0, err
	}
	settled, err := Ordered{Given: since, State: row.State}.Settled(ctx, settleTime, []*Viewer{v})
	return settled[v], err
}

// each runs something for all rooms at once.
func each(ctx context.Context, rooms []*Room, f func(context.Context, *Room) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range rooms {
		group.Go(func() error { return f(ctx, r) })
	}
	return group.Wait()
}
