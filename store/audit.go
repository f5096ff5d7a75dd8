package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit,alias:a"`

	ID            string            `bun:"id,pk"`
	ActorID       *string           `bun:"actor_id"`
	Action        string            `bun:"action"`
	TargetKind    string            `bun:"target_kind"`
	TargetID      string            `bun:"target_id"`
	Details       map[string]any    `bun:"details,type:jsonb"`
	CreatedAt     time.Time         `bun:"created_at"`
	ActorUsername *string           `bun:"actor_username"`
	Actor         watchparty.Person `bun:"actor,type:json,scanonly"`
	Target        watchparty.Person `bun:"target,type:json,scanonly"`
	Outcome       string            `bun:"outcome"`
	OutcomeNow    string            `bun:"outcome_now,scanonly"`
}

func (r auditRow) entry() watchparty.AuditEntry {
	return watchparty.AuditEntry{
		ID: r.ID, Actor: r.actor(), Action: watchparty.AuditAction(r.Action),
		TargetKind: watchparty.AuditKind(r.TargetKind), TargetID: r.TargetID, Target: r.Target, Details: r.Details,
		Outcome:   watchparty.AuditOutcome(r.OutcomeNow),
		CreatedAt: r.CreatedAt.UTC(),
	}
}

// actor is the admin who acted. For a deleted account it has the username at the time, which only the audit log keeps.
func (r auditRow) actor() watchparty.Person {
	if r.Actor.ID != "" || r.ActorID == nil || r.ActorUsername == nil {
		return r.Actor
	}
	return watchparty.Person{ID: *r.ActorID, Username: *r.ActorUsername, DisplayName: *r.ActorUsername}
}

// audit adds an entry to the audit log in the transaction of the act. An operator's command has no actor. The entry
// keeps the actor's username at the time, also when the account is deleted later, and has the note of the context,
// watchparty.WithAdminNote. It returns what requireAdmin returns, so that no act is committed after its actor has lost
// the rights; an act that ends the actor's own rights is therefore audited before it is carried out.
func audit(
	ctx context.Context, tx bun.Tx, actorID string, action watchparty.AuditAction, kind watchparty.AuditKind,
	targetID string, details map[string]any,
) error {
	return addAudit(ctx, tx, auditRow{
		ID: newID(), ActorID: nullID(actorID), Action: string(action), TargetKind: string(kind), TargetID: targetID,
		Details: details, Outcome: string(watchparty.AuditDone),
	})
}

func addAudit(ctx context.Context, tx bun.Tx, row auditRow) error {
	if row.Details == nil {
		row.Details = map[string]any{}
	}
	if note := watchparty.AdminNoteOf(ctx); note != "" {
		row.Details["note"] = note
	}
	row.CreatedAt = Now()
	if row.ActorID != nil {
		if err := requireAdmin(ctx, tx, *row.ActorID); err != nil {
			return err
		}
	}
	_, err := tx.NewInsert().Model(&row).Value("actor_username", "(SELECT username FROM users WHERE id = ?)",
		row.ActorID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: audit %s: %w", row.Action, err)
	}
	return nil
}

func selectAudit(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("a.*").ColumnExpr(personOf("a.actor_id")+" AS actor").
		ColumnExpr("CASE a.target_kind WHEN 'user' THEN "+personOf("a.target_id")+" END AS target").
		ColumnExpr("CASE WHEN a.outcome = 'pending' AND a.updated_at < now() - make_interval(secs => ?) THEN 'unknown' "+
			"ELSE a.outcome END AS outcome_now",
			watchparty.AuditPendingFor.Seconds())
}

// Audit lists what admins did, newest first.
func (s *Store) Audit(ctx context.Context, f watchparty.AuditFilter, p Page) ([]watchparty.AuditEntry, error) {
	var rows []auditRow
	q := selectAudit(s.db, &rows)
	if f.ActorID != "" {
		q = q.Where("a.actor_id = ?", f.ActorID)
	}
	if f.TargetID != "" {
		q = q.Where("a.target_id = ?", f.TargetID)
	}
	if f.Action != "" {
		q = q.Where("a.action = ?", string(f.Action))
	}
	if err := p.of(q, descending, "a.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: audit: %w", err)
	}
	return mapRows(rows, auditRow.entry), nil
}

// AuditSchedule runs an admin's act on a schedule in Temporal, and records it and its outcome.
func (s *Store) AuditSchedule(
	ctx context.Context, adminID, schedule string, action watchparty.AuditAction, details map[string]any,
	act func(context.Context) error,
) error {
	all := map[string]any{"schedule": schedule}
	maps.Copy(all, details)
	return s.audited(ctx, auditRow{
		ActorID: nullID(adminID), Action: string(action), TargetKind: string(watchparty.AuditSchedule),
		TargetID: ScheduleAuditID(schedule), Details: all,
	}, act)
}

// SchedulePause returns the note of the admin who has paused a schedule, unless an admin has resumed it since. Temporal
// forgets that when the schedule is deleted or its database lost. Acts that Temporal refused do not count.
func (s *Store) SchedulePause(ctx context.Context, schedule string) (note string, paused bool, err error) {
	var row auditRow
	err = s.db.NewSelect().Model(&row).Column("action", "details").Where("target_id = ?", ScheduleAuditID(schedule)).
		Where("action IN (?, ?)", string(watchparty.AuditSchedulePaused), string(watchparty.AuditScheduleResumed)).
		Where("outcome <> ?", string(watchparty.AuditFailed)).
		Order("id DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("store: schedule's pause: %w", err)
	}
	note, _ = row.Details["note"].(string)
	return note, row.Action == string(watchparty.AuditSchedulePaused), nil
}

