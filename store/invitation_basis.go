package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// inviterMayInvite is the condition that the inviter of the invitation i may invite to its room now, as Invite checks
// it.
var inviterMayInvite = `EXISTS (
	SELECT FROM rooms AS fr JOIN users AS fu ON fu.id = i.inviter_id
	WHERE fr.id = i.room_id AND fr.deleted_at IS NULL
		AND fu.deleted_at IS NULL AND fu.suspended_at IS NULL AND fu.email_verified_at IS NOT NULL
		AND ` + roleInRoom("fr.host_id", "fr.id", "fu.id") + ` IN (` + rolesThat(watchparty.MayInvite) + `)
		AND NOT ` + isBanned("fr.id", "fu.id") + `)`

// rolesThat returns the roles with a permission, as a list in SQL.
func rolesThat(may watchparty.Permission) string {
	var roles []string
	for _, role := range watchparty.Roles() {
		if role.May(may) {
			roles = append(roles, "'"+string(role)+"'")
		}
	}
	return strings.Join(roles, ", ")
}

// requireInviterMayInvite returns ErrBadToken unless the inviter of an invitation may still invite. It locks the
// inviter's account, so that this remains so until the transaction ends. The caller holds the room's lock.
func requireInviterMayInvite(ctx context.Context, tx bun.Tx, invitation invitationRow) error {
	err := requireActive(ctx, tx, valueOrZero(invitation.InviterID))
	if errors.Is(err, watchparty.ErrUnauthenticated) {
		return watchparty.ErrBadToken
	}
	if err != nil {
		return err
	}
	err = tx.NewSelect().
		Model((*invitationRow)(nil)).
		Column("id").
		Where("i.id = ?", invitation.ID).
		Where(inviterMayInvite).
		Scan(ctx, new(string))
	if errors.Is(err, sql.ErrNoRows) {
		return watchparty.ErrBadToken
	}
	return err
}

// revokeWithoutRight revokes those chosen open invitations whose inviter may not invite any more.
func revokeWithoutRight(ctx context.Context, tx bun.Tx, chosen string, args ...any) ([]job.Event, error) {
	return endInvitations(ctx, tx, watchparty.InvitationRevoked, "", chosen+" AND NOT "+inviterMayInvite, args...)
}

// endInvitationsTo revokes the open invitations to a room that went to a user's confirmed address, so that a person who
// was kicked cannot return by one of them. A ban does not need this: it refuses them while it is in force.
func endInvitationsTo(ctx context.Context, tx bun.Tx, roomID, userID string) ([]job.Event, error) {
	return endInvitations(ctx, tx, watchparty.InvitationRevoked, "",
		"i.room_id = ? AND i.email_key = (SELECT email_key FROM users WHERE id = ? AND email_verified_at IS NOT NULL)",
		roomID, userID)
}

// changeStandings runs act, which may change roles or bans in a room. In the same transaction it revokes the room's
// open invitations whose inviter may not invite any more.
func (s *Store) changeStandings(
	ctx context.Context, roomID string, act func(ctx context.Context, tx bun.Tx) ([]job.Event, error),
) error {
	return s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		events, err := act(ctx, tx)
		if err != nil {
			return nil, err
		}
		ended, err := revokeWithoutRight(ctx, tx, "i.room_id = ?", roomID)
		return append(events, ended...), err
	})
}
