package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty/coherence"
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
		h.trackDatabase(ctx, err == nil)
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
		v, ok := now[r.id]
		state, access, messages := r.differs(v, markOf(marked[r.id]))
		if !ok || access {
			h.changes.add(coherence.TagStandings(r.id))
		}
		if ok && state {
			states[r.id] = true
		}
		if messages {
			h.changes.add(coherence.TagMessages(r.id))
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
	for _, c := range h.signedInConnections() {
		c.mu.Lock()
		version := c.standing.account
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
			h.changes.add(coherence.TagAccount(id))
		}
	}
	return nil
}
