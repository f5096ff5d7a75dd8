package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit,alias:a"`

	ID            string         `bun:"id,pk"`
	ActorID       *string        `bun:"actor_id"`
	Action        string         `bun:"action"`
	TargetKind    string         `bun:"target_kind"`
	TargetID      string         `bun:"target_id"`
	Details       map[string]any `bun:"details,type:jsonb"`
	CreatedAt     time.Time      `bun:"created_at"`
	ActorUsername *string        `bun:"actor_username"`
}

func (r auditRow) entry() watchparty.AuditEntry {
	return watchparty.AuditEntry{
		ID: r.ID, Actor: person(r.ActorID, r.ActorUsername), Action: watchparty.AuditAction(r.Action),
		TargetKind: watchparty.AuditKind(r.TargetKind), TargetID: r.TargetID, Details: r.Details, CreatedAt: r.CreatedAt.UTC(),
	}
}

// audit adds a line to the audit log in the transaction of the act. An operator's command has no actor. Who it was stays
// in the log, with the name at the time, when their account is gone.
func audit(
	ctx context.Context, tx bun.Tx, actorID string, action watchparty.AuditAction, kind watchparty.AuditKind, targetID string,
	details map[string]any,
) error {
	if details == nil {
		details = map[string]any{}
	}
	row := &auditRow{
		ID: newID(), ActorID: nullID(actorID), Action: string(action), TargetKind: string(kind), TargetID: targetID,
		Details: details, CreatedAt: now(),
	}
	_, err := tx.NewInsert().Model(row).Value("actor_username", "(SELECT username FROM users WHERE id = ?)", row.ActorID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: audit %s: %w", action, err)
	}
	return nil
}

// Audit lists what admins did, newest first.
func (s *Store) Audit(ctx context.Context, f watchparty.AuditFilter, p Page) ([]watchparty.AuditEntry, error) {
	var rows []auditRow
	q := s.db.NewSelect().Model(&rows)
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
	return convert(rows, auditRow.entry), nil
}

// AuditSchedule records what an admin did to a schedule, which Temporal keeps.
func (s *Store) AuditSchedule(ctx context.Context, adminID, schedule string, action watchparty.AuditAction, details map[string]any) error {
	all := map[string]any{"schedule": schedule}
	maps.Copy(all, details)
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("schedule/"+schedule)).String()
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit(ctx, tx, adminID, action, watchparty.AuditSchedule, id, all)
	})
	return found(err, "audit schedule")
}
