package live

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/limit"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

var (
	commandsPerPerson = limit.Rule{
		Name: "live-commands-person", Rate: wire.CommandRatePerPerson, Period: time.Second,
		Burst: 2 * wire.CommandRatePerPerson,
	}
	commandsPerRoom = limit.Rule{
		Name: "live-commands-room", Rate: wire.CommandRatePerRoom, Period: time.Second, Burst: 2 * wire.CommandRatePerRoom,
	}
)

// commandQueue has the commands of one connection. They run one after the other, in a goroutine of their own. They also
// run after the connection has ended: a pause counts even if the person closes the page at once.
type commandQueue struct {
	running bool
	queue   []wire.ClientMessage
	held    *wire.Seek // a seek that waits for the next one
	release *time.Timer
	sought  time.Duration // when the last seek was queued
}

// maxQueuedCommands is how many commands of one connection may wait.
const maxQueuedCommands = 16

// Errors of commands.
var (
	errSuperseded = &watchparty.Error{Kind: watchparty.KindConflict, Code: "superseded",
		Message: "Another seek came soon after this one."}
	errUnavailable = &watchparty.Error{Kind: watchparty.KindUnavailable, Code: "unavailable",
		Message: "A part of the service is unavailable. Try again in a moment.", RetryAfter: time.Second}
	errInternal = &watchparty.Error{Kind: watchparty.KindUnavailable, Code: "internal",
		Message: "Something went wrong on our side."}
)

// rateLimited returns the error for a request that exceeds a rate limit.
func rateLimited(r limit.Result) *watchparty.Error {
	return &watchparty.Error{Kind: watchparty.KindLimited, Code: "rate_limited",
		Message: "Too many commands in a short time. Try again later.", RetryAfter: r.RetryAfter}
}

// enqueue takes a command. It runs only the first and the last of several seeks within wire.SeekTime.
func (c *conn) enqueue(ctx context.Context, m wire.ClientMessage) {
	c.mu.Lock()
	superseded, full := "", false
	seek, isSeek := m.(*wire.Seek)
	now := c.hub.elapsed()
	switch {
	case c.closing:
	case isSeek && (c.commands.held != nil || c.commands.sought > 0 && now-c.commands.sought < wire.SeekTime):
		if c.commands.held != nil {
			superseded = c.commands.held.ID
		} else {
			wait := wire.SeekTime - (now - c.commands.sought)
			c.commands.release = time.AfterFunc(wait, func() { c.hub.spawn(func() { c.releaseSeek(ctx) }) })
		}
		c.commands.held = seek
	default:
		if isSeek {
			c.commands.sought = now
		}
		c.flushSeek()
		if full = len(c.commands.queue) >= maxQueuedCommands; !full {
			c.commands.queue = append(c.commands.queue, m)
			c.run(ctx)
		}
	}
	c.mu.Unlock()
	if superseded != "" {
		c.hub.metrics.count(m.Type(), "superseded")
		c.sendError(superseded, errSuperseded)
	}
	if full {
		c.hub.metrics.count(m.Type(), "rate_limited")
		c.sendError(wire.IDOf(m), rateLimited(limit.Result{RetryAfter: time.Second}))
	}
}

// flushSeek queues the seek that is held: what comes after it must not overtake it. The caller holds the lock.
func (c *conn) flushSeek() {
	if c.commands.held == nil {
		return
	}
	c.commands.release.Stop()
	c.commands.queue = append(c.commands.queue, c.commands.held)
	c.commands.held, c.commands.release, c.commands.sought = nil, nil, c.hub.elapsed()
}

func (c *conn) releaseSeek(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushSeek()
	c.run(ctx)
}

// run starts a goroutine for the queued commands, unless one is running. The caller holds the lock.
func (c *conn) run(ctx context.Context) {
	if c.commands.running || len(c.commands.queue) == 0 {
		return
	}
	c.commands.running = true
	c.hub.spawn(func() {
		for m := c.nextCommand(); m != nil; m = c.nextCommand() {
			c.command(ctx, m)
		}
	})
}

