package api

import (
	"bytes"
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/report"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
)

// ListActivityReports lists stored reports.
func (s *Server) ListActivityReports(
	ctx context.Context,
	r contract.ListActivityReportsRequestObject,
) (contract.ListActivityReportsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listActivityReports", r.Params.Kind)
	if err != nil {
		return nil, err
	}
	reports, err := s.store.Reports(ctx, string(value(r.Params.Kind)), more(p))
	if err != nil {
		return nil, err
	}
	reports, next := cut(reports, p, func(r watchparty.Report) store.Keys { return store.Keys{r.ID} })
	return contract.ListActivityReports200JSONResponse{Data: convert(reports, s.report), NextCursor: next}, nil
}

// GetActivityReport answers with one report.
func (s *Server) GetActivityReport(
	ctx context.Context,
	r contract.GetActivityReportRequestObject,
) (contract.GetActivityReportResponseObject, error) {
	found, err := s.store.Report(ctx, r.ReportID)
	if err != nil {
		return nil, err
	}
	return contract.GetActivityReport200JSONResponse{Data: s.report(found)}, nil
}

// GetActivityReportTable answers with the days of an activity report as CSV.
func (s *Server) GetActivityReportTable(
	ctx context.Context,
	r contract.GetActivityReportTableRequestObject,
) (contract.GetActivityReportTableResponseObject, error) {
	found, err := s.store.ActivityReport(ctx, r.ReportID)
	if err != nil {
		return nil, err
	}
	table, err := report.CSV(found)
	if err != nil {
		return nil, err
	}
	return contract.GetActivityReportTable200TextCsvResponse{
		Body:          bytes.NewReader(table),
		ContentLength: int64(len(table)),
		Headers: contract.GetActivityReportTable200ResponseHeaders{
			ContentDisposition: pointer(`attachment; filename="` + tableFile(found) + `"`),
		},
	}, nil
}

// ViewActivityReport answers with the content of an activity report's page.
func (s *Server) ViewActivityReport(
	ctx context.Context,
	r contract.ViewActivityReportRequestObject,
) (contract.ViewActivityReportResponseObject, error) {
	id, err := s.oneTime.Row(auth.ForReport, r.Body.Token)
	if err != nil {
		return nil, err
	}
	found, err := s.store.ActivityReport(ctx, id)
	if err != nil {
		return nil, err
	}
	html, err := report.Page(found)
	if err != nil {
		return nil, err
	}
	table, err := report.CSV(found)
	if err != nil {
		return nil, err
	}
	var out contract.ViewActivityReport200JSONResponse
	out.Data.HTML, out.Data.Csv, out.Data.Filename = string(html), string(table), tableFile(found)
	return out, nil
}

func tableFile(r watchparty.ActivityReport) string { return "activity-" + string(r.From) + ".csv" }

func (s *Server) report(r watchparty.Report) contract.Report {
	out := contract.Report{
		ID:          r.ID,
		Kind:        contract.ReportKind(r.Kind),
		RunID:       pointer(r.RunID),
		PeriodStart: r.PeriodStart,
		PeriodEnd:   r.PeriodEnd,
		Data:        r.Data,
		CreatedAt:   r.CreatedAt,
	}
	if r.Kind == watchparty.ActivityReportKind {
		out.PageURL = pointer(s.cfg.HTTP.PublicURL + web.Reports + "#token=" + s.oneTime.Token(auth.ForReport, r.ID))
	}
	return out
}
