package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// ExportMessages lists what a user said, oldest first, and nothing of what they answered but its ID: they may not be
// allowed to read that any more.
func (s *Store) ExportMessages(ctx context.Context, userID string, p Page) ([]watchparty.Message, error) {
	var rows []messageRow
	q := s.db.NewSelect().Model(&rows).Where("m.user_id = ?", userID)
	if err := p.of(q, ascending, "m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export messages: %w", err)
	}
	return convert(rows, messageRow.message), nil
}

// ExportInvitations lists those that a user sent, oldest first.
func (s *Store) ExportInvitations(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.inviter_id = ?", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export invitations: %w", err)
	}
	return convert(rows, invitationRow.invitation), nil
}

// ExportAccepted lists those that a user accepted, oldest first.
func (s *Store) ExportAccepted(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.user_id = ?", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export accepted invitations: %w", err)
	}
	return convert(rows, invitationRow.invitation), nil
}

// ExportBans lists those that a user gave, oldest first.
func (s *Store) ExportBans(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "bans", "banned_by", userID, p)
}

// ExportMutes lists those that a user gave, oldest first.
func (s *Store) ExportMutes(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "mutes", "muted_by", userID, p)
}

func (s *Store) exportSanctions(ctx context.Context, table, by, userID string, p Page) ([]watchparty.Sanction, error) {
	var rows []struct {
		ID, RoomID, UserID, Reason string
		Until                      *time.Time
		CreatedAt                  time.Time
	}
	q := s.db.NewSelect().Table(table).Column("id", "room_id", "user_id", "reason", "until", "created_at").
		Where("? = ?", bun.Ident(by), userID)
	if err := p.of(q, ascending, "id").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("store: export %s: %w", table, err)
	}
	sanctions := make([]watchparty.Sanction, len(rows))
	for i, r := range rows {
		sanctions[i] = watchparty.Sanction{
			ID: r.ID, RoomID: r.RoomID, UserID: r.UserID, Reason: r.Reason, Until: value(r.Until).UTC(), CreatedAt: r.CreatedAt.UTC(),
		}
	}
	return sanctions, nil
}

// ExportAvatars lists a user's uploads, oldest first.
func (s *Store) ExportAvatars(ctx context.Context, userID string, p Page) ([]watchparty.Avatar, error) {
	var rows []avatarRow
	q := s.db.NewSelect().Model(&rows).Where("a.user_id = ?", userID)
	if err := p.of(q, ascending, "a.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export avatars: %w", err)
	}
	return convert(rows, avatarRow.avatar), nil
}
