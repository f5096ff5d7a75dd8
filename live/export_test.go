package live

// Bounds are the limits of a hub, which tests make tighter.
type Bounds = limits

// Bounds are those of the hub. They are changed before it runs.
func (h *Hub) Bounds() *Bounds { return &h.limits }

// Counts are how many connections have signed in, and how many have not.
func (h *Hub) Counts() (signedIn, pending int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all) - h.waiting, h.waiting
}

// Rooms is how many rooms the hub has.
func (h *Hub) Rooms() int { return len(h.openRooms()) }

// Degraded reports whether the hub misses its database.
func (h *Hub) Degraded() bool { return h.degraded.Load() }

// Node is the hub's process in the database.
func (h *Hub) Node() string { return h.node }

// Poke has the hub poll now.
func (h *Hub) Poke() { h.poke() }
