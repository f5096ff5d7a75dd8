package live

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

// sendDigests sends, at most once an interval, the members of rooms that have changed and the people for whom they
// wait, until ctx ends.
func (h *Hub) sendDigests(ctx context.Context) {
	ticker := time.NewTicker(h.limits.Digest)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if h.degraded.Load() {
			continue
		}
		if err := h.makeDigests(ctx); err != nil {
			h.warn(ctx, "reading members", err)
		}
	}
}

func (h *Hub) makeDigests(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
	defer cancel()
	var (
		rooms        []*room
		ids, waiting []string
	)
	for _, r := range h.openRooms() {
		if r.takeLapse(h.clock.Now()) {
			h.changes.add(coherence.TagStandings(r.id))
		}
		if stale, waits := r.takeStale(); stale {
			rooms, ids = append(rooms, r), append(ids, r.id)
			if waits {
				waiting = append(waiting, r.id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	members, err := h.store.LiveMembers(ctx, ids)
	var states []playback.Snapshot
	if err == nil {
		states, err = h.store.Playbacks(ctx, waiting)
	}
	if err != nil {
		for _, r := range rooms {
			r.markStale()
		}
		return err
	}
	byRoom := map[string][]store.LiveMember{}
	for _, m := range members {
		byRoom[m.RoomID] = append(byRoom[m.RoomID], m)
	}
	missing := map[string]playback.Snapshot{}
	for _, s := range states {
		missing[s.RoomID] = s
	}
	for _, r := range rooms {
		r.tellMembers(byRoom[r.id], missing[r.id])
	}
	return nil
}

// takeStale reports whether the room's digest has to be computed again, and whether the room is waiting: then the
// people for whom it waits change by themselves.
func (r *room) takeStale() (stale, waits bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waits = r.state.Status == playback.Waiting
	stale = r.loaded && (r.stale || waits)
	r.stale = false
	return stale, waits
}

// takeLapse reports whether a mute has expired since the last call. The poll cannot find that: no row has changed.
func (r *room) takeLapse(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lapses.IsZero() || now.Before(r.lapses) {
		return false
	}
	r.lapses = time.Time{}
	r.stale = true
	return true
}

// tellMembers sends what has changed of the members, and the digest if it is another one.
func (r *room) tellMembers(members []store.LiveMember, state playback.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.members
	r.setMembers(members)
	news := wire.People{Changed: []wire.Member{}, Left: []string{}}
	for _, id := range r.order {
		if m := r.members[id]; before[id] != m {
			news.Changed = append(news.Changed, m)
		}
	}
	for id := range before {
		if _, ok := r.members[id]; !ok {
			news.Left = append(news.Left, id)
		}
	}
	slices.Sort(news.Left)
	if len(news.Changed)+len(news.Left) > 0 {
		r.broadcast(&news)
	}
	for c := range r.conns {
		r.tellSelf(c)
	}
	digest := r.hub.digestOf(members, state)
	if equalDigests(digest, r.digest) {
		return
	}
	r.digest = digest
	if frame := r.hub.encode(&digest); frame != nil {
		for c := range r.conns {
			c.sendDigest(frame)
		}
	}
}

func equalDigests(a, b wire.Members) bool {
	return a.Connected == b.Connected && a.Waiting == b.Waiting && slices.Equal(a.WaitingFor, b.WaitingFor)
}

// setMembers stores the members of the room. The caller holds the lock.
func (r *room) setMembers(rows []store.LiveMember) {
	r.members, r.order = make(map[string]wire.Member, len(rows)), nil
	for _, m := range rows {
		user := r.hub.person(m.User)
		if user == nil { // deleted in this moment
			continue
		}
		r.members[user.ID] = wire.Member{
			User: *user, Role: string(m.Role), Muted: !m.MutedUntil.IsZero(), Connected: m.Connected,
		}
		r.order = append(r.order, user.ID)
		r.noteLapse(m.MutedUntil)
	}
}

// noteLapse notes when a mute ends (zero: never), so that takeLapse reports it. Everybody who saw the mute is told of
// its end, even if the next reading of the members shows no mute any more. The caller holds the lock.
func (r *room) noteLapse(until time.Time) {
	if !until.IsZero() && (r.lapses.IsZero() || until.Before(r.lapses)) {
		r.lapses = until
	}
}

func (h *Hub) digestOf(members []store.LiveMember, state playback.Snapshot) wire.Members {
	digest := wire.Members{WaitingFor: []wire.Person{}, Waiting: len(state.Missing)}
	for _, m := range members {
		if m.Connected {
			digest.Connected++
		}
	}
	for _, p := range state.Missing[:min(len(state.Missing), wire.MaxWaitingFor)] {
		digest.WaitingFor = append(digest.WaitingFor, *h.person(p))
	}
	slices.SortFunc(digest.WaitingFor, func(a, b wire.Person) int { return strings.Compare(a.Username, b.Username) })
	return digest
}
