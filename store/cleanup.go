package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type runRow struct {
	bun.BaseModel `bun:"table:cleanup_runs,alias:c"`

	ID         string                       `bun:"id,pk"`
	Trigger    string                       `bun:"trigger"`
	StartedBy  *string                      `bun:"started_by"`
	Policies   []string                     `bun:"policies,array"`
	DryRun     bool                         `bun:"dry_run"`
	State      string                       `bun:"state"`
	Counts     map[watchparty.Policy]int64  `bun:"counts,type:jsonb"`
	Errors     map[watchparty.Policy]string `bun:"errors,type:jsonb"`
	WorkflowID string                       `bun:"workflow_id"`
	StartedAt  *time.Time                   `bun:"started_at"`
	FinishedAt *time.Time                   `bun:"finished_at"`
	CreatedAt  time.Time                    `bun:"created_at"`
	UpdatedAt  time.Time                    `bun:"updated_at"`
}

func (r runRow) run() watchparty.CleanupRun {
	policies := make([]watchparty.Policy, 0, len(r.Policies))
	for _, p := range r.Policies {
		policies = append(policies, watchparty.Policy(p))
	}
	return watchparty.CleanupRun{
		ID: r.ID, Trigger: watchparty.Trigger(r.Trigger), StartedBy: value(r.StartedBy), Policies: policies,
		DryRun: r.DryRun, State: watchparty.RunState(r.State), Counts: r.Counts, Errors: r.Errors,
		WorkflowID: r.WorkflowID, CreatedAt: r.CreatedAt.UTC(),
		StartedAt: value(r.StartedAt).UTC(), FinishedAt: value(r.FinishedAt).UTC(),
	}
}

func newRunRow(id string, trigger watchparty.Trigger, startedBy, workflowID string, in job.CleanupInput) *runRow {
	now := now()
	row := &runRow{
		ID: id, Trigger: string(trigger), StartedBy: nullID(startedBy), DryRun: in.DryRun,
		State: string(watchparty.RunQueued), Counts: map[watchparty.Policy]int64{}, Errors: map[watchparty.Policy]string{},
		WorkflowID: workflowID, CreatedAt: now, UpdatedAt: now,
	}
	for _, p := range in.Policies {
		row.Policies = append(row.Policies, string(p))
	}
	return row
}

// CreateRun stores a run that an admin asks for, and the event that starts it.
func (s *Store) CreateRun(
	ctx context.Context, adminID string, policies []watchparty.Policy, dryRun bool, o Once,
) (watchparty.CleanupRun, error) {
	in := job.CleanupInput{RunID: newID(), Policies: policies, DryRun: dryRun}
	row := newRunRow(in.RunID, watchparty.TriggerAdmin, adminID, job.CleanupID(in.RunID), in)
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		former, err := claim(ctx, tx, o, in.RunID)
		if err != nil {
			return nil, err
		}
		if former != "" {
			return nil, tx.NewSelect().Model(row).Where("id = ?", former).Scan(ctx)
		}
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return nil, err
		}
		details := map[string]any{"policies": policies, "dry_run": dryRun}
		err = audit(ctx, tx, adminID, watchparty.AuditCleanupStarted, watchparty.AuditCleanupRun, in.RunID, details)
		return []job.Event{job.StartCleanup(in)}, err
	})
	return row.run(), found(err, "create clean-up run")
}

// BeginRun marks a run as running, and stores it first if the schedule started it. Repeating it changes nothing.
func (s *Store) BeginRun(ctx context.Context, in job.CleanupInput, workflowID string) error {
	row := newRunRow(in.RunID, watchparty.TriggerSchedule, "", workflowID, in)
	_, err := s.db.NewInsert().Model(row).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: begin clean-up run: %w", err)
	}
	_, err = s.db.NewUpdate().Model((*runRow)(nil)).Set("state = 'running'").Set("started_at = now()").Set("updated_at = now()").
		Where("id = ? AND state = 'queued'", in.RunID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: begin clean-up run: %w", err)
	}
	return nil
}

// Run finds a clean-up run by its ID.
func (s *Store) Run(ctx context.Context, id string) (watchparty.CleanupRun, error) {
	var row runRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.run(), found(err, "clean-up run")
}

