package api

import (
	"context"
	"errors"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/jobs"
	"github.com/watchparty/watchparty/store"
)

// GetOverview answers with how the service is. Values of Temporal are null while Temporal is down.
func (s *Server) GetOverview(
	ctx context.Context,
	_ contract.GetOverviewRequestObject,
) (contract.GetOverviewResponseObject, error) {
	var o contract.Overview
	err := s.store.Snapshot(ctx, func(at *store.Store) error { return overview(ctx, at, &o) })
	if err != nil {
		return nil, err
	}
	health, err := s.GetHealth(ctx, contract.GetHealthRequestObject{})
	if err != nil {
		return nil, err
	}
	switch h := health.(type) {
	case contract.GetHealth200JSONResponse:
		o.Health = h.Data
	case contract.GetHealth503JSONResponse:
		o.Health = h.Data
	}
	queues, err := s.queues(ctx)
	if err != nil {
		return nil, err
	}
	o.Queues, o.Temporal = queues.Queues, queues.Temporal
	if o.Temporal != contract.TemporalStateDown {
		err = s.countForOverview(ctx, &o)
	}
	return contract.GetOverview200JSONResponse{Data: o}, err
}

// overview reads what the database knows.
func overview(ctx context.Context, at *store.Store, o *contract.Overview) error {
	delays, err := at.Delays(ctx)
	if err != nil {
		return err
	}
	o.Late = convert(delays, func(d watchparty.Delay) contract.Delay {
		return contract.Delay{What: contract.DelayWhat(d.What), Count: d.Count, OldestAt: d.OldestAt}
	})
	pause, err := at.EmailPause(ctx)
	if err != nil {
		return err
	}
	o.EmailsPausedAt, o.EmailsWaiting = pointer(pause.PausedAt), pause.Waiting
	waiting, err := at.Outbox(ctx)
	if err != nil {
		return err
	}
	o.Outbox = outboxSummary(waiting)
	hour, err := at.Throughput(ctx, 5*time.Minute, 12)
	if err != nil {
		return err
	}
	week, err := at.Throughput(ctx, 24*time.Hour, 7)
	o.LastHour, o.LastWeek = convert(hour, throughput), convert(week, throughput)
	return err
}

func throughput(t watchparty.Throughput) contract.Throughput {
	return contract.Throughput{
		From: t.From, EmailsSent: t.EmailsSent, EmailsFailed: t.EmailsFailed, AvatarsReady: t.AvatarsReady,
		AvatarsFailed: t.AvatarsFailed, CleanupsCompleted: t.CleanupsCompleted, CleanupsFailed: t.CleanupsFailed,
		JobsStarted: t.JobsStarted,
	}
}

// countForOverview counts jobs, unless Temporal goes away meanwhile.
func (s *Server) countForOverview(ctx context.Context, o *contract.Overview) error {
	err := s.countJobs(ctx, o)
	if errors.Is(err, watchparty.ErrTemporalDown) {
		o.Temporal, o.JobsRunning, o.JobsFailedLastDay = contract.TemporalStateDown, nil, nil
		for _, spans := range [][]contract.Throughput{o.LastHour, o.LastWeek} {
			for i := range spans {
				spans[i].JobsFailed = nil
			}
		}
		return nil
	}
	return err
}

// countJobs counts the jobs that run, and those that have failed.
func (s *Server) countJobs(ctx context.Context, o *contract.Overview) error {
	running, err := s.jobs.Count(ctx, jobs.Filter{State: jobs.Running})
	if err != nil {
		return err
	}
	failed, err := s.jobs.Count(ctx, jobs.Filter{State: jobs.Failed, EndedFrom: store.Now().Add(-24 * time.Hour)})
	if err != nil {
		return err
	}
	o.JobsRunning, o.JobsFailedLastDay = &running, &failed
	for _, spans := range [][]contract.Throughput{o.LastHour, o.LastWeek} {
		counts, err := s.jobs.CountFailed(ctx, convert(spans, func(t contract.Throughput) time.Time { return t.From }))
		if err != nil {
			return err
		}
		for i := range spans {
			spans[i].JobsFailed = &counts[i]
		}
	}
	return nil
}
