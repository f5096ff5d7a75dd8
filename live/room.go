package live

import (
	"context"
	"sync"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

// room is a room that people of this process are connected to. It is removed when the last of them has left.
type room struct {
	hub *Hub
	id  string

	loading chan struct{} // has one place, for the goroutine that loads the room

	mu       sync.Mutex
	conns    map[*conn]struct{}
	loaded   bool
	state    playback.Snapshot
	frame    []byte // the state, encoded
	versions store.LiveVersion
	settings store.LiveRoom
	members  map[string]wire.Member // by user
	order    []string               // the users, as they joined
	digest   wire.Members
	mark     mark
	stale    bool      // the members, or the people for whom the room waits, may have changed
	lapses   time.Time // when the next mute of a member ends by itself; zero for never
	// reports wait to be stored; reporting says that a goroutine is storing them.
	reports   []store.MemberReport
	reporting bool
	timer     *time.Timer
	moved     bool // the state is already by Postgres' new clock, whose jump this process has not seen yet
}

// mark is the place in the chat up to which messages were sent.
type mark struct {
	message   string
	change    time.Time
	changeID  string
	connected int
}

// enter adds a connection to its room, which is made if there is none. It returns a closeError if the room, or the
// person, has too many connections.
func (h *Hub) enter(c *conn, roomID string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining || h.closed {
		return closeError(wire.CodeGoingAway)
	}
	r := h.rooms[roomID]
	if r == nil {
		r = &room{hub: h, id: roomID, loading: make(chan struct{}, 1), conns: map[*conn]struct{}{}}
		h.rooms[roomID] = r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	own := 0
	for other := range r.conns {
		if other.user.UserID == c.user.UserID && other.id != c.resumed {
			own++
		}
	}
	capacity := r.settings.Capacity
	if !r.loaded {
		capacity = watchparty.MaxCapacity
	}
	if own >= wire.MaxConnectionsEach || len(r.conns) >= connectionsPerPlace*capacity {
		return closeError(wire.CodeRateLimited)
	}
	c.room = r
	r.conns[c] = struct{}{}
	return nil
}

// connectionsPerPlace is the number of connections that a room accepts on one process, for each person of its capacity.
const connectionsPerPlace = 2

// leave removes a connection from its room, once.
func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	r := c.room
	if r == nil || c.left() {
		h.mu.Unlock()
		return
	}
	r.mu.Lock()
	delete(r.conns, c)
	if len(r.conns) == 0 && h.rooms[r.id] == r {
		delete(h.rooms, r.id)
		r.stop()
	}
	r.stale = true
	r.mu.Unlock()
	h.mu.Unlock()
	h.disconnected(c)
}

// left reports whether the connection had left before, and marks it as left.
func (c *conn) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.gone
	c.gone = true
	return before
}

// stop ends the room's timer. The caller holds the lock.
func (r *room) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// connections returns the connections of the room.
func (r *room) connections() []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*conn, 0, len(r.conns))
	for c := range r.conns {
		all = append(all, c)
	}
	return all
}

