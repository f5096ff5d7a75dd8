package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// JobAct is an admin's act on a job in Temporal.
type JobAct struct {
	Action     watchparty.AuditAction
	WorkflowID string
	RunID      string
	Kind       string // the workflow's type
	Batch      string // the ID that all acts of one request have; empty for one by itself
}

// AuditJob runs an admin's act on a job, and records it and its outcome. In the transaction of the entry it ends the
// rows that only the job would end: the email of a job that is cancelled or terminated, and the run or the upload of
// one that is terminated, since it will not tidy up.
func (s *Store) AuditJob(ctx context.Context, adminID string, a JobAct, act func(context.Context) error) error {
	details := map[string]any{"workflow_id": a.WorkflowID, "run_id": a.RunID, "kind": a.Kind}
	if a.Batch != "" {
		details["batch"] = a.Batch
	}
	return s.auditedWith(ctx, auditRow{
		ActorID: nullID(adminID), Action: string(a.Action), TargetKind: string(watchparty.AuditJob),
		TargetID: JobAuditID(a.WorkflowID), Details: details,
	}, func(ctx context.Context, tx bun.Tx) error { return endRowsOf(ctx, tx, a) }, act)
}

// JobAuditID is the ID of a job in the audit log, derived from its workflow's ID.
func JobAuditID(workflowID string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("job/"+workflowID)).String()
}

func endRowsOf(ctx context.Context, tx bun.Tx, a JobAct) error {
	if a.Action == watchparty.AuditJobRetried {
		return nil
	}
	_, err := tx.NewRaw(`UPDATE emails SET state = 'cancelled', reason = ?, updated_at = now() WHERE id IN (
		SELECT id FROM emails WHERE workflow_id = ? AND `+unfinished+` ORDER BY id FOR NO KEY UPDATE)`,
		string(watchparty.ReasonCancelled), a.WorkflowID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: cancel the job's email: %w", err)
	}
	if a.Action != watchparty.AuditJobTerminated {
		return nil
	}
	switch a.Kind {
	case job.WorkflowCleanup:
		return endRunOf(ctx, tx, a.WorkflowID)
	case job.WorkflowProcessAvatar:
		return endUploadOf(ctx, tx, a.WorkflowID)
	}
	return nil
}

func endRunOf(ctx context.Context, tx bun.Tx, workflowID string) error {
	var ids []string
	err := tx.NewRaw("SELECT id FROM cleanup_runs WHERE workflow_id = ? AND state IN ('queued', 'running') "+
		"ORDER BY id FOR UPDATE", workflowID).Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("store: the job's run: %w", err)
	}
	for _, id := range ids { // one
		if _, _, err := endLostRun(ctx, tx, id); err != nil {
			return fmt.Errorf("store: end the job's run: %w", err)
		}
	}
	return nil
}

func endUploadOf(ctx context.Context, tx bun.Tx, workflowID string) error {
	parts := strings.Split(workflowID, "/") // avatar/user/version
	if len(parts) != 3 {
		return nil
	}
	version, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil //nolint:nilerr // it is no upload's
	}
	_, err = tx.NewRaw("UPDATE avatars SET state = 'failed', reason = ?, updated_at = now() "+
		"WHERE user_id = ? AND version = ? AND state = 'processing'", watchparty.AvatarReasonLost, parts[1], version).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: end the job's upload: %w", err)
	}
	return nil
}

// ResendEmailOfJob queues another email about the same as the newest one that a workflow was to send. It returns
// ErrNotFound if the workflow has sent none or its email is still to be sent, and ErrNothingToRetry if the mail server
// has it.
func (s *Store) ResendEmailOfJob(ctx context.Context, adminID, workflowID string) (watchparty.Email, error) {
	var row emailRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return nil, err
		}
		var former emailRow
		err := tx.NewSelect().Model(&former).Where("workflow_id = ?", workflowID).Order("id DESC").Limit(1).
			For("NO KEY UPDATE").Scan(ctx)
		switch m := former.email(); {
		case err != nil:
			return nil, err
		case m.State == watchparty.EmailSent:
			return nil, watchparty.ErrNothingToRetry
		case !m.Ended():
			return nil, watchparty.ErrNotFound
		}
		row = former.again(newID())
		return resend(ctx, tx, adminID, row)
	})
	return row.email(), wrapErr(err, "resend the job's email")
}
