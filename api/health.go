package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/migrations"
)

// readinessTimeout bounds a look at the database.
const readinessTimeout = 2 * time.Second

var errNotReady = &watchparty.Error{
	Kind:    watchparty.KindUnavailable,
	Code:    "not_ready",
	Message: "This process takes no requests at the moment.",
}

// checks are those of all parts: of those that the server uses itself, and the others.
func (s *Server) checks(others []health.Check) []health.Check {
	return append([]health.Check{
		{Part: health.Database, Every: time.Second, Run: s.checkDatabase},
		{Part: health.Redis, Run: s.checkRedis},
		{Part: health.Bucket, Every: time.Second, Run: func(ctx context.Context) error { return s.bucketProbe.check(ctx) }},
	}, others...)
}

// GetHealth checks every part. Only the database is needed to serve; without another part the service is degraded. The
// answer names what is missing, and the log has the whole error.
func (s *Server) GetHealth(
	ctx context.Context,
	_ contract.GetHealthRequestObject,
) (contract.GetHealthResponseObject, error) {
	h := contract.Health{Status: contract.HealthStatusOk, Degraded: []contract.DegradedPart{}}
	into := map[string]*string{
		health.Database: &h.Database, health.Redis: &h.Redis, health.Temporal: &h.Temporal, health.Workers: &h.Workers,
		health.Schedules: &h.Schedules, health.Bucket: &h.Bucket, health.Emails: &h.Emails,
	}
	for _, found := range s.health.Look(ctx) {
		*into[found.Part] = found.State
		if found.Part == health.Emails {
			h.EmailsSentAt = pointer(found.LastSuccess)
		}
		if found.OK() {
			continue
		}
		h.Degraded = append(h.Degraded, contract.DegradedPart{
			Part: contract.HealthPart(found.Part), State: found.State, Since: found.Since, Effect: health.Effect(found.Part),
		})
		if h.Status = contract.HealthStatusDegraded; h.Database != health.Connected {
			h.Status = contract.HealthStatusDown
		}
	}
	if h.Status == contract.HealthStatusDown {
		return contract.GetHealth503JSONResponse{Data: h}, nil
	}
	return contract.GetHealth200JSONResponse{Data: h}, nil
}

// checkRedis returns why Redis cannot be used.
func (s *Server) checkRedis(ctx context.Context) error {
	err := s.cache.Redis().State(ctx)
	var trouble *cache.RedisError
	if errors.As(err, &trouble) {
		return health.Trouble{What: trouble.What, Err: err}
	}
	return err
}

// checkDatabase fails if the database does not answer or lacks a migration. It needs no connection of those that
// requests use, so that a busy database does not count as down.
func (s *Server) checkDatabase(ctx context.Context) error {
	if err := s.store.Ping(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readinessTimeout)
	defer cancel()
	pending, err := migrations.Pending(ctx, s.store.ProbeDB())
	if err != nil {
		return err
	}
	if pending > 0 {
		return health.Trouble{
			What: "migration is missing",
			Err:  fmt.Errorf("%d steps are not applied; run watchparty migrate", pending),
		}
	}
	return nil
}

// bucketProbe checks a bucket, which may be a folder.
type bucketProbe struct {
	bucket   *blob.Bucket
	inFolder bool
}

// check lists files with a prefix that nothing has. For a missing bucket that is an error, which reading one file is
// not; a missing folder is empty.
func (p *bucketProbe) check(ctx context.Context) error {
	var folder os.FileInfo
	if p.inFolder && !p.bucket.As(&folder) {
		return health.Trouble{What: "folder is missing", Err: fs.ErrNotExist}
	}
	_, _, err := p.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: "health/"})
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return health.Trouble{What: "bucket is missing", Err: err}
	case gcerrors.PermissionDenied:
		return health.Trouble{What: "permission is missing", Err: err}
	}
	return err
}

// GetLiveness reports that the process can answer.
func (s *Server) GetLiveness(
	context.Context,
	contract.GetLivenessRequestObject,
) (contract.GetLivenessResponseObject, error) {
	return contract.GetLiveness204Response{}, nil
}

// GetReadiness reports whether the process should get requests: not while it stops, and not without its database.
func (s *Server) GetReadiness(
	ctx context.Context,
	_ contract.GetReadinessRequestObject,
) (contract.GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readinessTimeout)
	defer cancel()
	if s.draining.Load() || s.store.Ping(ctx) != nil {
		return nil, errNotReady
	}
	return contract.GetReadiness204Response{}, nil
}
