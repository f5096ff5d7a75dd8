package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// ExportMessages lists the messages of a user, oldest first. A quoted message has only its ID, since the user may
// not be allowed to read it any more.
func (s *Store) ExportMessages(ctx context.Context, userID string, p Page) ([]watchparty.Message, error) {
	var rows []messageRow
	q := s.db.NewSelect().Model(&rows).Where("m.user_id = ?", userID)
	if err := p.of(q, ascending, "m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export messages: %w", err)
	}
	return mapRows(rows, messageRow.message), nil
}

// ExportInvitations lists the invitations that a user sent, oldest first.
func (s *Store) ExportInvitations(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.inviter_id = ?", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export invitations: %w", err)
	}
	return mapRows(rows, invitationRow.invitation), nil
}

// ExportAccepted lists the invitations that a user accepted, oldest first.
func (s *Store) ExportAccepted(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.user_id = ?", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export accepted invitations: %w", err)
	}
	return mapRows(rows, invitationRow.invitation), nil
}

// ExportBans lists the bans that a user imposed, oldest first.
func (s *Store) ExportBans(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "bans", "banned_by", userID, p)
}

// ExportMutes lists the mutes that a user imposed, oldest first.
func (s *Store) ExportMutes(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "mutes", "muted_by", userID, p)
}

// ExportBansReceived lists the bans of a user, oldest first, without who imposed them: that is other people's data.
func (s *Store) ExportBansReceived(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "bans", "user_id", userID, p)
}

// ExportMutesReceived lists the mutes of a user, oldest first, without who imposed them.
func (s *Store) ExportMutesReceived(ctx context.Context, userID string, p Page) ([]watchparty.Sanction, error) {
	return s.exportSanctions(ctx, "mutes", "user_id", userID, p)
}

func (s *Store) exportSanctions(ctx context.Context, table, of, userID string, p Page) ([]watchparty.Sanction, error) {
	q := s.db.NewSelect().Table(table).Column("id", "room_id", "user_id", "reason", "until", "created_at").
		Where("? = ?", bun.Ident(of), userID)
	return exported(ctx, q, "id", p, table, func(r *watchparty.Sanction) { utc(&r.Until, &r.CreatedAt) })
}

// ExportReceived lists the invitations that went to a user's confirmed address, oldest first.
func (s *Store) ExportReceived(ctx context.Context, userID string, p Page) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(
		s.db, &rows,
	).Where("i.email_key = (SELECT email_key FROM users WHERE id = ? AND email_verified_at IS NOT NULL)", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export received invitations: %w", err)
	}
	return mapRows(rows, invitationRow.invitation), nil
}

// ExportSessions lists a user's sign-ins, those that have ended included, oldest first.
func (s *Store) ExportSessions(ctx context.Context, userID string, p Page) ([]watchparty.ExportedSession, error) {
	families := s.db.NewSelect().Table("sessions").
		ColumnExpr("family_id AS id, min(signed_in_at) AS signed_in_at, max(created_at) AS last_used_at").
		ColumnExpr("(array_agg(user_agent ORDER BY created_at DESC, id DESC))[1] AS user_agent, "+
			"max(expires_at) AS expires_at").
		ColumnExpr("CASE WHEN NOT bool_or("+live+") THEN least(max(expires_at), max(revoked_at)) END AS ended_at").
		Where("user_id = ?", userID).Group("family_id")
	q := s.db.NewSelect().TableExpr("(?) AS families", families)
	return exported(ctx, q, "id", p, "sessions", func(r *watchparty.ExportedSession) {
		utc(&r.SignedInAt, &r.LastUsedAt, &r.ExpiresAt, &r.EndedAt)
	})
}

// ExportAddresses lists the addresses that a user was asked to confirm, oldest first.
func (s *Store) ExportAddresses(ctx context.Context, userID string, p Page) ([]watchparty.ExportedAddress, error) {
	q := s.db.NewSelect().Table("email_verifications").Column("id", "email", "former", "created_at", "used_at",
		"expires_at").
		Where("user_id = ?", userID)
	return exported(ctx, q, "id", p, "addresses", func(r *watchparty.ExportedAddress) {
		utc(&r.CreatedAt, &r.UsedAt, &r.ExpiresAt)
	})
}

