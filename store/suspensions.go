package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// SuspendUser refuses new sign-ins of an account, ends its sign-ins and its open invitations, and hides or shows its
// content as requested. Suspending it again keeps the first time, and applies the latest request to the content. It
// returns ErrNotFound, ErrLastAdmin, ErrUnknownReport and ErrReportResolved.
func (s *Store) SuspendUser(
	ctx context.Context,
	adminID, userID string,
	why watchparty.Suspension,
) (watchparty.User, error) {
	return s.changeSuspension(ctx, "suspend user", adminID, userID,
		func(ctx context.Context, tx bun.Tx, row *userRow) (err error) {
			if row.SuspendedAt == nil {
				if err := anotherAdmin(ctx, tx, *row); err != nil {
					return err
				}
				if err := endSessions(ctx, tx, userID, ""); err != nil {
					return err
				}
				tell(ctx, watchparty.WebhookEvent{
					Kind: watchparty.WebhookUserSuspended, UserID: userID,
					Data: watchparty.UserSuspendedData{UserID: userID, ContentHidden: why.HideContent},
				})
			}
			if row.SuspendedAt == nil || (row.HiddenAt != nil) != why.HideContent {
				if err := setSuspended(ctx, tx, row, true, why.HideContent); err != nil {
					return err
				}
				details := map[string]any{"reason": why.Reason, "hide_content": why.HideContent}
				if err := audit(ctx, tx, adminID, watchparty.AuditUserSuspended, watchparty.AuditUser, userID,
					details); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context, tx bun.Tx) error {
			return resolveWith(ctx, tx, adminID, why.ReportID, "subject_id", userID, why.Reason)
		})
}

// ReinstateUser lets an account sign in again, and shows its hidden content. What the suspension has ended stays ended.
// It returns ErrNotFound.
func (s *Store) ReinstateUser(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	return s.changeSuspension(ctx, "reinstate user", adminID, userID,
		func(ctx context.Context, tx bun.Tx, row *userRow) error {
			if row.SuspendedAt == nil {
				return nil
			}
			if err := setSuspended(ctx, tx, row, false, false); err != nil {
				return err
			}
			return audit(ctx, tx, adminID, watchparty.AuditUserReinstated, watchparty.AuditUser, userID, nil)
		}, nil)
}

// changeSuspension runs change on an account, and finds what others see differently after it.
func (s *Store) changeSuspension(
	ctx context.Context, operation, adminID, userID string, change func(context.Context, bun.Tx, *userRow) error,
	after func(context.Context, bun.Tx) error,
) (watchparty.User, error) {
	var done watchparty.User
	err := s.actOnUser(ctx, adminID, userID, func(ctx context.Context, tx bun.Tx, row *userRow) error {
		before := row.user()
		if err := change(ctx, tx, row); err != nil {
			return err
		}
		done = row.user()
		if before.HiddenAt.Equal(done.HiddenAt) && before.SuspendedAt.Equal(done.SuspendedAt) {
			return nil
		}
		var rooms []string
		err := tx.NewSelect().Model((*roomRow)(nil)).Column("id").Where("host_id = ? AND deleted_at IS NULL", userID).
			Scan(ctx, &rooms)
		if err != nil {
			return err
		}
		_, err = changesPerson(ctx, tx, *row, rooms)
		return err
	}, after)
	return done, wrapErr(err, operation)
}

// EndUserSessions ends all of an account's sign-ins. It returns ErrNotFound.
func (s *Store) EndUserSessions(ctx context.Context, adminID, userID string) error {
	err := s.actOnUser(ctx, adminID, userID, func(ctx context.Context, tx bun.Tx, _ *userRow) error {
		if err := endSessions(ctx, tx, userID, ""); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserSessionsEnded, watchparty.AuditUser, userID, nil)
	}, nil)
	return wrapErr(err, "end user's sessions")
}

// EndUserSession ends one of an account's sign-ins. It returns ErrNotFound for a sign-in that has ended or is another
// account's.
func (s *Store) EndUserSession(ctx context.Context, adminID, userID, sessionID string) error {
	err := s.actOnUser(ctx, adminID, userID, func(ctx context.Context, tx bun.Tx, _ *userRow) error {
		if err := endSession(ctx, tx, userID, sessionID); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserSessionEnded, watchparty.AuditUser, userID,
			map[string]any{"session_id": sessionID})
	}, nil)
	return wrapErr(err, "end user's session")
}

// actOnUser runs act on an account while no sign-in of it can begin or go on. In the same transaction it ends the
// account's invitations that lose their basis by the act, and then runs after, if given: reports of abuse are locked
// after invitations. It returns what requireAdmin returns, before anything changes.
func (s *Store) actOnUser(
	ctx context.Context, adminID, userID string, act func(context.Context, bun.Tx, *userRow) error,
	after func(context.Context, bun.Tx) error,
) error {
	return s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		row, err := lockUserForAdmin(ctx, tx, userID, adminID)
		if err != nil {
			return nil, err
		}
		if err := act(ctx, tx, &row); err != nil {
			return nil, err
		}
		events, err := revokeWithoutRight(ctx, tx, "i.inviter_id = ?", userID)
		if err == nil && after != nil {
			err = after(ctx, tx)
		}
		return events, err
	})
}

func setSuspended(ctx context.Context, tx bun.Tx, row *userRow, suspended, hidden bool) error {
	return tx.NewUpdate().Model(row).Set("updated_at = now()").
		Set("suspended_at = CASE WHEN ? THEN coalesce(suspended_at, now()) END", suspended).
		Set("hidden_at = CASE WHEN ? THEN now() END", hidden).WherePK().Returning("*").Scan(ctx)
}