func (c *conn) nextCommand() wire.ClientMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.commands.queue) == 0 {
		c.commands.running = false
		return nil
	}
	m := c.commands.queue[0]
	if c.commands.queue = c.commands.queue[1:]; len(c.commands.queue) == 0 {
		c.commands.queue = nil
	}
	return m
}

// command runs one command and answers it.
func (c *conn) command(ctx context.Context, m wire.ClientMessage) {
	id := wire.IDOf(m)
	answer, err := c.apply(ctx, m)
	switch {
	case err == nil:
		c.hub.metrics.count(m.Type(), "applied")
		c.sendMessage(&wire.Ack{ID: id, Revision: answer.Effects.Revision})
		return
	case store.Unavailable(err):
		err = errUnavailable
	}
	var coded *watchparty.Error
	if !errors.As(err, &coded) {
		c.hub.log.ErrorContext(ctx, "live command failed", slog.String("command", m.Type()), slog.Any("error", err))
		coded = errInternal
	}
	c.hub.metrics.count(m.Type(), coded.Code)
	refusal := errorMessage(id, coded)
	if coded.Code == playback.ErrStale.Code && answer.RoomID != "" {
		refusal.State = c.hub.stateMessage(answer.Snapshot, c.hub.clock.Now())
	}
	c.sendMessage(refusal)
	if watchparty.IsKind(err, watchparty.KindUnauthenticated) { // the sign-in has ended
		c.close(wire.CodeUnauthenticated)
	}
}

func (c *conn) apply(ctx context.Context, m wire.ClientMessage) (store.PlaybackAnswer, error) {
	h := c.hub
	if c.expired(h.clock.Now()) {
		return store.PlaybackAnswer{}, errTokenExpired
	}
	if h.degraded.Load() {
		return store.PlaybackAnswer{}, errUnavailable
	}
	if result := h.perPerson.Allow(c.user.UserID + " " + c.room.id); !result.Allowed {
		return store.PlaybackAnswer{}, rateLimited(result)
	}
	if result := h.perRoom.Allow(c.room.id); !result.Allowed {
		return store.PlaybackAnswer{}, rateLimited(result)
	}
	ctx, cancel := context.WithTimeout(ctx, h.limits.Statement)
	defer cancel()
	select {
	case h.commands <- struct{}{}:
		defer func() { <-h.commands }()
	case <-ctx.Done():
		return store.PlaybackAnswer{}, errUnavailable
	}
	answer, err := h.store.ApplyPlaybackCommand(ctx, c.room.id, c.user, commandOf(m))
	if answer.RoomID != "" {
		h.PublishState(answer.Snapshot)
	}
	return answer, err
}

// errTokenExpired refuses one command. It is KindForbidden, so that the connection stays open until limits.Grace has
// passed.
var errTokenExpired = &watchparty.Error{Kind: watchparty.KindForbidden, Code: "unauthenticated",
	Message: "The access token has expired. Send a new one."}

// commandOf converts a message to the command of package playback.
func commandOf(m wire.ClientMessage) playback.Command {
	var (
		c      playback.Command
		common wire.Command
	)
	switch m := m.(type) {
	case *wire.Play:
		c.Kind, common = playback.Play, m.Command
	case *wire.Pause:
		c.Kind, common, c.PositionMS = playback.Pause, m.Command, m.PositionMS
	case *wire.Seek:
		c.Kind, common, c.PositionMS = playback.Seek, m.Command, &m.PositionMS
	case *wire.Rate:
		c.Kind, common, c.Rate = playback.Rate, m.Command, m.Rate
	case *wire.Load:
		c.Kind, common, c.PositionMS, c.Source = playback.Load, m.Command, m.PositionMS, m.Source()
	case *wire.Skip:
		c.Kind, common = playback.Skip, m.Command
	case *wire.Stop:
		c.Kind, common = playback.Stop, m.Command
	}
	c.ID, c.Epoch, c.Seen, c.IfRevision = common.ID, common.Epoch, common.Revision, common.IfRevision
	return c
}

// PublishState tells people of a state that was committed: those who are connected to this process at once, the others
// by a hint.
func (h *Hub) PublishState(s playback.Snapshot) {
	h.publish(s)
	if r := h.roomOf(s.RoomID); r != nil {
		r.apply(s)
	}
}
