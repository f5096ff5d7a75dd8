package live

import (
	"context"
	"time"

	"github.com/watchparty/watchparty/store"
)

// keepPresence marks connected people as present, and renews this process' lease, until ctx ends.
func (h *Hub) keepPresence(ctx context.Context) {
	lease := time.NewTicker(h.limits.Lease / 3)
	defer lease.Stop()
	attend := time.NewTicker(h.limits.Attend)
	defer attend.Stop()
	for h.registerNode(ctx) != nil { // nobody signs in before
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
			callCtx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
			// The result is not needed: the store announces a change of a room's host by its tags.
			if _, err := h.store.KeepPresent(callCtx, h.node, h.silence); err != nil {
				h.warn(ctx, "counting who is present", err)
			}
			cancel()
		}
	}
}

// sinceRenewal returns how long ago this process' lease was renewed.
func (h *Hub) sinceRenewal() time.Duration { return h.elapsed() - time.Duration(h.renewed.Load()) }

// registerNode registers this process, and reads Postgres' clock, without which the times that it sends would be wrong.
func (h *Hub) registerNode(ctx context.Context) error {
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
	conns := h.signedInConnections()
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