// maxScheduleActs is how many of the latest pauses and resumptions of a schedule are read.
const maxScheduleActs = 1000

// SchedulePauses returns the pauses of a schedule's work by admins that lasted at that time or later: of the schedule
// itself, and of the queue that its runs use. Acts that Temporal refused do not count.
func (s *Store) SchedulePauses(
	ctx context.Context, schedule string, since time.Time,
) ([]watchparty.SchedulePause, error) {
	var rows []struct {
		Queue    bool       `bun:"queue"`
		PausedAt time.Time  `bun:"paused_at"`
		EndedAt  *time.Time `bun:"ended_at"`
	}
	err := s.db.NewRaw(`
		SELECT * FROM (
			SELECT true AS queue, created_at AS paused_at, resumed_at AS ended_at FROM queue_pauses WHERE queue = ?0
			UNION ALL SELECT false, created_at, ended_at FROM (
				SELECT action, created_at, lead(created_at) OVER (ORDER BY id) AS ended_at FROM (
					SELECT id, action, created_at FROM audit
					WHERE target_id = ?1 AND action IN (?2, ?3) AND outcome <> ?4 ORDER BY id DESC LIMIT ?5) AS acts
				) AS pairs WHERE action = ?2
		) AS pauses WHERE ended_at IS NULL OR ended_at >= ?6 ORDER BY paused_at`,
		job.TaskQueueMaintenance, ScheduleAuditID(schedule), string(watchparty.AuditSchedulePaused),
		string(watchparty.AuditScheduleResumed), string(watchparty.AuditFailed), maxScheduleActs, since).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: schedule's pauses: %w", err)
	}
	pauses := make([]watchparty.SchedulePause, 0, len(rows))
	for _, r := range rows {
		pauses = append(pauses, watchparty.SchedulePause{
			Queue: r.Queue, PausedAt: r.PausedAt.UTC(), EndedAt: valueOrZero(r.EndedAt).UTC(),
		})
	}
	return pauses, nil
}

// SchedulePausedUntil returns when the latest pause of a schedule's work by an admin ended, of the schedule itself or
// of the queue that its runs use: now while one lasts, and the zero time if there was none.
func (s *Store) SchedulePausedUntil(ctx context.Context, schedule string) (time.Time, error) {
	var until *time.Time
	err := s.db.NewRaw(`
		SELECT max(until) FROM (
			SELECT coalesce(resumed_at, now()) AS until FROM queue_pauses WHERE queue = ?0
			UNION ALL (SELECT CASE action WHEN ?2 THEN now() ELSE created_at END FROM audit
				WHERE target_id = ?1 AND action IN (?2, ?3) AND outcome <> ?4 ORDER BY id DESC LIMIT 1)
		) AS pauses`, job.TaskQueueMaintenance, ScheduleAuditID(schedule), string(watchparty.AuditSchedulePaused),
		string(watchparty.AuditScheduleResumed), string(watchparty.AuditFailed)).Scan(ctx, &until)
	if err != nil {
		return time.Time{}, fmt.Errorf("store: schedule's latest pause: %w", err)
	}
	return valueOrZero(until).UTC(), nil
}

// ScheduleAuditID is the ID of a schedule in the audit log, derived from its name: the log has IDs only.
func ScheduleAuditID(schedule string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("schedule/"+schedule)).String()
}

// noteTime limits how long recording the outcome of an act may take; the request may have ended by then.
const noteTime = 10 * time.Second

// audited runs an act of an admin that is not part of the database's transaction. It commits the entry before it runs
// the act, so that no act is without an entry; if the entry cannot be stored, the act does not run. It returns the
// act's error.
func (s *Store) audited(ctx context.Context, row auditRow, act func(context.Context) error) error {
	return s.auditedWith(ctx, row, func(context.Context, bun.Tx) error { return nil }, act)
}

// auditedWith is audited with changes of the database that belong to the act, in the transaction of the entry.
func (s *Store) auditedWith(
	ctx context.Context, row auditRow, change func(context.Context, bun.Tx) error, act func(context.Context) error,
) error {
	row.ID, row.Outcome = newID(), string(watchparty.AuditPending)
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := addAudit(ctx, tx, row); err != nil {
			return err
		}
		return change(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("store: audited act: %w", err)
	}
	outcome := watchparty.AuditDone
	failure := act(ctx)
	switch {
	case watchparty.IsKind(failure, watchparty.KindUnavailable):
		outcome = watchparty.AuditUnknown
	case failure != nil:
		outcome = watchparty.AuditFailed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	_, err = s.db.NewUpdate().Model((*auditRow)(nil)).Set("outcome = ?", string(outcome)).Set("updated_at = now()").
		Where("id = ?", row.ID).Exec(ctx)
	if err != nil {
		err = fmt.Errorf("store: audited act's outcome: %w", err)
	}
	return errors.Join(failure, err)
}
