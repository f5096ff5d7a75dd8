package live

import (
	"context"
	"errors"
	"time"

	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

// pollAll finds changes of which no hint has arrived, until ctx ends. It also tells clients whether the database
// answers.
func (h *Hub) pollAll(ctx context.Context) {
	for {
		err := h.poll(ctx)
		if err != nil {
			h.warn(ctx, "polling", err)
		}
		h.judgeDatabase(ctx, err == nil)
		wait := h.limits.PollCalm
		if err != nil || !h.bus.Healthy() {
			wait = h.limits.PollBusy
		}
		// The bus may fail during the pause, so it is checked as often as polls are due without the bus.
		for slept := time.Duration(0); slept < wait; slept += h.limits.PollBusy {
			select {
			case <-ctx.Done():
				return
			case <-h.wake:
				slept = wait
			case <-time.After(min(h.limits.PollBusy, wait)):
				if !h.bus.Healthy() {
					slept = wait
				}
			}
		}
	}
}

// poll compares the versions that this process has of its rooms and people with those in the database.
func (h *Hub) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
	defer cancel()
	h.retryDismissals()
	rooms := h.openRooms()
	ids := make([]string, 0, len(rooms))
	for _, r := range rooms {
		ids = append(ids, r.id)
	}
	if len(ids) == 0 {
		return h.store.Ping(ctx)
	}
	versions, err := h.store.LiveVersions(ctx, ids)
	if err != nil {
		return err
	}
	marks, err := h.store.LiveMarks(ctx, ids)
	if err != nil {
		return err
	}
	states := h.compare(rooms, versions, marks)
	if err := h.compareAccounts(ctx); err != nil {
		return err
	}
	return h.readPlaybacks(ctx, states)
}

// compare queues what differs for reading, and returns the rooms whose states differ.
func (h *Hub) compare(rooms []*room, versions []store.LiveVersion, marks []store.LiveMark) map[string]bool {
	states := map[string]bool{}
	now := make(map[string]store.LiveVersion, len(versions))
	for _, v := range versions {
		now[v.RoomID] = v
	}
	marked := make(map[string]store.LiveMark, len(marks))
	for _, m := range marks {
		marked[m.RoomID] = m
	}
	for _, r := range rooms {
		v, there := now[r.id]
		state, access, messages := r.differs(v, markOf(marked[r.id]))
		if !there || access {
			h.changes.add("standings:" + r.id)
		}
		if there && state {
			states[r.id] = true
		}
		if messages {
			h.changes.add("messages:" + r.id)
		}
	}
	return states
}

// differs compares the room's versions with those in the database, and stores the version of the access.
func (r *room) differs(v store.LiveVersion, m mark) (state, access, messages bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.loaded {
		return false, false, false
	}
	state = v.Revision > r.state.Revision || v.MovieVersion != r.state.Source.MovieVersion ||
		v.QueueVersion != r.versions.QueueVersion || v.QueueMovies != r.versions.QueueMovies
	access = v.AccessVersion != r.versions.AccessVersion
	r.versions.AccessVersion = v.AccessVersion
	messages = m.message > r.mark.message || m.change.After(r.mark.change)
	if m.connected != r.mark.connected {
		r.mark.connected = m.connected
		r.stale = true
	}
	return state, access, messages
}

// compareAccounts queues the standings of people whose accounts have changed for reading.
func (h *Hub) compareAccounts(ctx context.Context) error {
	known := map[string]int64{}
	var ids []string
	for _, c := range h.connections(false) {
		c.mu.Lock()
		version := c.place.account
		c.mu.Unlock()
		before, seen := known[c.user.UserID]
		if !seen {
			ids = append(ids, c.user.UserID)
			before = version
		}
		known[c.user.UserID] = min(before, version)
	}
	versions, err := h.store.AccountVersions(ctx, ids)
	if err != nil {
		return err
	}
	for id, version := range known {
		if versions[id] != version {
			h.changes.add("account:" + id)
		}
	}
	return nil
}

// judgeDatabase tells clients when the database has not answered for long, and when it is back. Meanwhile nothing is
// pushed, since this process does not know who may still see it.
func (h *Hub) judgeDatabase(ctx context.Context, answers bool) {
	now := h.elapsed()
	if answers {
		h.answered.Store(int64(now))
	}
	away := now-time.Duration(h.answered.Load()) > h.limits.Degraded
	if h.degraded.Load() == away {
		return
	}
	if !away && h.readEverything(ctx) != nil {
		return
	}
	h.degraded.Store(away)
	frame := h.encode(&wire.Degraded{Degraded: away})
	for _, c := range h.connections(false) {
		c.send(frame)
	}
	h.poke() // which finds what was missed
}

// readEverything checks who may still be connected, before anything is pushed again.
func (h *Hub) readEverything(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
	defer cancel()
	rooms := map[string]bool{}
	for _, r := range h.openRooms() {
		rooms[r.id] = true
	}
	return h.readStandings(ctx, rooms, nil)
}

// clockJumped tells all clients to measure the clock again, and moves playing states along with the clock.
func (h *Hub) clockJumped(step time.Duration) {
	frame := h.encode(&wire.ClockChanged{})
	for _, c := range h.connections(false) {
		c.send(frame)
	}
	for _, r := range h.openRooms() {
		h.spawn(func() { r.moveClock(step) })
	}
}

