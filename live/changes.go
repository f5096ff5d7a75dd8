package live

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
)

// changes collects what has to be read again: each thing once, however often it has changed.
type changes struct {
	mu     sync.Mutex
	due    due
	signal chan struct{}
}

// due has the IDs of what is to be read.
type due struct {
	rooms    map[string]bool // standings and settings
	accounts map[string]bool
	people   map[string]bool // how others see these people
	messages map[string]bool // of rooms
	queues   map[string]bool // of rooms
	movies   map[string]bool // in any room
}

func newChanges() *changes {
	return &changes{signal: make(chan struct{}, 1), due: nothingDue()}
}

func nothingDue() due {
	return due{
		rooms:    map[string]bool{},
		accounts: map[string]bool{},
		people:   map[string]bool{},
		messages: map[string]bool{},
		queues:   map[string]bool{},
		movies:   map[string]bool{},
	}
}

// tagQueue is the kind of tag for the queue of a room. Only this package has it.
const tagQueue = "queue"

// queueTag is the tag of a room's queue and its votes.
func queueTag(roomID string) string { return tagQueue + ":" + roomID }

// ids returns the IDs of what tags of a kind stand for. It is nil for tags that do not concern connections.
func (d due) ids(kind string) map[string]bool {
	switch kind {
	case "room", "standings":
		return d.rooms
	case "account":
		return d.accounts
	case "person":
		return d.people
	case "messages":
		return d.messages
	case "movie":
		return d.movies
	case tagQueue:
		return d.queues
	}
	return nil
}

// add adds the changes that tags stand for. It ignores tags that do not concern connections.
func (c *changes) add(tags ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tag := range tags {
		kind, id, _ := strings.Cut(tag, ":")
		ids := c.due.ids(kind)
		if ids == nil {
			continue
		}
		ids[id] = true
		wake(c.signal)
	}
}

// drain returns what has changed since the last call.
func (c *changes) drain() due {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.due
	c.due = nothingDue()
	return taken
}

// putBack adds changes again that could not be read, so that they are read later.
func (c *changes) putBack(d due) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.due.rooms, d.rooms)
	maps.Copy(c.due.accounts, d.accounts)
	maps.Copy(c.due.people, d.people)
	maps.Copy(c.due.messages, d.messages)
	maps.Copy(c.due.queues, d.queues)
	maps.Copy(c.due.movies, d.movies)
	wake(c.signal)
}

// wake sends a signal to the reader of a channel for one signal, unless one is waiting already.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// changeRetry is the pause after a failure of the database.
const changeRetry = 500 * time.Millisecond

// followChanges reads what has changed and sends it to clients, until ctx ends.
func (h *Hub) followChanges(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.changes.signal:
		}
		d := h.changes.drain()
		readCtx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
		err := h.readDue(readCtx, d)
		cancel()
		if err == nil {
			continue
		}
		h.warn(ctx, "reading what has changed", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(changeRetry):
			h.changes.putBack(d)
		}
	}
}

// readDue reads what is due and sends it to clients.
func (h *Hub) readDue(ctx context.Context, d due) error {
	if err := h.readStandings(ctx, d.rooms, d.accounts); err != nil {
		return err
	}
	if err := h.broadcastHidden(ctx, d.accounts); err != nil {
		return err
	}
	h.markRoomsStale(d.people)
	if h.degraded.Load() { // the rest is read when the database is back
		return nil
	}
	if err := h.readMessages(ctx, d.messages); err != nil {
		return err
	}
	if err := h.findMovies(ctx, d); err != nil {
		return err
	}
	return h.readPlaybacks(ctx, d.queues)
}

// findMovies adds the rooms that play or have queued one of the movies that are due to the queues that are due.
func (h *Hub) findMovies(ctx context.Context, d due) error {
	if len(d.movies) == 0 {
		return nil
	}
	rooms, err := h.store.RoomsWithMovies(ctx, h.roomIDs(), slices.Collect(maps.Keys(d.movies)))
	if err != nil {
		return err
	}
	for _, id := range rooms {
		d.queues[id] = true
	}
	return nil
}

