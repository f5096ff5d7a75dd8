package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

// SetRole gives another role to a person who is in the room or has a role in it. The role host hands the room over to a
// person who is in it and not suspended; the actor becomes a moderator. It returns ErrNotFound, ErrBanned,
// ErrForbidden, ErrRoomArchived, ErrRoomClosed and ErrOwnRole.
func (s *Store) SetRole(
	ctx context.Context, roomID, actorID, username string, role watchparty.Role,
) (watchparty.Participant, error) {
	permission := watchparty.MaySetRole
	if role == watchparty.Host {
		permission = watchparty.MayHandOver
	}
	var target participantRow
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		room, actor, err := permittedBeside(ctx, tx, roomID, actorID, permission, byUsername, username)
		if err != nil {
			return nil, err
		}
		if target, err = roleHolder(ctx, tx, roomID, username); err != nil {
			return nil, err
		}
		switch {
		case target.UserID == actorID:
			return nil, watchparty.ErrOwnRole
		case !actor.Outranks(watchparty.Role(target.Role)), role != watchparty.Host && !actor.Outranks(role):
			return nil, watchparty.ErrForbidden
		case room.ArchivedAt != nil:
			return nil, room.closedErr()
		case role == watchparty.Host && (target.Away || target.Suspended):
			return nil, watchparty.ErrNotFound
		case target.Role == string(role):
			return nil, nil
		}
		target.Role = string(role)
		return nil, giveRole(ctx, tx, room, actorID, target.UserID, role)
	})
	return target.participant(), wrapErr(err, "set role")
}

func giveRole(ctx context.Context, tx bun.Tx, room roomRow, actorID, userID string, role watchparty.Role) error {
	if role == watchparty.Host {
		if err := setHost(ctx, tx, room, userID, true); err != nil {
			return err
		}
		return logAct(ctx, tx, room.ID, actorID, userID, watchparty.ActHostHandedOver, nil)
	}
	var err error
	if role == watchparty.Viewer && room.Visibility != string(watchparty.Private) { // what everyone is there
		err = removeMember(ctx, tx, room.ID, userID)
	} else {
		err = setMember(ctx, tx, room.ID, userID, role)
	}
	if err != nil {
		return err
	}
	return logAct(ctx, tx, room.ID, actorID, userID, watchparty.ActRoleSet, map[string]any{"role": string(role)})
}

// roleHolder finds, by username, a person who is in a room or has a role in it, and keeps the account from being
// deleted until the transaction ends.
func roleHolder(ctx context.Context, tx bun.Tx, roomID, username string) (participantRow, error) {
	var row participantRow
	err := tx.NewRaw(`
		SELECT r.id AS room_id, u.id AS user_id, `+personOf("u.id")+` AS person, q.until AS muted_until,
			p.user_id IS NULL AS away,
			u.suspended_at IS NOT NULL AS suspended,
			coalesce(`+roleInRoom("r.host_id", "r.id", "u.id")+`, 'viewer') AS role,
			coalesce(p.created_at, m.created_at, r.created_at) AS created_at,
			coalesce(p.last_seen_at, m.created_at, r.created_at) AS last_seen_at
		FROM rooms AS r
		JOIN users AS u ON lower(u.username) = lower(?1) AND u.deleted_at IS NULL
		LEFT JOIN participants AS p ON p.room_id = r.id AND p.user_id = u.id
		LEFT JOIN members AS m ON m.room_id = r.id AND m.user_id = u.id
		LEFT JOIN mutes AS q ON q.room_id = r.id AND q.user_id = u.id AND q.until > now()
		WHERE r.id = ?0 AND (p.user_id IS NOT NULL OR m.user_id IS NOT NULL OR r.host_id = u.id)
			AND NOT `+isBanned("r.id", "u.id")+`
		FOR SHARE OF u`, roomID, username).Scan(ctx, &row)
	return row, err
}

// setMember gives a user a role in a room, whose lock the caller holds, that remains when the user leaves the room.
func setMember(ctx context.Context, tx bun.Tx, roomID, userID string, role watchparty.Role) error {
	changes(ctx, coherence.TagStandings(roomID))
	_, err := tx.NewRaw(`
		INSERT INTO members (room_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE SET role = excluded.role, updated_at = now()`,
		roomID, userID, string(role)).Exec(ctx)
	if err != nil {
		return err
	}
	return countAccess(ctx, tx, roomID)
}

func removeMember(ctx context.Context, tx bun.Tx, roomID, userID string) error {
	changes(ctx, coherence.TagStandings(roomID))
	_, err := deleteRow(ctx, tx, "members", roomID, userID)
	return err
}
