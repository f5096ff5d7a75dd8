package live

import (
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/limit"
)

// TestLimits are the limits of a hub, which tests make tighter before it runs.
type TestLimits struct {
	*limits
	hub *Hub
}

// TestLimits are those of the hub.
func (h *Hub) TestLimits() *TestLimits { return &TestLimits{&h.limits, h} }

// SetCommandPeriod counts the commands of one person, and those of one room, per period instead of per second.
func (l *TestLimits) SetCommandPeriod(period time.Duration) {
	person, room := commandsPerPerson, commandsPerRoom
	person.Period, room.Period = period, period
	l.hub.perPerson, l.hub.perRoom = limit.NewLocal(person), limit.NewLocal(room)
}

// CountConnections are how many connections have signed in, and how many have not.
func (h *Hub) CountConnections() (signedIn, pending int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns) - h.waiting, h.waiting
}

// CountRooms is how many rooms the hub has.
func (h *Hub) CountRooms() int { return len(h.openRooms()) }

// Degraded reports whether the hub misses its database.
func (h *Hub) Degraded() bool { return h.degraded.Load() }

// SendMessages has a room send messages as two reads have found them.
func (h *Hub) SendMessages(roomID string, posted, edited []watchparty.Message) {
	h.roomOf(roomID).sendMessages(posted, edited)
}

// SinceRenewal is how long ago the hub's lease was renewed.
func (h *Hub) SinceRenewal() time.Duration { return h.sinceRenewal() }

// Node is the hub's process in the database.
func (h *Hub) Node() string { return h.node }

// JumpClock has the hub act as after a step of Postgres' clock.
func (h *Hub) JumpClock(step time.Duration) { h.clockJumped(step) }

// Poke has the hub poll now.
func (h *Hub) Poke() { h.pollNow() }
