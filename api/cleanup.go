package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// StartCleanup queues a clean-up run.
func (s *Server) StartCleanup(
	ctx context.Context,
	r contract.StartCleanupRequestObject,
) (contract.StartCleanupResponseObject, error) {
	id := caller(ctx)
	n, err := s.newRun(r.Body)
	if err != nil {
		return nil, err
	}
	asked := map[string]any{"policies": n.Policies, "dry_run": n.DryRun, "older_than": n.OlderThan}
	once, err := s.once(ctx, "startCleanup", r.Params.IdempotencyKey, asked)
	if err != nil {
		return nil, err
	}
	run, err := s.store.CreateRun(ctx, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	path := basePath + "/admin/cleanup/runs/" + run.ID
	return contract.StartCleanup202JSONResponse{
		Body: contract.CleanupStartedAnswer{Data: contract.CleanupStarted{
			RunID: run.ID, StatusURL: s.cfg.HTTP.PublicURL + path, TemporalURL: s.temporalURL(run.WorkflowID),
		}},
		Headers: contract.StartCleanup202ResponseHeaders{Location: path},
	}, nil
}

// newRun reads a request. A policy that is off is refused.
func (s *Server) newRun(body *contract.StartCleanupRequest) (watchparty.NewRun, error) {
	n := watchparty.NewRun{Policies: s.cfg.Cleanup.Policies()}
	if body == nil {
		return n, nil
	}
	n.DryRun = value(body.DryRun)
	if body.Policies != nil {
		on := n.Policies
		n.Policies = convert(*body.Policies, func(p contract.Policy) watchparty.Policy { return watchparty.Policy(p) })
		for i, policy := range n.Policies {
			if !slices.Contains(on, policy) {
				return n, watchparty.Invalid(watchparty.FieldError{
					Field: fmt.Sprintf("policies.%d", i), Code: "off", Message: "is off in the settings"})
			}
		}
	}
	if body.OlderThan != nil {
		age, err := parseAge(*body.OlderThan)
		if err != nil || age < s.cfg.Cleanup.MinAge() || age > watchparty.MaxPolicyAge {
			return n, watchparty.Invalid(watchparty.FieldError{Field: "older_than", Code: "range",
				Message: fmt.Sprintf("must be from %s to %s", s.cfg.Cleanup.MinAge(), watchparty.MaxPolicyAge)})
		}
		n.OlderThan = age
	}
	return n, nil
}

// parseAge reads a whole number of seconds, minutes, hours or days.
func parseAge(text string) (time.Duration, error) {
	digits, isDays := strings.CutSuffix(text, "d")
	if !isDays {
		return time.ParseDuration(text)
	}
	days, err := strconv.Atoi(digits)
	return time.Duration(days) * 24 * time.Hour, err
}

// CancelCleanupRun ends a run after its current batch.
func (s *Server) CancelCleanupRun(
	ctx context.Context,
	r contract.CancelCleanupRunRequestObject,
) (contract.CancelCleanupRunResponseObject, error) {
	id := caller(ctx)
	run, err := s.store.CancelRun(ctx, id.UserID, r.RunID)
	if err != nil {
		return nil, err
	}
	return contract.CancelCleanupRun200JSONResponse{Data: s.cleanupRun(run)}, nil
}

// ListCleanupPolicies lists the clean-up policies with their ages.
func (s *Server) ListCleanupPolicies(
	context.Context,
	contract.ListCleanupPoliciesRequestObject,
) (contract.ListCleanupPoliciesResponseObject, error) {
	ages, settings := s.cfg.Cleanup.Ages(), s.cfg.Cleanup.Settings()
	list := contract.ListCleanupPolicies200JSONResponse{Data: []contract.CleanupPolicy{}}
	for _, policy := range watchparty.Policies() {
		p := contract.CleanupPolicy{Policy: contract.Policy(policy), Setting: settings[policy]}
		if age, on := ages[policy]; on {
			seconds := int64(age.Seconds())
			p.Enabled, p.AgeSeconds = true, &seconds
		}
		list.Data = append(list.Data, p)
	}
	return list, nil
}

// ListCleanupRuns lists clean-up runs.
func (s *Server) ListCleanupRuns(
	ctx context.Context,
	r contract.ListCleanupRunsRequestObject,
) (contract.ListCleanupRunsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listCleanupRuns")
	if err != nil {
		return nil, err
	}
	runs, err := s.store.Runs(ctx, more(p))
	if err != nil {
		return nil, err
	}
	runs, next := cut(runs, p, func(r watchparty.CleanupRun) store.Keys { return store.Keys{r.CreatedAt, r.ID} })
	return contract.ListCleanupRuns200JSONResponse{Data: convert(runs, s.cleanupRun), NextCursor: next}, nil
}

// GetCleanupRun answers with one run and its counts so far.
func (s *Server) GetCleanupRun(
	ctx context.Context,
	r contract.GetCleanupRunRequestObject,
) (contract.GetCleanupRunResponseObject, error) {
	run, err := s.store.Run(ctx, r.RunID)
	if err != nil {
		return nil, err
	}
	return contract.GetCleanupRun200JSONResponse{Data: s.cleanupRun(run)}, nil
}

// temporalURL is the address of a workflow in the Temporal UI.
func (s *Server) temporalURL(workflowID string) string {
	return s.cfg.Temporal.UIURL + "/namespaces/" + url.PathEscape(s.cfg.Temporal.Namespace) +
		"/workflows?query=" + url.QueryEscape("WorkflowId=\""+workflowID+"\"")
}

func (s *Server) cleanupRun(r watchparty.CleanupRun) contract.CleanupRun {
	out := contract.CleanupRun{
		ID:          r.ID,
		Trigger:     contract.CleanupRunTrigger(r.Trigger),
		StartedBy:   s.person(r.StartedBy),
		DryRun:      r.DryRun,
		Policies:    convert(r.Policies, func(p watchparty.Policy) contract.Policy { return contract.Policy(p) }),
		State:       contract.CleanupRunState(r.State),
		Counts:      map[string]int64{},
		Samples:     map[string][]string{},
		Errors:      map[string]string{},
		Policy:      pointer(contract.Policy(r.Policy)),
		CreatedAt:   r.CreatedAt,
		StartedAt:   pointer(r.StartedAt),
		CancelledAt: pointer(r.CancelledAt),
		EndedAt:     pointer(r.FinishedAt),
		TemporalURL: s.temporalURL(r.WorkflowID),

		OlderThanSeconds: pointer(int64(r.OlderThan.Seconds())),
	}
	for policy, ids := range r.Samples {
		out.Samples[string(policy)] = ids
	}
	for policy, n := range r.Counts {
		out.Counts[string(policy)] = n
	}
	for policy, text := range r.Errors {
		out.Errors[string(policy)] = text
	}
	return out
}
