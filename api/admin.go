package api

import (
	"context"
	"net/url"

	"github.com/watchparty/watchparty"
)

// StartCleanup promises a clean-up run.
func (s *Server) StartCleanup(ctx context.Context, r StartCleanupRequestObject) (StartCleanupResponseObject, error) {
	id, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	policies, dryRun := watchparty.Policies(), false
	if r.Body != nil {
		dryRun = value(r.Body.DryRun)
		if r.Body.Policies != nil {
			policies = convert(*r.Body.Policies, func(p Policy) watchparty.Policy { return watchparty.Policy(p) })
		}
	}
	asked := map[string]any{"policies": policies, "dry_run": dryRun}
	once, err := s.once(ctx, "startCleanup", r.Params.IdempotencyKey, asked)
	if err != nil {
		return nil, err
	}
	run, err := s.store.CreateRun(ctx, id.UserID, policies, dryRun, once)
	if err != nil {
		return nil, err
	}
	return StartCleanup202JSONResponse{
		RunID: run.ID, StatusURL: s.cfg.HTTP.PublicURL + basePath + "/admin/cleanup/runs/" + run.ID,
		TemporalURL: s.temporalURL(run.WorkflowID),
	}, nil
}

// ListCleanupRuns answers clean-up runs.
func (s *Server) ListCleanupRuns(ctx context.Context, r ListCleanupRunsRequestObject) (ListCleanupRunsResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	p, err := page("cursor", r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	runs, err := s.store.Runs(ctx, more(p))
	if err != nil {
		return nil, err
	}
	runs, next := cut(runs, p, func(r watchparty.CleanupRun) string { return r.ID })
	return ListCleanupRuns200JSONResponse{Data: convert(runs, s.cleanupRun), NextCursor: next}, nil
}

// GetCleanupRun answers one run, with its counts so far.
func (s *Server) GetCleanupRun(ctx context.Context, r GetCleanupRunRequestObject) (GetCleanupRunResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	run, err := s.store.Run(ctx, r.RunID)
	if err != nil {
		return nil, err
	}
	return GetCleanupRun200JSONResponse{Data: s.cleanupRun(run)}, nil
}

// ListReports answers stored reports.
func (s *Server) ListReports(ctx context.Context, r ListReportsRequestObject) (ListReportsResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	p, err := page("cursor", r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	reports, err := s.store.Reports(ctx, more(p))
	if err != nil {
		return nil, err
	}
	reports, next := cut(reports, p, func(r watchparty.Report) string { return r.ID })
	return ListReports200JSONResponse{Data: convert(reports, report), NextCursor: next}, nil
}

// GetReport answers one report.
func (s *Server) GetReport(ctx context.Context, r GetReportRequestObject) (GetReportResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	found, err := s.store.Report(ctx, r.ReportID)
	if err != nil {
		return nil, err
	}
	return GetReport200JSONResponse{Data: report(found)}, nil
}

// temporalURL is where an operator sees a workflow.
func (s *Server) temporalURL(workflowID string) string {
	return s.cfg.Temporal.UIURL + "/namespaces/" + url.PathEscape(s.cfg.Temporal.Namespace) +
		"/workflows?query=" + url.QueryEscape("WorkflowId=\""+workflowID+"\"")
}

func (s *Server) cleanupRun(r watchparty.CleanupRun) CleanupRun {
	out := CleanupRun{
		ID: r.ID, Trigger: CleanupRunTrigger(r.Trigger), StartedBy: pointer(r.StartedBy), DryRun: r.DryRun,
		Policies: convert(r.Policies, func(p watchparty.Policy) Policy { return Policy(p) }), State: CleanupRunState(r.State),
		Counts: map[string]int64{}, Errors: map[string]string{}, CreatedAt: r.CreatedAt,
		StartedAt: pointer(r.StartedAt), FinishedAt: pointer(r.FinishedAt), TemporalURL: s.temporalURL(r.WorkflowID),
	}
	for policy, n := range r.Counts {
		out.Counts[string(policy)] = n
	}
	for policy, text := range r.Errors {
		out.Errors[string(policy)] = text
	}
	return out
}

func report(r watchparty.Report) Report {
	return Report{
		ID: r.ID, Kind: ReportKind(r.Kind), RunID: pointer(r.RunID), PeriodStart: r.PeriodStart, PeriodEnd: r.PeriodEnd,
		Data: r.Data, CreatedAt: r.CreatedAt,
	}
}
