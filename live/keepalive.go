package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty/live/wire"
)

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
		for _, c := range h.signedInConnections() {
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
