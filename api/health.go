package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/singleflight"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/migrations"
)

const (
	connected     = "connected"
	healthTimeout = 2 * time.Second
)

var errNotReady = &watchparty.Error{
	Kind:    watchparty.KindUnavailable,
	Code:    "not_ready",
	Message: "This process takes no requests now.",
}

// GetHealth asks every part how it is. Only the database is needed to serve; without another part the service is
// degraded. The answer names what is missing; the log has the whole error.
func (s *Server) GetHealth(
	ctx context.Context,
	_ contract.GetHealthRequestObject,
) (contract.GetHealthResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	var h contract.Health
	var wg sync.WaitGroup
	wg.Go(func() { h.Database = s.partState(ctx, "database", s.checkDatabase) })
	wg.Go(func() { h.Redis = s.partState(ctx, "redis", s.cache.Redis().State) })
	wg.Go(func() { h.Temporal = s.partState(ctx, "temporal", s.checkTemporal) })
	wg.Go(func() { h.Bucket = s.partState(ctx, "bucket", s.bucketProbe.check) })
	wg.Wait()
	switch {
	case h.Database != connected:
		h.Status = contract.Down
		return contract.GetHealth503JSONResponse{Data: h}, nil
	case h.Redis != connected || h.Temporal != connected || h.Bucket != connected:
		h.Status = contract.Degraded
	default:
		h.Status = contract.Ok
	}
	return contract.GetHealth200JSONResponse{Data: h}, nil
}

// Missing is the error of a part that answers and lacks what the service needs. Clients see What.
type Missing struct {
	What string
	Err  error
}

func (m Missing) Error() string { return m.What + " is missing: " + m.Err.Error() }

// Unwrap returns the cause.
func (m Missing) Unwrap() error { return m.Err }

// partState says how a part is: connected, or what is wrong.
func (s *Server) partState(ctx context.Context, part string, check func(context.Context) error) string {
	err := check(ctx)
	if err == nil {
		return connected
	}
	s.healthLog.WarnContext(ctx, "health check failed", slog.String("part", part), slog.Any("error", err))
	var (
		missing Missing
		trouble *cache.Trouble
	)
	switch {
	case errors.As(err, &missing):
		return missing.What + " is missing"
	case errors.As(err, &trouble):
		return trouble.What
	}
	return "unreachable"
}

// checkDatabase fails while the database does not answer, or lacks a migration.
func (s *Server) checkDatabase(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return err
	}
	pending, err := migrations.Pending(ctx, s.store.DB())
	if err != nil {
		return err
	}
	if pending > 0 {
		return Missing{What: "migration", Err: fmt.Errorf("%d steps are not applied; run watchparty migrate", pending)}
	}
	return nil
}

// bucketProbe asks the bucket once a second at most, and never twice at a time: a file system may hang without regard to
// a deadline.
type bucketProbe struct {
	bucket   *blob.Bucket
	inFolder bool
	flight   singleflight.Group
	mu       sync.Mutex
	asked    time.Time
	answer   error
}

// bucketProbeTime is how long an answer counts.
const bucketProbeTime = time.Second

func (p *bucketProbe) check(ctx context.Context) error {
	p.mu.Lock()
	asked, answer := p.asked, p.answer
	p.mu.Unlock()
	if time.Since(asked) < bucketProbeTime {
		return answer
	}
	asking := p.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
		defer cancel()
		err := p.ask(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked, p.answer = time.Now(), err
		return nil, err
	})
	select {
	case result := <-asking:
		return result.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask looks for files that nobody stores. A bucket that does not exist is an error for that, unlike for one file; a
// folder that does not exist is empty.
func (p *bucketProbe) ask(ctx context.Context) error {
	var folder os.FileInfo
	if p.inFolder && !p.bucket.As(&folder) {
		return Missing{What: "folder", Err: fs.ErrNotExist}
	}
	_, _, err := p.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: "health/"})
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return Missing{What: "bucket", Err: err}
	case gcerrors.PermissionDenied:
		return Missing{What: "permission", Err: err}
	}
	return err
}

// GetLiveness says that the process can answer.
func (s *Server) GetLiveness(
	context.Context,
	contract.GetLivenessRequestObject,
) (contract.GetLivenessResponseObject, error) {
	return contract.GetLiveness204Response{}, nil
}

// GetReadiness says whether the process should get requests: not while it stops, not without its database.
func (s *Server) GetReadiness(
	ctx context.Context,
	_ contract.GetReadinessRequestObject,
) (contract.GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if s.draining.Load() || s.store.Ping(ctx) != nil {
		return nil, errNotReady
	}
	return contract.GetReadiness204Response{}, nil
}