// Runs lists clean-up runs, newest first.
func (s *Store) Runs(ctx context.Context, p Page) ([]watchparty.CleanupRun, error) {
	var rows []runRow
	q := s.db.NewSelect().Model(&rows).Order("created_at DESC", "id DESC").Limit(p.Limit)
	if p.After != "" {
		q = q.Where("(created_at, id) < (SELECT created_at, id FROM cleanup_runs WHERE id = ?)", p.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: clean-up runs: %w", err)
	}
	return convert(rows, runRow.run), nil
}

// Statements that apply one policy to a batch. The condition is checked again where the row is changed, so a row that
// became active since it was chosen survives. Each returns the rooms that it touched, one for each row.
var batches = map[watchparty.Policy]string{
	watchparty.PolicyParticipants: `
		WITH chosen AS MATERIALIZED (
			SELECT room_id, user_id FROM participants WHERE last_seen_at < ?0
			ORDER BY last_seen_at LIMIT ?1 FOR UPDATE SKIP LOCKED)
		DELETE FROM participants AS p USING chosen
		WHERE p.room_id = chosen.room_id AND p.user_id = chosen.user_id AND p.last_seen_at < ?0
		RETURNING p.room_id`,
	watchparty.PolicyMessages: `
		WITH chosen AS MATERIALIZED (
			SELECT id FROM messages WHERE created_at < ?0
			ORDER BY created_at LIMIT ?1 FOR UPDATE SKIP LOCKED)
		DELETE FROM messages AS m USING chosen WHERE m.id = chosen.id AND m.created_at < ?0
		RETURNING m.room_id`,
	watchparty.PolicyRooms: `
		SELECT id FROM rooms AS r WHERE ` + inactiveRoom + `
		ORDER BY last_active_at LIMIT ?1 FOR UPDATE SKIP LOCKED`,
}

// archiveRooms is the second half of PolicyRooms. What makes a room active is in other tables, and a statement sees
// those as they were when it began, whatever it locks. So one statement locks the rooms, which keeps everyone from
// entering and speaking, and another judges them.
const archiveRooms = `
	UPDATE rooms AS r SET archived_at = now(), updated_at = now(), version = version + 1 WHERE r.id IN (?1) AND ` + inactiveRoom + `
	RETURNING id`

// inactiveRoom: nothing about the room, nobody in it and nothing said in it is newer than the threshold.
const inactiveRoom = `r.archived_at IS NULL AND r.last_active_at < ?0 AND r.updated_at < ?0
	AND NOT EXISTS (SELECT FROM participants WHERE room_id = r.id AND last_seen_at >= ?0)
	AND NOT EXISTS (SELECT FROM messages WHERE room_id = r.id AND created_at >= ?0)`

var counts = map[watchparty.Policy]string{
	watchparty.PolicyParticipants: `SELECT count(*) FROM participants WHERE last_seen_at < ?0`,
	watchparty.PolicyMessages:     `SELECT count(*) FROM messages WHERE created_at < ?0`,
	watchparty.PolicyRooms:        `SELECT count(*) FROM rooms AS r WHERE ` + inactiveRoom,
}

// CleanupBatch applies a policy to at most limit rows older than the threshold and adds their number to the run's
// count in the same transaction, so that a repeated attempt counts nothing twice. It returns the number and the rooms
// whose cached reads are out of date.
func (s *Store) CleanupBatch(ctx context.Context, runID string, policy watchparty.Policy, threshold time.Time, limit int) (int, []string, error) {
	statement, ok := batches[policy]
	if !ok {
		return 0, nil, fmt.Errorf("store: clean-up: unknown policy %q", policy)
	}
	var rooms []string
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := tx.NewRaw(statement, threshold, limit).Scan(ctx, &rooms); err != nil {
			return err
		}
		if policy == watchparty.PolicyRooms && len(rooms) > 0 {
			locked := rooms
			rooms = nil
			if err := tx.NewRaw(archiveRooms, threshold, bun.List(locked)).Scan(ctx, &rooms); err != nil {
				return err
			}
		}
		return addCount(ctx, tx, runID, policy, int64(len(rooms)))
	})
	if err != nil {
		return 0, nil, fmt.Errorf("store: clean-up %s: %w", policy, err)
	}
	return len(rooms), rooms, nil
}

