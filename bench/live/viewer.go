package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/player"
	"github.com/watchparty/watchparty/live/wire"
)

// Times of a client, as the TypeScript one has them, in milliseconds.
const (
	tickGap       = 250.0
	stallTime     = 2_000.0
	statusGap     = 1_000.0
	statusTime    = 10_000.0
	silence       = 8 * time.Second
	firstRetry    = time.Second
	lastRetry     = 10 * time.Second
	commandTime   = 30 * time.Second
	firstLoad     = 300.0 // the shortest time until a stream can be played; lastLoad is the longest
	lastLoad      = 1_500.0
	movieDuration = 5_400_000
)

// Manner has the properties of a viewer.
type Manner struct {
	Faults   player.Faults
	LoadTime float64       // until a stream can be played, in milliseconds
	Stalls   time.Duration // the mean time between two stalls; 0 for none
}

// RandomManner returns the properties of one of many viewers.
func RandomManner(random *rand.Rand) Manner {
	return Manner{Faults: player.RandomFaults(random), LoadTime: firstLoad + random.Float64()*(lastLoad-firstLoad)}
}

// Viewer is a client that watches a room.
type Viewer struct {
	Person Person
	Path   *badnet.Path

	room   string
	manner Manner
	began  time.Time
	own    player.Oscillator
	random *rand.Rand // used under the lock
	poke   chan struct{}
	ctx    context.Context //nolint:containedctx // of its whole life
	cancel context.CancelFunc
	living sync.WaitGroup

	mu           sync.Mutex
	media        *player.Model
	follower     *player.Follower
	clock        *player.Clock
	state        wire.State
	revision     int64  // of the latest state; -1 for none
	item         string // that is loaded
	canPlay      float64
	canPlaySince time.Time
	conn         *client.Client
	resume       string
	opened       int // connections
	changes      []Change
	pending      map[string]chan answer
	readyCue     int64
	starvedSince float64
	nextStall    float64
	reported     wire.Status
	reportedAt   float64
}

// Change is a state that a viewer has received.
type Change struct {
	State wire.State
	At    time.Time
}

type answer struct {
	revision int64
	err      error
}

// Refusal is an error that the service has answered a command with.
type Refusal struct{ Code string }

func (r *Refusal) Error() string { return "refused: " + r.Code }

