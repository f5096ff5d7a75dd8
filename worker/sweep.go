package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

// sweepEvery is how late a state ends at most that time ends, while a worker runs.
const sweepEvery = time.Minute

// Sweep ends until ctx ends what time has to end. It needs no Temporal: what is lost with that ends all the same.
func Sweep(ctx context.Context, s *store.Store, log *slog.Logger) {
	log = logging.Sparse(log, slog.LevelWarn)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		ended, err := s.EndOverdue(ctx)
		if len(ended) > 0 {
			log.InfoContext(ctx, "states ended by time", slog.Any("rows", ended))
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "states not ended; trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