// ExportResets lists the password resets of a user, oldest first.
func (s *Store) ExportResets(ctx context.Context, userID string, p Page) ([]watchparty.ExportedReset, error) {
	q := s.db.NewSelect().Table("password_resets").Column("id", "created_at", "used_at", "expires_at").
		Where("user_id = ?", userID)
	return exported(ctx, q, "id", p, "resets", func(r *watchparty.ExportedReset) {
		utc(&r.CreatedAt, &r.UsedAt, &r.ExpiresAt)
	})
}

// ExportEmails lists the emails that were sent to a user's account, oldest first.
func (s *Store) ExportEmails(ctx context.Context, userID string, p Page) ([]watchparty.Email, error) {
	var rows []emailRow
	q := s.db.NewSelect().Model(&rows).Where("e.user_id = ?", userID)
	if err := p.of(q, ascending, "e.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export emails: %w", err)
	}
	return mapRows(rows, emailRow.email), nil
}

// ExportMemberships lists the roles that a user has in rooms, by room.
func (s *Store) ExportMemberships(ctx context.Context, userID string, p Page) ([]watchparty.Membership, error) {
	q := s.db.NewSelect().Table("members").Column("room_id", "role", "created_at").Where("user_id = ?", userID)
	return exported(ctx, q, "room_id", p, "memberships", func(r *watchparty.Membership) { utc(&r.CreatedAt) })
}

// ExportPresence lists the rooms that a user is in, by room.
func (s *Store) ExportPresence(ctx context.Context, userID string, p Page) ([]watchparty.Presence, error) {
	q := s.db.NewSelect().Table("participants").Column("room_id", "created_at", "last_seen_at", "present_since").
		Where("user_id = ?", userID)
	return exported(ctx, q, "room_id", p, "presence", func(r *watchparty.Presence) {
		utc(&r.CreatedAt, &r.LastSeenAt, &r.PresentSince)
	})
}

// ExportReadMarkers lists up to where a user has read rooms, by room.
func (s *Store) ExportReadMarkers(ctx context.Context, userID string, p Page) ([]watchparty.ReadMarker, error) {
	q := s.db.NewSelect().Table("read_markers").ColumnExpr("room_id, message_id, updated_at AS read_at").
		Where("user_id = ?", userID)
	return exported(ctx, q, "room_id", p, "read markers", func(m *watchparty.ReadMarker) { utc(&m.ReadAt) })
}

// ExportQueueItems lists what a user has added to queues, and what of it plays, by the IDs. Titles and addresses are
// those that the user has given.
func (s *Store) ExportQueueItems(ctx context.Context, userID string, p Page) ([]watchparty.QueueItem, error) {
	var rows []itemRow
	q := s.db.NewSelect().Model(&rows).Where("i.added_by = ?", userID)
	if err := p.of(q, ascending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export queue items: %w", err)
	}
	return mapRows(rows, itemRow.queueItem), nil
}

// ExportQueueVotes lists a user's votes for items of queues, by the items.
func (s *Store) ExportQueueVotes(ctx context.Context, userID string, p Page) ([]watchparty.QueueVote, error) {
	q := s.db.NewSelect().Table("queue_votes").Column("room_id", "item_id", "created_at").Where("user_id = ?", userID)
	return exported(ctx, q, "item_id", p, "queue votes", func(v *watchparty.QueueVote) { utc(&v.CreatedAt) })
}

// ExportParties lists the parties that a user has scheduled, oldest first.
func (s *Store) ExportParties(ctx context.Context, userID string, p Page) ([]watchparty.Party, error) {
	var rows []partyRow
	q := s.db.NewSelect().Model(&rows).Where("y.scheduled_by = ?", userID)
	if err := p.of(q, ascending, "y.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export parties: %w", err)
	}
	return mapRows(rows, func(r partyRow) watchparty.Party {
		r.Movie.ID = valueOrZero(r.MovieID)
		return r.party()
	}), nil
}

// ExportPartyAnswers lists a user's answers to parties, by the parties.
func (s *Store) ExportPartyAnswers(
	ctx context.Context,
	userID string,
	p Page,
) ([]watchparty.ExportedPartyAnswer, error) {
	q := s.db.NewSelect().Table("party_answers").Column("party_id", "room_id", "answer", "created_at").
		Where("user_id = ?", userID)
	return exported(ctx, q, "party_id", p, "party answers", func(a *watchparty.ExportedPartyAnswer) { utc(&a.CreatedAt) })
}