// Watch makes a person watch a room through a path, until Leave.
func Watch(room string, p Person, path *badnet.Path, m Manner) *Viewer {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	v := &Viewer{
		Person: p, Path: path, room: room, manner: m, began: time.Now(), own: player.RandomOscillator(random), random: random,
		poke: make(chan struct{}, 1), revision: -1, pending: map[string]chan answer{}, readyCue: -1,
		starvedSince: math.NaN(), reportedAt: math.Inf(-1), nextStall: math.Inf(1),
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.media = player.NewModel(v.now(), m.Faults)
	v.follower = player.NewFollower(v.media)
	v.clock = player.NewClock(v.now())
	v.scheduleStall()
	v.living.Go(v.stay)
	v.living.Go(v.play)
	return v
}

// Leave ends the viewer's connection.
func (v *Viewer) Leave() {
	v.cancel()
	v.living.Wait()
}

// now is the viewer's own time, in milliseconds.
func (v *Viewer) now() float64 { return v.own.At(float64(time.Since(v.began)) / 1e6) }

// stay keeps the viewer connected.
func (v *Viewer) stay() {
	for attempt := 0; ; attempt++ {
		c, err := v.connect()
		if err == nil {
			v.welcome(c)
			attempt = 0
			v.listen(c)
			c.Close()
			v.lost()
		}
		most := min(firstRetry<<min(attempt, 10), lastRetry)
		wait := time.Duration(rand.Float64() * float64(most))
		if attempt > 0 {
			wait = most/2 + wait/2
		}
		select {
		case <-v.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (v *Viewer) connect() (*client.Client, error) {
	ctx, cancel := context.WithTimeout(v.ctx, silence)
	defer cancel()
	return client.Connect(ctx, client.Options{
		API: "http://" + v.Path.Addr() + "/api", RoomID: v.room, Token: v.Person.Token, Resume: v.resume,
	})
}

func (v *Viewer) welcome(c *client.Client) {
	v.mu.Lock()
	v.conn, v.resume = c, c.Welcome.Connection
	v.opened++
	v.readyCue, v.reportedAt = -1, math.Inf(-1)
	v.clock.Wake(v.now())
	v.take(c.Welcome.State)
	v.mu.Unlock()
	v.wake()
}

// lost fails the commands that wait for an answer. Their callers decide whether to send them again.
func (v *Viewer) lost() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conn = nil
	for id, asked := range v.pending {
		asked <- answer{err: errDisconnected}
		delete(v.pending, id)
	}
}

var errDisconnected = errors.New("the connection was lost")

// listen handles messages, and measures the clock, until the connection ends.
func (v *Viewer) listen(c *client.Client) {
	var quiet <-chan time.Time
	for {
		v.mu.Lock()
		now := v.now()
		due := v.clock.Due()
		v.mu.Unlock()
		if now >= due {
			v.mu.Lock()
			v.clock.Sent(now)
			v.mu.Unlock()
			if c.Send(v.ctx, &wire.Clock{C0: v.now()}) != nil {
				return
			}
			if quiet == nil {
				quiet = time.After(silence)
			}
			continue
		}
		select {
		case <-v.ctx.Done():
			return
		case <-quiet:
			return
		case <-time.After(time.Duration((due - now) * 1e6)):
		case m, ok := <-c.Messages():
			if !ok {
				return
			}
			quiet = nil
			v.receive(m, v.now())
		}
	}
}

func (v *Viewer) receive(m wire.ServerMessage, now float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch m := m.(type) {
	case *wire.State:
		v.take(*m)
	case *wire.Ack:
		v.settle(m.ID, answer{revision: m.Revision})
	case *wire.Error:
		if m.State != nil {
			v.take(*m.State)
		}
		v.settle(m.ID, answer{err: &Refusal{m.Code}})
	case *wire.ClockReply:
		v.clock.Add(m.C0, m.S1, m.S2, now)
	case *wire.ClockChanged:
		v.clock = player.NewClock(now)
	default:
		return
	}
	v.wake()
}

func (v *Viewer) settle(id string, a answer) {
	if asked, ok := v.pending[id]; ok {
		asked <- a
		delete(v.pending, id)
	}
}

// take takes a state that is newer than the one that it has.
func (v *Viewer) take(s wire.State) {
	if s.Revision <= v.revision {
		return
	}
	v.state, v.revision = s, s.Revision
	v.changes = append(v.changes, Change{s, time.Now()})
	item := ""
	if s.Item != nil {
		item = *s.Item
	}
	if item != v.item {
		v.item = item
		v.media.Advance(v.now())
		v.media.Load(v.manner.LoadTime)
		v.canPlay, v.canPlaySince = v.now()+v.manner.LoadTime, time.Time{}
		v.follower.Retry()
	}
	v.follower.Set(anchorOf(s))
}

func anchorOf(s wire.State) player.Anchor {
	a := player.Anchor{State: s.State, Position: float64(s.PositionMS), At: s.AtMS, Rate: s.Rate}
	if s.DurationMS != nil {
		a.Duration = float64(*s.DurationMS)
	}
	return a
}

func (v *Viewer) wake() {
	select {
	case v.poke <- struct{}{}:
	default:
	}
}

// play runs the player.
func (v *Viewer) play() {
	for {
		wait, reports, conn := v.tick()
		for _, m := range reports {
			if conn.Send(v.ctx, m) != nil {
				break // the reader finds the end, too
			}
		}
		select {
		case <-v.ctx.Done():
			return
		case <-v.poke:
		case <-time.After(wait):
		}
	}
}

func (v *Viewer) tick() (wait time.Duration, reports []wire.ClientMessage, conn *client.Client) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	v.media.Advance(now)
	v.stall(now)
	var following player.Following
	reading, known := v.clock.Read(now)
	gap := tickGap
	if known && v.item != "" && now >= v.canPlay {
		if v.canPlaySince.IsZero() {
			v.canPlaySince = time.Now()
		}
		following, _ = v.follower.Tick(now, now+reading.Offset)
		if following.NextTick > 0 {
			gap = min(gap, following.NextTick)
		}
	} else if v.item != "" && now < v.canPlay {
		gap = min(gap, v.canPlay-now)
	}
	gap = min(gap, v.media.NextEvent()-now, v.nextStall-now)
	if v.conn != nil {
		reports = v.newReports(now, following, reading.Delay)
	}
	return time.Duration(max(gap, 0.1) * 1e6), reports, v.conn
}

const (
	shortestStall = 200.0
	longestStall  = 1_000.0
)

func (v *Viewer) scheduleStall() {
	if v.manner.Stalls > 0 {
		v.nextStall = v.now() + v.random.ExpFloat64()*float64(v.manner.Stalls)/1e6
	}
}

// stall makes the player run out of data now and then.
func (v *Viewer) stall(now float64) {
	if now >= v.nextStall {
		v.media.Starve(shortestStall + v.random.Float64()*(longestStall-shortestStall))
		v.scheduleStall()
	}
}

// newReports returns the messages that report the player to the service.
func (v *Viewer) newReports(now float64, following player.Following, trip float64) (reports []wire.ClientMessage) {
	if v.item == "" {
		return nil
	}
	if following.IsReady && v.state.Cue != v.readyCue {
		v.readyCue = v.state.Cue
		duration := int64(movieDuration)
		reports = append(reports, &wire.Ready{Epoch: v.state.Epoch, Cue: v.state.Cue, DurationMS: &duration})
	}
	if v.state.State != player.Playing || v.media.IsPaused() || v.media.IsReady() {
		v.starvedSince = math.NaN()
	} else if math.IsNaN(v.starvedSince) {
		v.starvedSince = now
	}
	status := wire.Status{
		Epoch: v.state.Epoch, Cue: v.state.Cue, Stalled: now-v.starvedSince > stallTime, Watching: true, WaitForMe: true,
	}
	gap := statusGap
	if status == v.reported {
		gap = statusTime
	}
	if now-v.reportedAt < gap {
		return reports
	}
	v.reported, v.reportedAt = status, now
	if status.Stalled {
		v.readyCue = -1 // the room may wait until it has data again
	}
	status.PositionMS, status.RTTMS = int64(max(v.media.Position(), 0)), min(trip, 60_000)
	return append(reports, &status)
}

// Position returns the true position of the player.
func (v *Viewer) Position() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.media.Advance(v.now())
	return v.media.Position()
}

// ClockError returns the error of the viewer's estimate of the service's time, which is that of this machine; false
// before the first measurement.
func (v *Viewer) ClockError() (float64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	reading, ok := v.clock.Read(now)
	return now + reading.Offset - milliseconds(time.Now()), ok
}

func milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e3 }

