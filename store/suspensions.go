package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Users lists accounts, newest first.
func (s *Store) Users(ctx context.Context, search watchparty.UserSearch, p Page) ([]watchparty.User, error) {
	var rows []userRow
	q := s.db.NewSelect().Model(&rows).Where("u.deleted_at IS NULL")
	if search.Prefix != "" {
		pattern, address := escapeLike.Replace(search.Prefix), escapeLike.Replace(watchparty.AddressPrefix(search.Prefix))
		q = q.Where("(lower(u.username) LIKE lower(?0) || '%' OR lower(u.email) LIKE lower(?0) || '%' OR u.email_key LIKE ?1 || '%' OR u.email_key = ?2)",
			pattern, address, watchparty.AccountKey(search.Prefix))
	}
	switch search.State {
	case watchparty.UserActive:
		q = q.Where("u.suspended_at IS NULL")
	case watchparty.UserSuspended:
		q = q.Where("u.suspended_at IS NOT NULL")
	}
	if err := p.of(q, descending, "u.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: users: %w", err)
	}
	return convert(rows, userRow.user), nil
}

// escapeLike takes their meaning from LIKE's special characters.
var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// SuspendUser refuses the account new sign-ins, and ends those that it has and its open invitations. One that is suspended already stays so since
// the first time. It returns ErrNotFound.
func (s *Store) SuspendUser(ctx context.Context, adminID, userID string, why watchparty.Suspension) (watchparty.User, error) {
	row, err := s.actOnUser(ctx, userID, func(ctx context.Context, tx bun.Tx, row *userRow) error {
		if row.SuspendedAt != nil {
			return nil
		}
		if err := setSuspended(ctx, tx, row, now()); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, userID, ""); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserSuspended, watchparty.AuditUser, userID, map[string]any{"reason": why.Reason})
	})
	return row.user(), found(err, "suspend user")
}

// ReinstateUser lets the account sign in again. What the suspension has ended stays so. It returns ErrNotFound.
func (s *Store) ReinstateUser(ctx context.Context, adminID, userID string) (watchparty.User, error) {
	row, err := s.actOnUser(ctx, userID, func(ctx context.Context, tx bun.Tx, row *userRow) error {
		if row.SuspendedAt == nil {
			return nil
		}
		if err := setSuspended(ctx, tx, row, time.Time{}); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserReinstated, watchparty.AuditUser, userID, nil)
	})
	return row.user(), found(err, "reinstate user")
}

// EndUserSessions ends all of an account's sign-ins. It returns ErrNotFound.
func (s *Store) EndUserSessions(ctx context.Context, adminID, userID string) error {
	_, err := s.actOnUser(ctx, userID, func(ctx context.Context, tx bun.Tx, _ *userRow) error {
		if err := endSessions(ctx, tx, userID, ""); err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditUserSessionsEnded, watchparty.AuditUser, userID, nil)
	})
	return found(err, "end user's sessions")
}

// actOnUser runs act on an account whose sign-ins nobody begins or goes on with meanwhile. Invitations of the account's that
// lose their basis by it end in the same transaction.
func (s *Store) actOnUser(ctx context.Context, userID string, act func(context.Context, bun.Tx, *userRow) error) (userRow, error) {
	var row userRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (_ []job.Event, err error) {
		if row, err = lockUser(ctx, tx, userID); err != nil {
			return nil, err
		}
		if err := act(ctx, tx, &row); err != nil {
			return nil, err
		}
		return endUnfounded(ctx, tx, "i.inviter_id = ?", userID)
	})
	return row, err
}

func setSuspended(ctx context.Context, tx bun.Tx, row *userRow, at time.Time) error {
	return tx.NewUpdate().Model(row).Set("suspended_at = ?", bun.NullTime{Time: at}).Set("updated_at = now()").
		WherePK().Returning("*").Scan(ctx)
}
