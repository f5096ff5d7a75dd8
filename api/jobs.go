package api

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// ListJobs lists jobs.
func (s *Server) ListJobs(
	ctx context.Context,
	r contract.ListJobsRequestObject,
) (contract.ListJobsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listJobs", r.Params.Kind, r.Params.State,
		r.Params.Queue, r.Params.UserID, r.Params.RoomID, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	filter := jobFilter(r.Params.Kind, r.Params.State, r.Params.Queue, r.Params.UserID, r.Params.RoomID, r.Params.From,
		r.Params.To)
	var token []byte
	if len(p.After) == 1 {
		token, _ = p.After[0].([]byte)
	}
	found, next, err := s.jobs.List(ctx, filter, p.Limit, token)
	if err != nil {
		return nil, err
	}
	list := contract.ListJobs200JSONResponse{Data: convert(found, s.jobSummary)}
	if next != nil {
		list.NextCursor = p.encode(store.Keys{next})
	}
	return list, nil
}

func jobFilter(
	kind *contract.JobKind, state *contract.JobState, queue *contract.WorkerQueue, userID, roomID *contract.ID,
	from, to *time.Time,
) jobs.Filter {
	return jobs.Filter{
		Kind: string(value(kind)), State: jobs.State(value(state)), Queue: string(value(queue)),
		UserID: value(userID), RoomID: value(roomID), From: value(from), To: value(to),
	}
}

// CountJobs counts jobs by kind and state.
func (s *Server) CountJobs(
	ctx context.Context,
	r contract.CountJobsRequestObject,
) (contract.CountJobsResponseObject, error) {
	filter := jobFilter(r.Params.Kind, r.Params.State, r.Params.Queue, r.Params.UserID, r.Params.RoomID, r.Params.From,
		r.Params.To)
	all := contract.JobCounts{Kinds: []contract.JobCount{}}
	if value(r.Params.OnlyTotal) {
		total, err := s.jobs.Count(ctx, filter)
		all.Total = total
		return contract.CountJobs200JSONResponse{Data: all}, err
	}
	counts, err := s.jobs.Counts(ctx, filter)
	if err != nil {
		return nil, err
	}
	for _, kind := range job.WorkflowTypes() {
		states, ok := counts[kind]
		if !ok {
			continue
		}
		count := contract.JobCount{Kind: contract.JobKind(kind), States: map[string]int64{}}
		for state, n := range states {
			count.States[string(state)] = n
			all.Total += n
		}
		all.Kinds = append(all.Kinds, count)
	}
	return contract.CountJobs200JSONResponse{Data: all}, nil
}

// GetJob answers with a job, its steps and its history.
func (s *Server) GetJob(ctx context.Context, r contract.GetJobRequestObject) (contract.GetJobResponseObject, error) {
	d, err := s.findJob(ctx, r.JobID)
	if err != nil {
		return nil, err
	}
	return contract.GetJob200JSONResponse{Data: s.job(d)}, nil
}

// findJob finds a job by its ID. If Temporal does not have it, the outbox tells why.
func (s *Server) findJob(ctx context.Context, id string) (jobs.Detail, error) {
	workflowID, runID, err := jobs.DecodeID(id)
	if err != nil {
		return jobs.Detail{}, err
	}
	d, err := s.jobs.Get(ctx, workflowID, runID)
	if !errors.Is(err, watchparty.ErrNotFound) {
		return d, err
	}
	state, err := s.store.EventState(ctx, workflowID)
	switch {
	case err != nil:
		return d, err
	case state == watchparty.EventStarted:
		return d, watchparty.ErrJobExpired
	}
	return d, watchparty.ErrJobNotStarted
}

// jobSummary converts a job of a list.
func (s *Server) jobSummary(j jobs.Job) contract.Job {
	out := contract.Job{
		ID: j.ID(), WorkflowID: j.WorkflowID, RunID: j.RunID, Kind: j.Kind, Queue: j.Queue, Summary: pointer(j.Summary),
		State: contract.JobState(j.State), Phase: pointer(contract.JobPhase(j.Phase)), UserID: pointer(j.UserID),
		RoomID: pointer(j.RoomID), StartedAt: j.StartedAt.UTC(), EndedAt: pointer(j.EndedAt.UTC()), Events: j.Events,
		TemporalURL: s.runURL(j.WorkflowID, j.RunID),
	}
	if j.EndedAt.IsZero() {
		out.EndedAt = nil
	}
	return out
}

func (s *Server) job(d jobs.Detail) contract.Job {
	out := s.jobSummary(d.Job)
	steps, timeline := convert(d.Steps, jobStep), convert(d.Timeline, jobEvent)
	out.Steps, out.Timeline, out.TimelineTruncated = &steps, &timeline, d.Truncated
	out.Failure, out.WaitsFor, out.WaitsUntil = pointer(d.Failure), pointer(d.WaitsFor), pointer(d.WaitsUntil)
	return out
}

func jobStep(s jobs.Step) contract.JobStep {
	return contract.JobStep{
		ID: s.ID, Activity: s.Activity, State: contract.JobStepState(s.State), Attempt: s.Attempt,
		MaxAttempts: pointer(s.MaxAttempts), LastFailure: pointer(s.LastFailure), ScheduledAt: s.ScheduledAt,
		StartedAt: pointer(s.StartedAt), HeartbeatAt: pointer(s.HeartbeatAt), NextAttemptAt: pointer(s.NextAt),
		DeadlineAt: pointer(s.DeadlineAt), Worker: pointer(s.Worker),
	}
}

func jobEvent(e jobs.Event) contract.JobEvent {
	return contract.JobEvent{ID: e.ID, At: e.At, Kind: contract.JobEventKind(e.Type), Detail: pointer(e.Detail)}
}

// runURL is the address of a job in the Temporal UI.
func (s *Server) runURL(workflowID, runID string) string {
	return s.cfg.Temporal.UIURL + "/namespaces/" + url.PathEscape(s.cfg.Temporal.Namespace) + "/workflows/" +
		url.PathEscape(workflowID) + "/" + url.PathEscape(runID) + "/history"
}
