package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

// A worker ends overdue states when it starts, with or without Temporal, and stops when it is told to.
func TestSweep(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	_, emailID := p.createUser("ann")
	_, err := p.store.DB().ExecContext(t.Context(), "UPDATE emails SET updated_at = now() - interval '8 d'")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Sweep(ctx, p.store, p.Log)
	}()
	p.wait(t, "states ended by time")
	cancel()
	<-done
	p.requireEmail(emailID, "failed")
}

func TestSweepOutlivesAnOutage(t *testing.T) {
	cfg := config.Database{
		URL:              stacktest.DatabaseURL(t) + "&search_path=nowhere",
		MaxConns:         1,
		StatementTimeout: time.Second,
	}
	s, err := store.Open(cfg, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	log := &signals{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Sweep(ctx, s, slog.New(log))
	}()
	log.wait(t, "states not ended; trying again")
	cancel()
	<-done
}