// State returns the latest state that the viewer has received.
func (v *Viewer) State() wire.State {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}

// Changes returns the states that the viewer has received, the oldest first.
func (v *Viewer) Changes() []Change {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Change(nil), v.changes...)
}

// Opened returns how many connections the viewer has had, and whether it has one now.
func (v *Viewer) Opened() (connections int, open bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.opened, v.conn != nil
}

// CanPlaySince returns since when the stream can be played; false before that.
func (v *Viewer) CanPlaySince() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.canPlaySince, !v.canPlaySince.IsZero()
}

// NewCommand returns the common fields of a command, for the state that the viewer sees.
func (v *Viewer) NewCommand() wire.Command {
	return wire.Command{ID: newID(), Epoch: v.State().Epoch}
}

func newID() string { return uuid.NewString() }

// Do sends a command, and sends it again on each new connection, until it is answered. It returns a *Refusal, or the
// revision.
func (v *Viewer) Do(ctx context.Context, m wire.ClientMessage) (revision int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	for {
		asked := make(chan answer, 1)
		v.mu.Lock()
		conn := v.conn
		if conn != nil {
			v.pending[wire.IDOf(m)] = asked
		}
		v.mu.Unlock()
		if conn != nil && conn.Send(ctx, m) == nil {
			select {
			case a := <-asked:
				if !errors.Is(a.err, errDisconnected) {
					return a.revision, a.err
				}
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s of %s: no answer: %w", m.Type(), v.Person.Name, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