// CountCleanup stores how many rows a policy would apply to, for a dry run.
func (s *Store) CountCleanup(ctx context.Context, runID string, policy watchparty.Policy, threshold time.Time) error {
	statement, ok := counts[policy]
	if !ok {
		return fmt.Errorf("store: clean-up: unknown policy %q", policy)
	}
	var n int64
	if err := s.db.NewRaw(statement, threshold).Scan(ctx, &n); err != nil {
		return fmt.Errorf("store: count %s: %w", policy, err)
	}
	return s.SetCleanupCount(ctx, runID, policy, n)
}

// SetCleanupCount stores what a dry run has counted.
func (s *Store) SetCleanupCount(ctx context.Context, runID string, policy watchparty.Policy, n int64) error {
	_, err := s.db.NewUpdate().Model((*runRow)(nil)).
		Set("counts = counts || jsonb_build_object(?::text, ?::bigint)", string(policy), n).Set("updated_at = now()").
		Where("id = ?", runID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: count %s: %w", policy, err)
	}
	return nil
}

// AddCleanupCount adds to what a run has done outside of the database.
func (s *Store) AddCleanupCount(ctx context.Context, runID string, policy watchparty.Policy, n int64) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return addCount(ctx, tx, runID, policy, n) })
	if err != nil {
		return fmt.Errorf("store: add to the count of %s: %w", policy, err)
	}
	return nil
}

func addCount(ctx context.Context, tx bun.Tx, runID string, policy watchparty.Policy, n int64) error {
	_, err := tx.NewUpdate().Model((*runRow)(nil)).
		Set("counts = counts || jsonb_build_object(?0::text, coalesce((counts->>?0)::bigint, 0) + ?1)", string(policy), n).
		Set("updated_at = now()").Where("id = ?", runID).Exec(ctx)
	return err
}

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
		ID: r.ID, Kind: r.Kind, RunID: value(r.RunID), PeriodStart: r.PeriodStart.UTC(), PeriodEnd: r.PeriodEnd.UTC(),
		Data: r.Data, CreatedAt: r.CreatedAt.UTC(),
	}
}

// FinishRun ends a run, failed when a policy failed, and stores its report. Repeating it changes nothing.
func (s *Store) FinishRun(ctx context.Context, runID string, failures map[watchparty.Policy]string) (watchparty.CleanupRun, error) {
	var row runRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := tx.NewSelect().Model(&row).Where("id = ?", runID).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		if row.FinishedAt != nil {
			return nil
		}
		now := now()
		row.FinishedAt, row.UpdatedAt, row.State = &now, now, string(watchparty.RunCompleted)
		if len(failures) > 0 {
			row.State, row.Errors = string(watchparty.RunFailed), failures
		}
		if _, err := tx.NewUpdate().Model(&row).Column("finished_at", "updated_at", "state", "errors").WherePK().Exec(ctx); err != nil {
			return err
		}
		return addCleanupReport(ctx, tx, row)
	})
	return row.run(), found(err, "finish clean-up run")
}

func addCleanupReport(ctx context.Context, tx bun.Tx, run runRow) error {
	data, err := json.Marshal(map[string]any{
		"trigger": run.Trigger, "dry_run": run.DryRun, "policies": run.Policies, "state": run.State,
		"counts": run.Counts, "errors": run.Errors,
	})
	if err != nil {
		return err
	}
	report := &reportRow{
		ID: newID(), Kind: "cleanup", RunID: &run.ID, PeriodStart: value(run.StartedAt), PeriodEnd: value(run.FinishedAt),
		Data: data, CreatedAt: now(),
	}
	_, err = tx.NewInsert().Model(report).Exec(ctx)
	return err
}

// Reports lists reports, newest first.
func (s *Store) Reports(ctx context.Context, p Page) ([]watchparty.Report, error) {
	var rows []reportRow
	q := s.db.NewSelect().Model(&rows).Order("id DESC").Limit(p.Limit)
	if p.After != "" {
		q = q.Where("id < ?", p.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: reports: %w", err)
	}
	return convert(rows, reportRow.report), nil
}

// Report finds a report by its ID.
func (s *Store) Report(ctx context.Context, id string) (watchparty.Report, error) {
	var row reportRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.report(), found(err, "report")
}