// ExportStays lists when a user was in which room, oldest first.
func (s *Store) ExportStays(ctx context.Context, userID string, p Page) ([]watchparty.Stay, error) {
	q := s.db.NewSelect().Table("stays").Column("id", "room_id", "started_at", "ended_at").Where("user_id = ?", userID)
	return exported(ctx, q, "id", p, "stays", func(r *watchparty.Stay) { utc(&r.StartedAt, &r.EndedAt) })
}

// ExportActiveDays lists the days on which a user was active, oldest first.
func (s *Store) ExportActiveDays(ctx context.Context, userID string, p Page) ([]watchparty.Day, error) {
	q := s.db.NewSelect().Table("active_users").ColumnExpr("to_char(day, 'YYYY-MM-DD') AS date").
		Where("user_id = ?", userID)
	return exported(ctx, q, "day", p, "active days", func(*watchparty.Day) {})
}

// ExportActs lists what a user did in rooms as a host or moderator, oldest first.
func (s *Store) ExportActs(ctx context.Context, userID string, p Page) ([]watchparty.ExportedAct, error) {
	return s.exportActs(ctx, "actor_id", userID, p)
}

// ExportActsReceived lists what was done to a user in rooms, oldest first, without who did it: that is other people's
// data.
func (s *Store) ExportActsReceived(ctx context.Context, userID string, p Page) ([]watchparty.ExportedAct, error) {
	return s.exportActs(ctx, "target_id", userID, p)
}

func (s *Store) exportActs(ctx context.Context, of, userID string, p Page) ([]watchparty.ExportedAct, error) {
	var rows []roomActRow
	q := s.db.NewSelect().Model(&rows).Where("? = ?", bun.Ident(of), userID)
	if err := p.of(q, ascending, "l.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export acts: %w", err)
	}
	return mapRows(rows, func(r roomActRow) watchparty.ExportedAct {
		act := watchparty.ExportedAct{
			ID: r.ID, RoomID: r.RoomID, Action: watchparty.RoomAction(r.Action), Details: r.Details,
			CreatedAt: r.CreatedAt.UTC(),
		}
		if valueOrZero(r.TargetID) != userID {
			act.TargetID = valueOrZero(r.TargetID)
		}
		return act
	}), nil
}

// ExportAdminActs lists what a user did as an admin, oldest first.
func (s *Store) ExportAdminActs(ctx context.Context, userID string, p Page) ([]watchparty.AuditEntry, error) {
	return s.exportAudit(ctx, "a.actor_id = ?", userID, p)
}

// ExportAdminActsReceived lists what admins did to a user's account, oldest first, without which admin did it.
func (s *Store) ExportAdminActsReceived(ctx context.Context, userID string, p Page) ([]watchparty.AuditEntry, error) {
	return s.exportAudit(ctx, "a.target_kind = 'user' AND a.target_id = ?", userID, p)
}

func (s *Store) exportAudit(ctx context.Context, of, userID string, p Page) ([]watchparty.AuditEntry, error) {
	var rows []auditRow
	q := selectAudit(s.db, &rows).Where(of, userID)
	if err := p.of(q, ascending, "a.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export audit: %w", err)
	}
	return mapRows(rows, auditRow.entry), nil
}

// ExportAbuseReports lists the reports that a user sent, oldest first.
func (s *Store) ExportAbuseReports(ctx context.Context, userID string, p Page) ([]watchparty.AbuseReport, error) {
	var rows []abuseReportRow
	q := s.db.NewSelect().Model(&rows).Where("ar.reporter_id = ?", userID)
	if err := p.of(q, ascending, "ar.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export abuse reports: %w", err)
	}
	return mapRows(rows, abuseReportRow.report), nil
}

// ExportAvatars lists a user's uploads, oldest first.
func (s *Store) ExportAvatars(ctx context.Context, userID string, p Page) ([]watchparty.Avatar, error) {
	var rows []avatarRow
	q := s.db.NewSelect().Model(&rows).Where("a.user_id = ?", userID)
	if err := p.of(q, ascending, "a.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: export avatars: %w", err)
	}
	return mapRows(rows, avatarRow.avatar), nil
}

// exported reads a page in the order of a column. settle converts the times of the rows to UTC.
func exported[Row any](
	ctx context.Context, q *bun.SelectQuery, column string, p Page, what string, settle func(*Row),
) ([]Row, error) {
	rows := []Row{}
	if err := p.of(q, ascending, column).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("store: export %s: %w", what, err)
	}
	for i := range rows {
		settle(&rows[i])
	}
	return rows, nil
}
