package live

import (
	"context"
	"errors"
	"time"

	"github.com/watchparty/watchparty/store"
)

const (
	// sweepBatch is how many overdue rooms one sweep takes.
	sweepBatch = 100
	// lapsedEvery is the number of sweeps between two searches for dead processes.
	lapsedEvery = 15
)

// sweep ends overdue waits and items in rooms that no process watches, and starts parties that are due, until ctx ends.
func (h *Hub) sweep(ctx context.Context) {
	ticker := time.NewTicker(h.limits.Sweep)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := h.sweepOnce(ctx, n%lapsedEvery == 0); err != nil {
			h.warn(ctx, "sweeping", err)
		}
	}
}

// sweepOnce goes on with the next part when one fails: a room that cannot be changed keeps no other one waiting.
func (h *Hub) sweepOnce(ctx context.Context, lapsed bool) error {
	ctx, cancel := context.WithTimeout(store.WithKind(ctx, liveKind), h.limits.Statement)
	defer cancel()
	var failed error
	for _, sweep := range []func(context.Context, int) ([]store.PlaybackAnswer, error){
		h.store.SweepPlaybacks, h.store.SweepParties,
	} {
		changed, err := sweep(ctx, sweepBatch)
		failed = errors.Join(failed, err)
		for _, answer := range changed {
			h.PublishState(answer.Snapshot)
		}
	}
	if lapsed {
		failed = errors.Join(failed, h.store.EndLapsedLeases(ctx))
	}
	return failed
}
