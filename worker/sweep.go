package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

// sweepEvery is the pause between two sweeps: an overdue state ends this much late at most, while a worker runs.
const sweepEvery = time.Minute

// Sweep ends overdue states (store.EndOverdue), and encrypts the secrets of webhooks with the current AUTH_SECRET,
// until ctx ends. It does not need Temporal, so that a state also ends whose workflow is lost.
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
		if changed, err := s.ResealWebhooks(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "the secrets of webhooks cannot be read with AUTH_SECRET or AUTH_FORMER_SECRETS",
				slog.Any("error", err))
		} else if changed > 0 {
			log.InfoContext(ctx, "secrets of webhooks encrypted anew", slog.Int("webhooks", changed))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
