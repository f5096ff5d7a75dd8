package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// ExportMessages lists what a user said, oldest first.
func (s *Store) ExportMessages(ctx context.Context, userID string, p Page) ([]watchparty.Message, error) {
	var rows []messageRow
	q := selectMessages(s.db, &rows).Where("m.user_id = ?", userID).Order("m.id").Limit(p.Limit)
	if err := after(q, "m.id", p).Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export messages: %w", err)
	}
	return convert(rows, messageRow.message), nil
}

// ExportInvitations lists those that a user sent, oldest first.
func (s *Store) ExportInvitations(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.inviter_id = ?", userID).Order("i.id").Limit(p.Limit)
	if err := after(q, "i.id", p).Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export invitations: %w", err)
	}
	return convert(rows, invitationRow.invitation), nil
}

// ExportAvatars lists a user's uploads, oldest first.
func (s *Store) ExportAvatars(ctx context.Context, userID string, p Page) ([]watchparty.Avatar, error) {
	var rows []avatarRow
	q := s.db.NewSelect().Model(&rows).Where("a.user_id = ?", userID).Order("a.id").Limit(p.Limit)
	if err := after(q, "a.id", p).Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export avatars: %w", err)
	}
	return convert(rows, avatarRow.avatar), nil
}

// after goes on where a page in ascending order ended.
func after(q *bun.SelectQuery, column string, p Page) *bun.SelectQuery {
	if p.After == "" {
		return q
	}
	return q.Where("? > ?", bun.Safe(column), p.After)
}
