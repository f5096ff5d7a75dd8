package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// maxBatch is the number of jobs that one request acts on.
	maxBatch = 200
	// batchParallel is the number of jobs that it acts on at a time.
	batchParallel = 8
)

// CancelJob cancels a job.
func (s *Server) CancelJob(
	ctx context.Context,
	r contract.CancelJobRequestObject,
) (contract.CancelJobResponseObject, error) {
	d, err := s.findJob(ctx, r.JobID)
	if err != nil {
		return nil, err
	}
	if err := s.cancelJob(ctx, d, ""); err != nil {
		return nil, err
	}
	d, err = s.findJob(ctx, d.ID())
	return contract.CancelJob200JSONResponse{Data: s.job(d)}, err
}

func (s *Server) cancelJob(ctx context.Context, d jobs.Detail, batch string) error {
	if d.State != jobs.Running {
		return watchparty.ErrJobEnded
	}
	act := actOn(d, watchparty.AuditJobCancelled, batch)
	return s.store.AuditJob(ctx, caller(ctx).UserID, act, func(ctx context.Context) error {
		return s.jobs.Cancel(ctx, d.WorkflowID, d.RunID)
	})
}

// TerminateJob terminates a job.
func (s *Server) TerminateJob(
	ctx context.Context,
	r contract.TerminateJobRequestObject,
) (contract.TerminateJobResponseObject, error) {
	d, err := s.findJob(ctx, r.JobID)
	if err != nil {
		return nil, err
	}
	if err := s.terminateJob(ctx, d, ""); err != nil {
		return nil, err
	}
	d, err = s.findJob(ctx, d.ID())
	return contract.TerminateJob200JSONResponse{Data: s.job(d)}, err
}

func (s *Server) terminateJob(ctx context.Context, d jobs.Detail, batch string) error {
	if d.State != jobs.Running {
		return watchparty.ErrJobEnded
	}
	act := actOn(d, watchparty.AuditJobTerminated, batch)
	return s.store.AuditJob(ctx, caller(ctx).UserID, act, func(ctx context.Context) error {
		return s.jobs.Terminate(ctx, d.WorkflowID, d.RunID, watchparty.AdminNoteOf(ctx))
	})
}

// RetryJob tries what a job does again.
func (s *Server) RetryJob(
	ctx context.Context,
	r contract.RetryJobRequestObject,
) (contract.RetryJobResponseObject, error) {
	d, err := s.findJob(ctx, r.JobID)
	if err != nil {
		return nil, err
	}
	done, err := s.retryJob(ctx, d, "")
	if err != nil {
		return nil, err
	}
	answer := contract.Retry{How: done.how, WorkflowID: done.workflowID}
	if done.inTemporal {
		d, err := s.jobs.Get(ctx, done.workflowID, done.runID)
		if err != nil {
			return nil, err
		}
		found := s.job(d)
		answer.Job = &found
	}
	return contract.RetryJob200JSONResponse{Data: answer}, nil
}

// retried says what a retry has begun.
type retried struct {
	how               contract.RetryHow
	workflowID, runID string
	inTemporal        bool // rather than in the outbox
}

// retryJob retries a job in the way that fits its kind: since the row of a finished email or clean-up run has ended, it
// queues another one.
func (s *Server) retryJob(ctx context.Context, d jobs.Detail, batch string) (retried, error) {
	if d.State == jobs.Completed {
		return retried{}, watchparty.ErrNothingToRetry
	}
	if d.State == jobs.Running {
		return s.tryNow(ctx, d, batch)
	}
	if d.Kind == job.WorkflowCleanup {
		return s.cleanUpAgain(ctx, d)
	}
	again, err := s.store.ResendEmailOfJob(ctx, caller(ctx).UserID, d.WorkflowID)
	switch {
	case err == nil:
		return retried{how: contract.RetryHowNewEmail, workflowID: again.WorkflowID}, nil
	case !errors.Is(err, watchparty.ErrNotFound):
		return retried{}, err
	}
	return s.resetJob(ctx, d, batch)
}

// cleanUpAgain starts another run with what the run of a job was to do.
func (s *Server) cleanUpAgain(ctx context.Context, d jobs.Detail) (retried, error) {
	again, err := s.store.RepeatRun(ctx, caller(ctx).UserID, d.WorkflowID, s.cfg.Cleanup.Policies())
	return retried{how: contract.RetryHowNewRun, workflowID: again.WorkflowID}, err
}

func (s *Server) tryNow(ctx context.Context, d jobs.Detail, batch string) (retried, error) {
	waits := func(paused bool) bool {
		return slices.ContainsFunc(d.Steps, func(s jobs.Step) bool { return s.AwaitsRetry() && s.QueuePaused == paused })
	}
	if !waits(false) {
		if waits(true) {
			return retried{}, watchparty.ErrQueuePaused
		}
		return retried{}, watchparty.ErrNothingToRetry
	}
	act := actOn(d, watchparty.AuditJobRetried, batch)
	err := s.store.AuditJob(ctx, caller(ctx).UserID, act, func(ctx context.Context) error {
		_, err := s.jobs.TryNow(ctx, d)
		if errors.Is(err, watchparty.ErrJobEnded) { // meanwhile
			return watchparty.ErrNothingToRetry
		}
		return err
	})
	return retried{how: contract.RetryHowTriedNow, workflowID: d.WorkflowID, runID: d.RunID, inTemporal: true}, err
}

