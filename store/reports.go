package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type reportRow struct {
	bun.BaseModel `bun:"table:reports,alias:rep"`

	ID          string          `bun:"id,pk"`
	Kind        string          `bun:"kind"`
	RunID       *string         `bun:"run_id"`
	PeriodStart time.Time       `bun:"period_start"`
	PeriodEnd   time.Time       `bun:"period_end"`
	Data        json.RawMessage `bun:"data,type:jsonb"`
	CreatedAt   time.Time       `bun:"created_at"`
}

func (r reportRow) report() watchparty.Report {
	return watchparty.Report{
		ID: r.ID, Kind: r.Kind, RunID: valueOrZero(r.RunID), PeriodStart: r.PeriodStart.UTC(), PeriodEnd: r.PeriodEnd.UTC(),
		Data: r.Data, CreatedAt: r.CreatedAt.UTC(),
	}
}

func addCleanupReport(ctx context.Context, tx bun.Tx, run runRow) error {
	content := map[string]any{
		"trigger": run.Trigger, "dry_run": run.DryRun, "policies": run.Policies, "state": run.State,
		"counts": run.Counts, "errors": run.Errors, "samples": run.Samples, "older_than_seconds": nil,
	}
	if run.OlderThan > 0 {
		content["older_than_seconds"] = run.OlderThan
	}
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	start := run.CreatedAt // a run that never began has no StartedAt
	if run.StartedAt != nil {
		start = *run.StartedAt
	}
	report := &reportRow{
		ID:          newID(),
		Kind:        watchparty.CleanupReportKind,
		RunID:       &run.ID,
		PeriodStart: start,
		PeriodEnd:   valueOrZero(run.FinishedAt),
		Data:        data,
		CreatedAt:   Now(),
	}
	_, err = tx.NewInsert().Model(report).Exec(ctx)
	return err
}

// Reports lists reports, newest first: those of a kind, or all if kind is empty.
func (s *Store) Reports(ctx context.Context, kind string, p Page) ([]watchparty.Report, error) {
	var rows []reportRow
	q := s.db.NewSelect().Model(&rows)
	if kind != "" {
		q = q.Where("kind = ?", kind)
	}
	if err := p.of(q, descending, "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: reports: %w", err)
	}
	return mapRows(rows, reportRow.report), nil
}

// Report finds a report by its ID.
func (s *Store) Report(ctx context.Context, id string) (watchparty.Report, error) {
	var row reportRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.report(), wrapErr(err, "report")
}