// broadcastHidden tells all connections which of these accounts have their content hidden. It may be shown in any room.
func (h *Hub) broadcastHidden(ctx context.Context, accounts map[string]bool) error {
	if len(accounts) == 0 {
		return nil
	}
	hidden, err := h.store.HiddenAccounts(ctx, slices.Collect(maps.Keys(accounts)))
	if err != nil {
		return err
	}
	for _, id := range hidden {
		for _, r := range h.openRooms() {
			r.mu.Lock()
			r.broadcast(&wire.Hidden{User: id})
			r.mu.Unlock()
		}
	}
	return nil
}

// markRoomsStale marks the digests of the rooms that these people are in as out of date.
func (h *Hub) markRoomsStale(people map[string]bool) {
	if len(people) == 0 {
		return
	}
	for _, r := range h.openRooms() {
		r.mu.Lock()
		for id := range people {
			if _, ok := r.members[id]; ok {
				r.stale = true
			}
		}
		r.mu.Unlock()
	}
}

// readPlaybacks reads what rooms play, with the versions of their queues.
func (h *Hub) readPlaybacks(ctx context.Context, rooms map[string]bool) error {
	var ids []string
	for id := range rooms {
		if h.roomOf(id) != nil {
			ids = append(ids, id)
		}
	}
	snapshots, err := h.store.Playbacks(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if r := h.roomOf(s.RoomID); r != nil {
			r.apply(s)
		}
	}
	return nil
}

// standingsBatch is how many standings one statement reads.
const standingsBatch = 2000

// readStandings reads the settings of rooms, and the standings of the people in them and of other people. It
// disconnects people who may not be connected any more.
func (h *Hub) readStandings(ctx context.Context, rooms, accounts map[string]bool) error {
	var (
		concerned []*conn
		changed   []*room
		ids       []string
	)
	for id := range rooms {
		if r := h.roomOf(id); r != nil {
			changed, ids = append(changed, r), append(ids, id)
			concerned = append(concerned, r.connections()...)
		}
	}
	if len(accounts) > 0 {
		for _, c := range h.signedInConnections() {
			if accounts[c.user.UserID] && !rooms[c.room.id] {
				concerned = append(concerned, c)
				changed = append(changed, c.room)
			}
		}
	}
	for len(concerned) > 0 {
		batch := concerned[:min(len(concerned), standingsBatch)]
		concerned = concerned[len(batch):]
		keys := make([]store.LiveKey, len(batch))
		for i, c := range batch {
			keys[i] = store.LiveKey{RoomID: c.room.id, UserID: c.user.UserID, SessionID: c.user.SessionID}
		}
		standings, err := h.store.LiveStandings(ctx, keys)
		if err != nil {
			return err
		}
		for i, c := range batch {
			c.applyStanding(ctx, standings[i])
		}
	}
	settings, err := h.store.LiveRooms(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if r := h.roomOf(s.ID); r != nil {
			r.applySettings(s)
		}
	}
	for _, r := range changed {
		r.markStale()
	}
	return nil
}

// applyStanding acts on the current standing of a connection's person in the room.
func (c *conn) applyStanding(ctx context.Context, s store.LiveStanding) {
	if s.Err != nil {
		c.closeFor(ctx, s.Err)
		return
	}
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	c.mu.Lock()
	if !c.out.open { // it is being admitted, and may have read older data
		c.behind = true
		c.mu.Unlock()
		return
	}
	before := c.standing.OwnStanding
	if s.AccessVersion < c.standing.access {
		c.mu.Unlock()
		return
	}
	c.standing = standing{s.Standing, s.AccessVersion, s.AccountVersion}
	c.room.noteLapse(s.Standing.MutedUntil)
	message := c.room.placeMessage(c)
	c.mu.Unlock()
	if before != s.Standing {
		c.sendMessage(&message)
	}
}

// applySettings stores the room's settings, and sends them to clients if they have changed.
func (r *room) applySettings(s store.LiveRoom) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.loaded {
		return
	}
	before := r.settings
	r.settings = s
	if m := roomMessage(s); m != roomMessage(before) {
		r.broadcast(&m)
	}
}

// messagesAtOnce is the number of messages of one room that are sent before those of other rooms: fewer than fit into a
// client's queue.
const messagesAtOnce = wire.MaxQueue / 2

