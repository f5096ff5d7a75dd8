package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
)

// signIn makes a connection a member of its room. The connection is in the room before its standing is read: a change
// that is committed after the reading finds it there.
func (h *Hub) signIn(ctx context.Context, c *conn, roomID string, hello wire.Hello) error {
	ctx, cancel := context.WithTimeout(ctx, h.limits.Statement)
	defer cancel()
	id, expires, err := h.tokens.VerifyUntil(hello.Token, h.clock.Now())
	if err != nil {
		return err
	}
	c.user, c.expires = id, expires
	if hello.Resume != nil {
		c.resumed = *hello.Resume
	}
	if h.connects != nil {
		if result := h.connects(ctx, id.UserID); !result.Allowed {
			return closeError(wire.CodeRateLimited)
		}
	}
	if h.degraded.Load() {
		return closeError(wire.CodeUnavailable)
	}
	if err := h.enter(c, roomID); err != nil {
		return err
	}
	select {
	case <-h.registered:
	case <-ctx.Done():
		return closeError(wire.CodeUnavailable)
	}
	select {
	case h.signIns <- struct{}{}:
		defer func() { <-h.signIns }()
	case <-ctx.Done():
		return closeError(wire.CodeUnavailable)
	}
	// The person is checked first: for a stranger, a room that does not exist and a private one look the same.
	admitted, err := h.store.AddConnection(store.WithKind(ctx, liveKind), h.node, c.id, roomID, id)
	if err != nil {
		return err
	}
	if err := c.room.load(store.WithKind(ctx, liveKind)); err != nil {
		h.disconnected(c)
		return err
	}
	c.closeResumed()
	c.room.apply(admitted.Playback)
	c.welcome(admitted)
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone { // while it was admitted
		h.disconnected(c)
		return nil
	}
	h.signedIn(c)
	c.room.markStale()
	h.publishStale(roomID)
	return nil
}

// liveKind is the kind of the hub's work in the database, except for commands; see store.WithKind.
const liveKind = "live"

// standing is a person's standing in the room, as it was last sent.
type standing struct {
	watchparty.OwnStanding
	access, account int64 // the versions that it was read at
}

// closeResumed closes the connection that this one replaces.
func (c *conn) closeResumed() {
	if c.resumed == "" {
		return
	}
	for _, other := range c.room.connections() {
		if other != c && other.id == c.resumed && other.user.UserID == c.user.UserID {
			other.close(wire.CodeResumed)
		}
	}
}

// welcome opens the connection's output, with the room as it is now.
func (c *conn) welcome(admitted store.Admission) {
	r := c.room
	r.mu.Lock()
	defer r.mu.Unlock()
	now := c.hub.clock.Now()
	people := make([]wire.Member, 0, len(r.order))
	for _, id := range r.order {
		people = append(people, r.members[id])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.standing = standing{admitted.Standing, admitted.AccessVersion, admitted.AccountVersion}
	r.noteLapse(admitted.Standing.MutedUntil)
	if self := c.hub.person(admitted.User); self != nil {
		c.self = *self
	}
	frame := c.hub.encode(&wire.Welcome{
		Connection: c.id, NowMS: wire.Milliseconds(now), TokenExpiresMS: wire.Milliseconds(c.expires),
		Place: r.placeMessage(c), Room: roomMessage(r.settings), State: *c.hub.stateMessage(r.state, now),
		Queue: wire.Queue{Version: r.versions.QueueVersion, SkipVotes: r.state.SkipVotes}, Members: r.digest, People: people,
	})
	if frame == nil || c.closing {
		return
	}
	// What waits already is part of the welcome, or comes after it.
	c.out.state, c.out.digest = nil, nil
	c.out.welcome, c.out.open = frame, true
	c.write()
	if c.behind || c.standing.access < r.versions.AccessVersion {
		c.hub.changes.add(coherence.TagStandings(r.id))
	}
}

// placeMessage is the standing of a connection's person, as its client gets it. The caller holds the locks of the room
// and the connection.
func (r *room) placeMessage(c *conn) wire.Place {
	m := wire.Place{
		User:        c.self,
		Role:        string(c.standing.Role),
		Permissions: []string{},
	}
	for _, p := range c.standing.Permissions() {
		m.Permissions = append(m.Permissions, string(p))
	}
	if !c.standing.MutedUntil.IsZero() {
		until := c.standing.MutedUntil
		m.MutedUntil = &until
	}
	return m
}

// tellSelf sends a connection its person's standing if the person has another name or picture than was sent before. The
// caller holds the lock of the room.
func (r *room) tellSelf(c *conn) {
	m, ok := r.members[c.user.UserID]
	c.mu.Lock()
	if !ok || !c.out.open || c.self == m.User {
		c.mu.Unlock()
		return
	}
	c.self = m.User
	message := r.placeMessage(c)
	c.mu.Unlock()
	c.sendMessage(&message)
}

func roomMessage(s store.LiveRoom) wire.Room {
	m := wire.Room{
		Name: s.Name, Control: s.Control, Queue: s.Queue, QueueOrder: s.QueueOrder, WaitPolicy: s.WaitPolicy,
		SlowModeSeconds: s.SlowMode,
	}
	if !s.PartiesAt.IsZero() {
		m.PartiesMS = wire.NullableMS(s.PartiesAt.UnixMilli())
	}
	return m
}

// renew takes a new token of the same person for a connection.
func (h *Hub) renew(c *conn, token string) error {
	id, expires, err := h.tokens.VerifyUntil(token, h.clock.Now())
	if err != nil {
		return err
	}
	if id.UserID != c.user.UserID || id.SessionID != c.user.SessionID {
		return watchparty.ErrUnauthenticated
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if expires.After(c.expires) {
		c.expires, c.warned = expires, false
	}
	return nil
}

// expired reports whether the connection's token is not valid any more.
func (c *conn) expired(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !now.Before(c.expires)
}