// load reads the room, unless it was read before. All connections that enter at the same time wait for one reading.
func (r *room) load(ctx context.Context) error {
	select {
	case r.loading <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.loading }()
	r.mu.Lock()
	loaded := r.loaded
	r.mu.Unlock()
	if loaded {
		return nil
	}
	h, ids := r.hub, []string{r.id}
	// Versions and marks first: what changes meanwhile is read again.
	versions, err := h.store.LiveVersions(ctx, ids)
	if err != nil {
		return err
	}
	marks, err := h.store.LiveMarks(ctx, ids)
	if err != nil {
		return err
	}
	settings, err := h.store.LiveRooms(ctx, ids)
	if err != nil {
		return err
	}
	members, err := h.store.LiveMembers(ctx, ids)
	if err != nil {
		return err
	}
	state, err := h.store.Playback(ctx, r.id)
	if err != nil {
		return err
	}
	if len(versions) == 0 || len(settings) == 0 || len(marks) == 0 {
		return watchparty.ErrNotFound
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded = true
	r.versions, r.settings = versions[0], settings[0]
	r.mark = markOf(marks[0])
	r.setMembers(members)
	r.digest = r.hub.digestOf(members, state)
	r.setState(state)
	return nil
}

// setState stores a state that is newer than the room's, and sends it. The caller holds the lock.
func (r *room) setState(s playback.Snapshot) {
	r.state = s
	r.frame = r.hub.encode(r.hub.stateMessage(s, r.hub.clock.Now()))
	for c := range r.conns {
		c.sendState(r.frame)
	}
	r.schedule()
}

// apply stores and sends a state, unless the room has a newer one.
func (r *room) apply(s playback.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.loaded || r.hub.degraded.Load() {
		return
	}
	if s.QueueVersion > r.versions.QueueVersion || s.QueueVersion == r.versions.QueueVersion &&
		(s.QueueMovies != r.versions.QueueMovies || s.SkipVotes != r.state.SkipVotes && s.Revision >= r.state.Revision) {
		r.versions.QueueVersion, r.versions.QueueMovies = s.QueueVersion, s.QueueMovies
		r.broadcast(&wire.Queue{Version: s.QueueVersion, SkipVotes: s.SkipVotes})
	}
	if s.Source.MovieID == r.state.Source.MovieID && s.Source.MovieVersion < r.state.Source.MovieVersion {
		if s.Revision > r.state.Revision { // it was read before the movie was changed
			r.hub.changes.add(queueTag(r.id))
		}
		return
	}
	if s.Revision < r.state.Revision ||
		s.Revision == r.state.Revision && s.Source.MovieVersion <= r.state.Source.MovieVersion {
		return
	}
	r.versions.Revision = s.Revision
	// While the room waits, and once after the wait, the list of people for whom it waits changes. Other states change no
	// digest.
	r.stale = r.stale || r.state.Status == playback.Waiting
	r.moved = s.Now.Sub(r.hub.clock.Now()).Abs() > stepLimit
	r.setState(s)
}

// schedule sets the timer for the next change of the state by time. The caller holds the lock.
func (r *room) schedule() {
	r.stop()
	due := r.state.Due()
	if due.IsZero() || len(r.conns) == 0 { // the sweep of all processes does what is due in a room that nobody is in
		return
	}
	revision := r.state.Revision
	r.timer = time.AfterFunc(r.hub.clock.Until(due), func() { r.hub.spawn(func() { r.tick(revision) }) })
}

// tick applies the passage of time to the state. The first process that does it does it for all.
func (r *room) tick(revision int64) {
	ctx, cancel := context.WithTimeout(context.Background(), r.hub.limits.Statement)
	defer cancel()
	answer, done, err := r.hub.store.Tick(ctx, r.id, revision)
	switch {
	case err != nil:
		r.hub.warn(ctx, "ending what is due", err) // the sweeper takes it
	case done:
		r.hub.publish(answer.Snapshot)
		r.apply(answer.Snapshot)
	}
}

// broadcast queues a message for all connections of the room. The caller holds the lock.
func (r *room) broadcast(m wire.ServerMessage) {
	frame := r.hub.encode(m)
	if frame == nil {
		return
	}
	for c := range r.conns {
		c.send(frame)
	}
}

// stateMessage returns a state in the form for clients.
func (h *Hub) stateMessage(s playback.Snapshot, now time.Time) *wire.State {
	m := &wire.State{
		Revision: s.Revision, Epoch: s.Epoch, Cue: s.Cue, State: string(s.Status), PositionMS: s.PositionMS,
		AtMS: wire.Milliseconds(s.At), Rate: s.Rate, Cause: wire.Nullable(s.Cause), NowMS: wire.Milliseconds(now),
	}
	m.By = h.person(s.Actor)
	if s.Status == playback.Idle {
		return m
	}
	m.Item = &s.Item.ID
	m.Media = &wire.Media{
		Title:     s.Source.Title,
		StreamURL: wire.Nullable(s.Source.StreamURL),
		Version:   s.Source.MovieVersion,
		Subtitles: []wire.Subtitles{},
	}
	if s.Source.MovieID != "" {
		m.Media.MovieID = &s.Source.MovieID
	}
	for _, subtitle := range s.Source.Subtitles {
		m.Media.Subtitles = append(m.Media.Subtitles, wire.Subtitles{Language: subtitle.Language, URL: subtitle.URL})
	}
	if s.Item.DurationMS > 0 {
		m.DurationMS = &s.Item.DurationMS
	}
	if !s.StartsAt.IsZero() {
		starts := wire.Milliseconds(s.StartsAt)
		m.StartsAtMS = &starts
	}
	if s.Status == playback.Waiting {
		m.Wait = &wire.Wait{Reason: string(s.WaitFor), UntilMS: wire.Milliseconds(s.WaitUntil), ThenPlay: s.Resume}
	}
	return m
}