// moveClock anchors the room's state in the new time, unless another process has done so.
func (r *room) moveClock(step time.Duration) {
	r.mu.Lock()
	state, moved := r.state, r.moved
	r.moved = false
	r.schedule()
	r.mu.Unlock()
	if moved || state.Status != playback.Playing && state.Status != playback.Waiting && state.StartsAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.hub.limits.Statement)
	defer cancel()
	answer, done, err := r.hub.store.SetClock(ctx, r.id, state.Revision, step)
	if err != nil {
		r.hub.warn(ctx, "moving the clock", err)
	}
	if done {
		r.hub.Applied(answer.Snapshot)
	}
}

// keepAlive pings connections, closes dead ones, and watches their tokens, until ctx ends.
func (h *Hub) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(min(time.Second, h.limits.Ping/4))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		elapsed, now := h.elapsed(), h.clock.Now()
		for _, c := range h.connections(false) {
			switch {
			case elapsed-time.Duration(c.read.Load()) > h.limits.Dead:
				c.finish()
			case elapsed-time.Duration(c.pinged.Load()) > h.limits.Ping:
				c.ping(elapsed)
			}
			c.watchToken(now)
		}
	}
}

// watchToken asks the client for a new token in time, and closes a connection whose token has expired.
func (c *conn) watchToken(now time.Time) {
	c.mu.Lock()
	expires, warned := c.expires, c.warned
	warn := !warned && !now.Before(expires.Add(-c.hub.limits.Warning))
	c.warned = warned || warn
	c.mu.Unlock()
	if warn {
		c.sendMessage(&wire.TokenExpiring{TokenExpiresMS: wire.Milliseconds(expires)})
	}
	if !now.Before(expires.Add(c.hub.limits.Grace)) {
		c.close(wire.CodeUnauthenticated)
	}
}

// keepPresence marks connected people as present, and renews this process' lease, until ctx ends.
func (h *Hub) keepPresence(ctx context.Context) {
	lease := time.NewTicker(h.limits.Lease / 3)
	defer lease.Stop()
	attend := time.NewTicker(h.limits.Attend)
	defer attend.Stop()
	for h.begin(ctx) != nil { // nobody signs in before
		select {
		case <-ctx.Done():
			return
		case <-time.After(changeRetry):
		}
	}
	h.register.Do(func() { close(h.registered) })
	h.renewed.Store(int64(h.elapsed()))
	for {
		select {
		case <-ctx.Done():
			return
		case <-lease.C:
			if err := h.keepNode(ctx); err != nil {
				h.warn(ctx, "renewing the lease", err)
				continue
			}
			if h.sinceRenewal() > 2*h.limits.Lease {
				if err := h.restore(ctx); err != nil {
					h.warn(ctx, "restoring members", err)
					continue
				}
			}
			h.renewed.Store(int64(h.elapsed()))
		case <-attend.C:
			asking, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
			// A change of a room's host is announced like every committed change.
			if _, err := h.store.KeepPresent(asking, h.node, h.silence); err != nil {
				h.warn(ctx, "counting who is present", err)
			}
			cancel()
		}
	}
}

// sinceRenewal returns how long ago this process' lease was renewed.
func (h *Hub) sinceRenewal() time.Duration { return h.elapsed() - time.Duration(h.renewed.Load()) }

// begin registers this process, and reads Postgres' clock, without which the times that it sends would be wrong.
func (h *Hub) begin(ctx context.Context) error {
	if err := h.keepNode(ctx); err != nil {
		return err
	}
	_, err := h.clock.Measure(ctx)
	return err
}

func (h *Hub) keepNode(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.limits.Statement)
	defer cancel()
	return h.store.RenewLease(ctx, h.node)
}

// removeNode removes this process and its connections from the database.
func (h *Hub) removeNode(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, h.limits.Statement)
	defer cancel()
	if err := h.store.EndLease(ctx, h.node); err != nil {
		h.warn(ctx, "ending the lease", err) // it lapses
	}
}

// restore stores all connections again: other processes may have removed them because this process looked dead.
func (h *Hub) restore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.limits.Statement)
	defer cancel()
	conns := h.connections(false)
	all := make([]store.LiveConnection, 0, len(conns))
	for _, c := range conns {
		all = append(all, store.LiveConnection{ConnID: c.id, RoomID: c.room.id, UserID: c.user.UserID})
	}
	if err := h.store.RestoreMembers(ctx, h.node, all); err != nil {
		return err
	}
	for _, c := range conns {
		c.reportAgain()
	}
	return nil
}

const (
	// sweepBatch is how many overdue rooms one sweep takes.
	sweepBatch = 100
	// lapsedEvery is the number of sweeps between two searches for dead processes.
	lapsedEvery = 15
)

// sweep ends overdue waits and items in rooms that no process watches, and starts parties that are due, until ctx ends.
func (h *Hub) sweep(ctx context.Context) {
	ticker := time.NewTicker(h.limits.Sweep)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := h.sweepOnce(ctx, n%lapsedEvery == 0); err != nil {
			h.warn(ctx, "sweeping", err)
		}
	}
}

// sweepOnce goes on with the next part when one fails: a room that cannot be changed keeps no other one waiting.
func (h *Hub) sweepOnce(ctx context.Context, lapsed bool) error {
	ctx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
	defer cancel()
	var failed error
	for _, sweep := range []func(context.Context, int) ([]store.PlaybackAnswer, error){
		h.store.SweepPlaybacks, h.store.SweepParties,
	} {
		changed, err := sweep(ctx, sweepBatch)
		failed = errors.Join(failed, err)
		for _, answer := range changed {
			h.Applied(answer.Snapshot)
		}
	}
	if lapsed {
		failed = errors.Join(failed, h.store.EndLapsedLeases(ctx))
	}
	return failed
}