// readMessages reads the messages of rooms that were posted or changed since the last time, and sends them.
func (h *Hub) readMessages(ctx context.Context, rooms map[string]bool) error {
	for id := range rooms {
		r := h.roomOf(id)
		if r == nil {
			continue
		}
		r.mu.Lock()
		from, loaded := r.mark, r.loaded
		r.mu.Unlock()
		if !loaded {
			continue
		}
		posted, err := h.store.NewerMessages(ctx, id, store.Page{After: from.messageKeys(), Limit: messagesAtOnce / 2})
		if err != nil {
			return err
		}
		edited, err := h.store.ChangedMessages(ctx, id, store.Page{After: from.changeKeys(), Limit: messagesAtOnce / 2})
		if err != nil {
			return err
		}
		r.sendMessages(posted, edited)
		if len(posted) == messagesAtOnce/2 || len(edited) == messagesAtOnce/2 {
			h.readOn(r)
		}
	}
	return nil
}

// readOn queues the next messages of a room. While a client is behind, it waits for a moment first. A client that does
// not read its messages delays the others only briefly, since its queue is soon full.
func (h *Hub) readOn(r *room) {
	tag := coherence.TagMessages(r.id)
	if !r.isBehind() {
		h.changes.add(tag)
		return
	}
	time.AfterFunc(behindPause, func() { h.changes.add(tag) })
}

// behindPause is the pause before the next messages of a room with a client that is behind.
const behindPause = 50 * time.Millisecond

// isBehind reports whether the queue of a client is half full.
func (r *room) isBehind() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.mu.Lock()
		waiting := len(c.out.queue)
		c.mu.Unlock()
		if waiting >= wire.MaxQueue/2 {
			return true
		}
	}
	return false
}

// sendMessages sends messages to the room's clients, each encoded once, and moves the marks.
func (r *room) sendMessages(posted, edited []watchparty.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := map[string]watchparty.Message{}
	for _, m := range posted {
		if m.ID <= r.mark.message {
			continue
		}
		r.mark.message = m.ID
		sent[m.ID] = m
		r.broadcast(&wire.MessageEvent{Message: r.hub.chatMessage(m)})
	}
	for _, m := range edited {
		if !after(m, r.mark) {
			continue
		}
		r.mark.change, r.mark.changeID = m.ChangedAt, m.ID
		// posted was read before edited, so a posted message may have been sent without this change.
		if old, ok := sent[m.ID]; !ok || !old.EditedAt.Equal(m.EditedAt) || !old.DeletedAt.Equal(m.DeletedAt) {
			r.broadcast(&wire.MessageEvent{Message: r.hub.chatMessage(m)})
		}
	}
}

// after reports whether a change is later than a mark.
func after(m watchparty.Message, from mark) bool {
	return m.ChangedAt.After(from.change) || m.ChangedAt.Equal(from.change) && m.ID > from.changeID
}

func (m mark) messageKeys() store.Keys {
	if m.message == "" {
		return nil
	}
	return store.Keys{m.message}
}

func (m mark) changeKeys() store.Keys {
	if m.change.IsZero() {
		return nil
	}
	return store.Keys{m.change, m.changeID}
}

func markOf(m store.LiveMark) mark {
	return mark{message: m.LastMessage, change: m.LastChange, changeID: m.ChangeID, connected: m.Connected}
}

func (h *Hub) chatMessage(m watchparty.Message) wire.ChatMessage {
	out := wire.ChatMessage{
		ID: m.ID, RoomID: m.RoomID, Author: h.person(m.Author), Body: m.Body, CreatedAt: m.CreatedAt,
		Deleted: !m.DeletedAt.IsZero(),
	}
	if !m.EditedAt.IsZero() {
		out.EditedAt = &m.EditedAt
	}
	if m.ReplyTo != nil {
		out.ReplyTo = &wire.Quote{
			ID: m.ReplyTo.ID, Author: h.person(m.ReplyTo.Author), Excerpt: m.ReplyTo.Excerpt,
		}
	}
	return out
}

// person returns nil for the zero value.
func (h *Hub) person(p watchparty.Person) *wire.Person {
	if p.ID == "" {
		return nil
	}
	return &wire.Person{
		ID: p.ID, Username: p.Username, DisplayName: p.DisplayName, Avatar: wire.AvatarURLs(p.AvatarURLs(h.files)),
	}
}
