package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ReportAbuse stores a report of abuse.
func (s *Server) ReportAbuse(
	ctx context.Context,
	r contract.ReportAbuseRequestObject,
) (contract.ReportAbuseResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewAbuseReport{
		Kind: watchparty.AbuseKind(r.Body.Kind), RoomID: value(r.Body.RoomID), MessageID: value(r.Body.MessageID),
		Username: value(r.Body.Username), Text: value(r.Body.Text),
	}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "reportAbuse", r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	report, err := s.store.ReportAbuse(ctx, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := sentAbuseReport(report)
	made, err := madeAt("/abuse-reports/"+report.ID, 0, contract.SentAbuseReportAnswer{Data: answer})
	return contract.ReportAbuse201JSONResponse{
		Body:    contract.SentAbuseReportAnswer{Data: answer},
		Headers: contract.ReportAbuse201ResponseHeaders(made),
	}, err
}

// GetMyAbuseReport answers with a report to its sender.
func (s *Server) GetMyAbuseReport(
	ctx context.Context,
	r contract.GetMyAbuseReportRequestObject,
) (contract.GetMyAbuseReportResponseObject, error) {
	id := caller(ctx)
	found, err := s.store.SentAbuseReport(ctx, id.UserID, r.AbuseReportID)
	return tagged{contract.SentAbuseReportAnswer{Data: sentAbuseReport(found)}, r.Params.IfNoneMatch}, err
}

// ListAbuseReports lists the reports of abuse.
func (s *Server) ListAbuseReports(
	ctx context.Context,
	r contract.ListAbuseReportsRequestObject,
) (contract.ListAbuseReportsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listAbuseReports",
		r.Params.State, r.Params.Kind, r.Params.Target, r.Params.UserID)
	if err != nil {
		return nil, err
	}
	f := watchparty.AbuseFilter{
		State: watchparty.AbuseState(value(r.Params.State)), Kind: watchparty.AbuseKind(value(r.Params.Kind)),
		Target: watchparty.AbuseTarget(value(r.Params.Target)), SubjectID: value(r.Params.UserID),
	}
	reports, err := s.store.AbuseReports(ctx, f, more(p))
	if err != nil {
		return nil, err
	}
	reports, next := cut(reports, p, func(r watchparty.AbuseReport) store.Keys { return store.Keys{r.ID} })
	return contract.ListAbuseReports200JSONResponse{Data: convert(reports, s.abuseReport), NextCursor: next}, nil
}

// GetAbuseReport answers with one report.
func (s *Server) GetAbuseReport(
	ctx context.Context,
	r contract.GetAbuseReportRequestObject,
) (contract.GetAbuseReportResponseObject, error) {
	report, err := s.store.AbuseReport(ctx, r.AbuseReportID)
	if err != nil {
		return nil, err
	}
	return contract.GetAbuseReport200JSONResponse{Data: s.abuseReport(report)}, nil
}

// ResolveAbuseReport resolves a report.
func (s *Server) ResolveAbuseReport(
	ctx context.Context,
	r contract.ResolveAbuseReportRequestObject,
) (contract.ResolveAbuseReportResponseObject, error) {
	id := caller(ctx)
	resolution := watchparty.Resolution{Outcome: watchparty.AbuseOutcome(r.Body.Outcome), Note: value(r.Body.Note)}
	resolution.Normalise()
	if err := resolution.Validate(); err != nil {
		return nil, err
	}
	report, err := s.store.ResolveAbuseReport(ctx, id.UserID, r.AbuseReportID, resolution)
	if err != nil {
		return nil, err
	}
	return contract.ResolveAbuseReport200JSONResponse{Data: s.abuseReport(report)}, nil
}

// sentAbuseReport returns what the sender of a report sees.
func sentAbuseReport(r watchparty.AbuseReport) contract.SentAbuseReport {
	return contract.SentAbuseReport{
		ID:        r.ID,
		Kind:      contract.AbuseKind(r.Kind),
		Target:    abuseTarget(r),
		Text:      r.Text,
		CreatedAt: r.CreatedAt,
	}
}

func (s *Server) abuseReport(r watchparty.AbuseReport) contract.AbuseReport {
	out := contract.AbuseReport{
		ID:         r.ID,
		Kind:       contract.AbuseKind(r.Kind),
		Target:     abuseTarget(r),
		User:       s.person(r.Subject),
		RoomID:     pointer(r.RoomID),
		Text:       r.Text,
		State:      contract.AbuseReportState(r.State),
		Outcome:    pointer(contract.AbuseOutcome(r.Outcome)),
		Note:       r.Note,
		ResolvedAt: pointer(r.ResolvedAt),
		CreatedAt:  r.CreatedAt,
	}
	if c := r.Content; c != nil {
		out.Content = &contract.ReportedContent{
			Username:        c.Username,
			DisplayName:     c.DisplayName,
			RoomName:        c.RoomName,
			RoomDescription: c.RoomDescription,
			Body:            c.Body,
		}
	}
	return out
}

func abuseTarget(r watchparty.AbuseReport) contract.AbuseTarget {
	return contract.AbuseTarget{Kind: contract.AbuseTargetKind(r.Target), ID: r.TargetID}
}
