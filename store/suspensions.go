package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

var searchableUsers = searchable{
	alias: "u", from: "users AS u", length: "char_length(u.username)", newest: true, also: byBeginningOfAddress,
}

// byBeginningOfAddress finds an address as it was typed, by its key's beginning, and, written otherwise, as a whole.
func byBeginningOfAddress(typed string) schema.QueryWithArgs {
	return bun.SafeQuery("(lower(u.email) LIKE lower(?) || '%' OR u.email_key LIKE ? || '%' OR u.email_key = ?)",
		escapeLike.Replace(typed), escapeLike.Replace(watchparty.AddressPrefix(typed)), watchparty.AccountKey(typed))
}

// Users lists accounts, newest first, or the closest first when it searches for something: by their names, and by their
// addresses.
func (s *Store) Users(ctx context.Context, f watchparty.UserFilter, p Page) ([]watchparty.User, error) {
	choose := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("u.deleted_at IS NULL")
		switch f.State {
		case watchparty.UserActive:
			q = q.Where("u.suspended_at IS NULL")
		case watchparty.UserSuspended:
			q = q.Where("u.suspended_at IS NOT NULL")
		}
		if f.Admins {
			q = q.Where("u.is_admin")
		}
		return q
	}
	list := func(rows *[]userRow) *bun.SelectQuery {
		return s.db.NewSelect().Model(rows).ColumnExpr("?TableColumns")
	}
	rows, err := searchPage(ctx, s, searchableUsers, list, choose, f.Search, p)
	if err != nil {
		return nil, fmt.Errorf("store: users: %w", err)
	}
	return mapRows(rows, userRow.user), nil
}

// escapeLike takes their meaning from LIKE's special characters.
var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Suspended is an account whose suspension was changed, and what that has changed for others.
type Suspended struct {
	User  watchparty.User
	Rooms []string // that it hosts
	Wrote []string // rooms in which there are messages of its, if those were hidden or shown
}

// SuspendUser refuses the account new sign-ins, ends those that it has and its open invitations, and hides what it
// made, or does not. One that is suspended already stays so since the first time; whether its content is hidden is as
// it was asked last. It returns ErrNotFound, ErrLastAdmin, ErrUnknownReport and ErrReportResolved.
func (s *Store) SuspendUser(ctx context.Context, adminID, userID string, why watchparty.Suspension) (Suspended, error) {
	return s.changeSuspension(ctx, "suspend user", adminID, userID, func(ctx context.Context, tx bun.Tx, row *userRow) (err error) {
		if row.SuspendedAt == nil {
			if err := anotherAdmin(ctx, tx, *row); err != nil {
				return err
			}
			if err := endSessions(ctx, tx, userID, ""); err != nil {
				return err
			}
		}
		if row.SuspendedAt == nil || (row.HiddenAt != nil) != why.HideContent {
			if err := setSuspended(ctx, tx, row, true, why.HideContent); err != nil {
				return err
			}
			details := map[string]any{"reason": why.Reason, "hide_content": why.HideContent}
			if err := audit(ctx, tx, adminID, watchparty.AuditUserSuspended, watchparty.AuditUser, userID, details); err != nil {
				return err
			}
		}
		return resolveWith(ctx, tx, adminID, why.ReportID, "subject_id", userID, why.Reason)
	})
}

// ReinstateUser lets the account sign in again, and shows what was hidden. What the suspension has ended stays so. It
// returns ErrNotFound.
func (s *Store) ReinstateUser(ctx context.Context, adminID, userID string) (Suspended, error) {
	return s.changeSuspension(ctx, "reinstate user", adminID, userID, func(ctx context.Context, tx bun.Tx, row *userRow) error {
		if row.SuspendedAt == nil {
			return nil
		}
		if err := setSuspended(ctx, tx, row, false, false); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserReinstated, watchparty.AuditUser, userID, nil)
	})
}

// changeSuspension runs change on an account, and finds what others see differently then.
func (s *Store) changeSuspension(
	ctx context.Context, operation, adminID, userID string, change func(context.Context, bun.Tx, *userRow) error,
) (Suspended, error) {
	var done Suspended
	err := s.actOnUser(ctx, adminID, userID, func(ctx context.Context, tx bun.Tx, row *userRow) error {
		before := row.user()
		if err := change(ctx, tx, row); err != nil {
			return err
		}
		done = Suspended{User: row.user()}
		hiding := !before.HiddenAt.Equal(done.User.HiddenAt)
		if hiding || !before.SuspendedAt.Equal(done.User.SuspendedAt) {
			err := tx.NewSelect().Model((*roomRow)(nil)).Column("id").Where("host_id = ? AND deleted_at IS NULL", userID).Scan(ctx, &done.Rooms)
			if err != nil {
				return err
			}
		}
		if !hiding {
			return nil
		}
		return tx.NewSelect().Model((*messageRow)(nil)).ColumnExpr("DISTINCT room_id").Where("user_id = ?", userID).Scan(ctx, &done.Wrote)
	})
	return done, found(err, operation)
}

// EndUserSessions ends all of an account's sign-ins. It returns ErrNotFound.
func (s *Store) EndUserSessions(ctx context.Context, adminID, userID string) error {
	err := s.actOnUser(ctx, adminID, userID, func(ctx context.Context, tx bun.Tx, _ *userRow) error {
		if err := endSessions(ctx, tx, userID, ""); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserSessionsEnded, watchparty.AuditUser, userID, nil)
	})
	return found(err, "end user's sessions")
}

// actOnUser runs act on an account whose sign-ins nobody begins or goes on with meanwhile. Invitations of the account's
// that lose their basis by it end in the same transaction. It returns what administering returns, before anything
// changes.
func (s *Store) actOnUser(ctx context.Context, adminID, userID string, act func(context.Context, bun.Tx, *userRow) error) error {
	return s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		row, err := lockUser(ctx, tx, userID)
		if err != nil {
			return nil, err
		}
		if err := administering(ctx, tx, adminID); err != nil {
			return nil, err
		}
		if err := act(ctx, tx, &row); err != nil {
			return nil, err
		}
		return endUnfounded(ctx, tx, "i.inviter_id = ?", userID)
	})
}

func setSuspended(ctx context.Context, tx bun.Tx, row *userRow, suspended, hidden bool) error {
	return tx.NewUpdate().Model(row).Set("updated_at = now()").
		Set("suspended_at = CASE WHEN ? THEN coalesce(suspended_at, now()) END", suspended).
		Set("hidden_at = CASE WHEN ? THEN now() END", hidden).WherePK().Returning("*").Scan(ctx)
}
