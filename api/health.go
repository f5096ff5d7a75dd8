package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/watchparty/watchparty"
)

const (
	connected     = "connected"
	healthTimeout = 2 * time.Second
)

var errNotReady = &watchparty.Error{Kind: watchparty.KindUnavailable, Code: "not_ready", Message: "This process takes no requests now."}

// GetHealth asks every part how it is. Only the database is needed to serve; without another part the service is
// degraded. What exactly failed is in the log, not in the answer.
func (s *Server) GetHealth(ctx context.Context, _ GetHealthRequestObject) (GetHealthResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	var h Health
	var wg sync.WaitGroup
	wg.Go(func() { h.Database = partState(s.store.Ping(ctx)) })
	wg.Go(func() { h.Redis = partState(s.cache.Ping(ctx)) })
	wg.Go(func() { h.Temporal = partState(s.checkTemporal(ctx)) })
	wg.Wait()
	switch {
	case h.Database != connected:
		h.Status = Down
		return GetHealth503JSONResponse(h), nil
	case h.Redis != connected || h.Temporal != connected:
		h.Status = Degraded
	default:
		h.Status = Ok
	}
	return GetHealth200JSONResponse(h), nil
}

// Missing is the error of a part that answers and lacks what the service needs. Clients see What.
type Missing struct {
	What string
	Err  error
}

func (m Missing) Error() string { return m.What + " is missing: " + m.Err.Error() }

// Unwrap returns the cause.
func (m Missing) Unwrap() error { return m.Err }

func partState(err error) string {
	var missing Missing
	switch {
	case errors.As(err, &missing):
		return missing.What + " is missing"
	case err != nil:
		return "unreachable"
	}
	return connected
}

// GetLiveness says that the process can answer.
func (s *Server) GetLiveness(context.Context, GetLivenessRequestObject) (GetLivenessResponseObject, error) {
	return GetLiveness204Response{}, nil
}

// GetReadiness says whether the process should get requests: not while it stops, not without its database.
func (s *Server) GetReadiness(ctx context.Context, _ GetReadinessRequestObject) (GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if s.draining.Load() || s.store.Ping(ctx) != nil {
		return nil, errNotReady
	}
	return GetReadiness204Response{}, nil
}
