package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/playback"
)

// clockJumped tells all clients to measure the clock again, and moves playing states along with the clock.
func (h *Hub) clockJumped(step time.Duration) {
	frame := h.encode(&wire.ClockChanged{})
	for _, c := range h.signedInConnections() {
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
		r.hub.PublishState(answer.Snapshot)
	}
}