func (s *Server) resetJob(ctx context.Context, d jobs.Detail, batch string) (retried, error) {
	done := retried{how: contract.RetryHowReset, workflowID: d.WorkflowID, inTemporal: true}
	act := actOn(d, watchparty.AuditJobRetried, batch)
	err := s.store.AuditJob(ctx, caller(ctx).UserID, act, func(ctx context.Context) (err error) {
		done.runID, err = s.jobs.Reset(ctx, d.WorkflowID, d.RunID, cmp.Or(watchparty.AdminNoteOf(ctx), "retried by an admin"))
		return err
	})
	return done, err
}

// actOn is an act on a job as the audit log has it.
func actOn(d jobs.Detail, action watchparty.AuditAction, batch string) store.JobAct {
	return store.JobAct{Action: action, WorkflowID: d.WorkflowID, RunID: d.RunID, Kind: d.Kind, Batch: batch}
}

// ActOnJobs does the same to many jobs, or counts them.
func (s *Server) ActOnJobs(
	ctx context.Context,
	r contract.ActOnJobsRequestObject,
) (contract.ActOnJobsResponseObject, error) {
	filter, err := readBatch(*r.Body, watchparty.AdminNoteOf(ctx))
	if err != nil {
		return nil, err
	}
	count, err := s.jobs.Count(ctx, filter)
	if err != nil {
		return nil, err
	}
	result := contract.JobBatchResult{Matched: count, Left: count}
	if value(r.Body.DryRun) {
		return contract.ActOnJobs200JSONResponse{Data: result}, nil
	}
	if count > value(r.Body.Expected) {
		return nil, watchparty.ErrJobsChanged
	}
	id := uuid.NewString()
	if err := s.actOnJobs(ctx, r.Body.Action, filter, id, &result); err != nil {
		return nil, err
	}
	result.ID = &id
	return contract.ActOnJobs200JSONResponse{Data: result}, nil
}

// readBatch checks a request.
func readBatch(b contract.JobBatch, note string) (filter jobs.Filter, err error) {
	state := jobs.Running
	if b.Action == contract.JobBatchActionRetry {
		state = jobs.Failed
	}
	filter = jobs.Filter{
		Kind: string(value(b.Kind)), State: cmp.Or(jobs.State(value(b.State)), state), Queue: string(value(b.Queue)),
		RoomID: value(b.RoomID), UserID: value(b.UserID), From: value(b.From), To: value(b.To),
	}
	var wrong []watchparty.FieldError
	if b.Action != contract.JobBatchActionRetry && filter.State != jobs.Running {
		wrong = append(wrong, watchparty.FieldError{
			Field: "state", Code: "range", Message: "must be running: other jobs have ended"})
	}
	if b.Action == contract.JobBatchActionTerminate && note == "" {
		wrong = append(wrong, watchparty.FieldError{Field: "note", Code: "required", Message: "is required to terminate"})
	}
	if !value(b.DryRun) && b.Expected == nil {
		wrong = append(wrong, watchparty.FieldError{
			Field: "expected", Code: "required", Message: "is required: count with a dry run first"})
	}
	if b.From != nil && b.To != nil && !b.To.After(*b.From) {
		wrong = append(wrong, errSpan)
	}
	if len(wrong) > 0 {
		return filter, watchparty.Invalid(wrong...)
	}
	return filter, nil
}

func (s *Server) actOnJobs(
	ctx context.Context, action contract.JobBatchAction, filter jobs.Filter, batch string,
	result *contract.JobBatchResult,
) error {
	// All are found first: an act takes its job out of the list.
	found, _, err := s.jobs.Select(ctx, filter, maxBatch, nil)
	if err != nil {
		return err
	}
	outcomes := make([]error, len(found))
	var g errgroup.Group
	g.SetLimit(batchParallel)
	for i, j := range found {
		g.Go(func() error {
			outcomes[i] = s.actOnJob(ctx, action, j, batch)
			return nil // one that fails does not stop the others
		})
	}
	_ = g.Wait()
	for i, err := range outcomes {
		switch {
		case err == nil:
			result.Done++
		case watchparty.IsKind(err, watchparty.KindConflict), watchparty.IsKind(err, watchparty.KindNotFound):
			result.Skipped++
		default:
			result.Failed++
			s.log.WarnContext(ctx, "job of a batch failed", slog.String("workflow_id", found[i].WorkflowID),
				slog.String("batch", batch), slog.Any("error", err))
		}
	}
	result.Left = max(0, result.Matched-int64(len(found)))
	return nil
}

func (s *Server) actOnJob(ctx context.Context, action contract.JobBatchAction, j jobs.Job, batch string) error {
	d, err := s.jobs.Get(ctx, j.WorkflowID, j.RunID)
	if err != nil {
		return err
	}
	switch action {
	case contract.JobBatchActionCancel:
		return s.cancelJob(ctx, d, batch)
	case contract.JobBatchActionTerminate:
		return s.terminateJob(ctx, d, batch)
	default:
		_, err := s.retryJob(ctx, d, batch)
		return err
	}
}
