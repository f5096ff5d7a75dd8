package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

type participantRow struct {
	bun.BaseModel `bun:"table:participants,alias:p"`

	RoomID     string            `bun:"room_id,pk"`
	UserID     string            `bun:"user_id,pk"`
	LastSeenAt time.Time         `bun:"last_seen_at"`
	CreatedAt  time.Time         `bun:"created_at"`
	UpdatedAt  time.Time         `bun:"updated_at"`
	User       watchparty.Person `bun:"person,type:json,scanonly"`
	Role       string            `bun:"role,scanonly"`
	MutedUntil *time.Time        `bun:"muted_until,scanonly"`
	Away       bool              `bun:"away,scanonly"`
	Suspended  bool              `bun:"suspended,scanonly"`
}

func (r participantRow) participant() watchparty.Participant {
	return watchparty.Participant{
		User: r.User, Role: watchparty.Role(r.Role),
		MutedUntil: valueOrZero(r.MutedUntil).UTC(),
		JoinedAt:   r.CreatedAt.UTC(), LastSeenAt: r.LastSeenAt.UTC(), Away: r.Away,
	}
}

// Participants lists the people in a room, in the order in which they joined. The room's capacity bounds the list.
func (s *Store) Participants(ctx context.Context, roomID string) ([]watchparty.Participant, error) {
	var rows []participantRow
	err := selectParticipants(s.db, &rows).Where("p.room_id = ?", roomID).
		Order("p.created_at", "p.user_id").Limit(watchparty.MaxCapacity).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: participants: %w", err)
	}
	return mapRows(rows, participantRow.participant), nil
}

// selectParticipants looks up the account, the role and the mute of each participant in subqueries: a room has few
// participants, and the tables are large.
func selectParticipants(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("p.*").ColumnExpr(personOf("p.user_id") + " AS person").
		ColumnExpr("coalesce(" + roleInRoom("(SELECT host_id FROM rooms WHERE id = p.room_id)", "p.room_id", "p.user_id") +
			", 'viewer') AS role").
		ColumnExpr("(SELECT until FROM mutes WHERE room_id = p.room_id AND user_id = p.user_id " +
			"AND until > now()) AS muted_until")
}

// QuitRoom removes a user from a room, with the user's role and membership. It is no error if there is nothing to
// remove. A host passes the room on; QuitRoom returns ErrNoNextHost if there is no next host.
func (s *Store) QuitRoom(ctx context.Context, roomID, userID string) error {
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		room, err := lockRoom(ctx, tx, roomID)
		if err != nil {
			return nil, err
		}
		wasHost := valueOrZero(room.HostID) == userID
		if wasHost {
			heir, err := passOn(ctx, tx, room, toAnyone, false)
			if err != nil {
				return nil, err
			}
			if heir == "" {
				return nil, watchparty.ErrNoNextHost
			}
		}
		out, err := removePerson(ctx, tx, roomID, userID)
		if err != nil {
			return nil, err
		}
		if !wasHost && !out { // a stranger does not keep a room from being inactive
			return nil, nil
		}
		return nil, touchRoom(ctx, tx, roomID)
	})
	return wrapErr(err, "quit room")
}

// LeaveRoom removes a user from the participants of a room, and keeps the user's membership. It is no error if the user
// is not in the room. The host of an open room passes it on; see passOn.
func (s *Store) LeaveRoom(ctx context.Context, roomID, userID string) error {
	err := s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		room, err := lockRoom(ctx, tx, roomID)
		if err != nil {
			return nil, err
		}
		joined, err := tx.NewSelect().Model((*participantRow)(nil)).Where("room_id = ? AND user_id = ?", roomID, userID).
			Exists(ctx)
		if err != nil || !joined {
			return nil, err
		}
		if valueOrZero(room.HostID) == userID && room.ArchivedAt == nil {
			if _, err := passOn(ctx, tx, room, toAnyone, true); err != nil {
				return nil, err
			}
		}
		if _, err := deleteRow(ctx, tx, "participants", roomID, userID); err != nil {
			return nil, err
		}
		return nil, touchRoom(ctx, tx, roomID)
	})
	return wrapErr(err, "leave room")
}

func addParticipant(ctx context.Context, tx bun.Tx, roomID, userID string) error {
	changesRoomAndStandings(ctx, roomID)
	now := Now()
	row := &participantRow{RoomID: roomID, UserID: userID, LastSeenAt: now, CreatedAt: now, UpdatedAt: now}
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// touchParticipant stores that the user was seen in the room now. It reports whether the user is in the room.
func touchParticipant(ctx context.Context, tx bun.Tx, roomID, userID string) (bool, error) {
	var came bool
	err := tx.NewRaw(`
		UPDATE participants AS p SET last_seen_at = now(), updated_at = now() FROM (
			SELECT last_seen_at FROM participants WHERE room_id = ?0 AND user_id = ?1 FOR NO KEY UPDATE) AS was
		WHERE p.room_id = ?0 AND p.user_id = ?1 RETURNING `+cameBack, roomID, userID).Scan(ctx, &came)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil && came {
		changesListedRoom(ctx, roomID)
	}
	return err == nil, err
}

// surelyPresent is the time after a heartbeat for which a person surely counts as present: shorter than PresentFor
// by presencePrecision, because the next heartbeat may be committed after PresentFor has ended.
const surelyPresent = watchparty.PresentFor - presencePrecision

// cameBack is the condition that a participant may have been counted as absent before an update. "was" is the alias of
// the row before the update.
var cameBack = fmt.Sprintf("was.last_seen_at <= now() - interval '%d seconds'", int(surelyPresent.Seconds()))

// changesListedRoom announces the tags of a room of which the lists of rooms show something else: its next party, or
// that an absent person has become present. The opposite of the latter needs no announcement: cached reads expire at
// watchparty.Room.PresentUntil.
func changesListedRoom(ctx context.Context, roomID string) {
	changes(ctx, coherence.TagRooms, coherence.TagRoom(roomID))
}

// changesRoomAndStandings announces the tags of a room and of its lists, and those of people's standings in the room.
func changesRoomAndStandings(ctx context.Context, roomID string) {
	changes(ctx, coherence.TagsOfRooms([]string{roomID})...)
}
