package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
)

// trackDatabase tells clients when the database has not answered for long, and when it is back. Meanwhile nothing is
// pushed, since this process does not know who may still see it.
func (h *Hub) trackDatabase(ctx context.Context, answers bool) {
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
	for _, c := range h.signedInConnections() {
		c.send(frame)
	}
	h.pollNow() // which finds what was missed
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
