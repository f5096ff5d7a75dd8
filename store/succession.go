package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// successors are the people of a room among whom its next host is chosen.
type successors bool

const (
	toAnyone  successors = false // all participants
	toPresent successors = true  // participants who are present: seen within watchparty.PresentFor
)

// nextHosts selects the user_id of the next host of a room, or no row: the participant who has been in the room
// longest, of the moderators who are present, else of the others who are present, else of the absent moderators, else
// of the absent others. The next host is neither suspended, nor the host ?0, nor one of the users ?1. Present are
// participants who were seen within the last ?2 seconds; with ?3, nobody else is chosen.
func nextHosts(room string) string {
	return `
		SELECT p.user_id FROM participants AS p
		JOIN users AS u ON u.id = p.user_id AND u.deleted_at IS NULL AND u.suspended_at IS NULL
		LEFT JOIN members AS m ON m.room_id = p.room_id AND m.user_id = p.user_id
		CROSS JOIN LATERAL (SELECT p.last_seen_at > now() - make_interval(secs => ?2) AS present) AS seen
		WHERE p.room_id = ` + room + ` AND p.user_id IS DISTINCT FROM ?0 AND p.user_id NOT IN (?1)
			AND (seen.present OR NOT ?3)
		ORDER BY seen.present DESC, coalesce(m.role, 'viewer') = 'moderator' DESC, p.created_at, p.user_id
		LIMIT 1`
}

// nextHost returns the ID of the next host of a room whose lock the caller holds, or an empty one. lock is the locking
// clause; leaving are accounts that the transaction deletes.
func nextHost(
	ctx context.Context, tx bun.Tx, room roomRow, who successors, lock string, leaving ...string,
) (heir string, err error) {
	err = tx.NewRaw(nextHosts("?4")+lock, room.HostID, bun.List(append(leaving, nilUUID)), watchparty.PresentFor.Seconds(),
		bool(who), room.ID).
		Scan(ctx, &heir)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return heir, err
}

// passOn makes the next host the host of a room whose lock the caller holds. With formerStays, the former host becomes
// a moderator. It returns the ID of the new host. If there is no next host, it returns an empty ID, and the room keeps
// its host.
func passOn(ctx context.Context, tx bun.Tx, room roomRow, who successors, formerStays bool) (heir string, err error) {
	// The lock keeps the heir's account from being deleted meanwhile, which would leave the room with nobody.
	heir, err = nextHost(ctx, tx, room, who, " FOR SHARE OF u")
	if err != nil || heir == "" {
		return "", err
	}
	return heir, passTo(ctx, tx, room, heir, formerStays)
}

func passTo(ctx context.Context, tx bun.Tx, room roomRow, heir string, formerStays bool) error {
	if err := setHost(ctx, tx, room, heir, formerStays); err != nil {
		return err
	}
	return logAct(ctx, tx, room.ID, "", heir, watchparty.ActHostSucceeded, nil)
}

// setHost makes heir the host of a room whose lock the caller holds. With formerStays, the former host becomes a
// moderator.
func setHost(ctx context.Context, tx bun.Tx, room roomRow, heir string, formerStays bool) error {
	changesRoomAndStandings(ctx, room.ID)
	_, err := tx.NewRaw("UPDATE rooms SET host_id = ?1, updated_at = now() WHERE id = ?0", room.ID, heir).Exec(ctx)
	if err != nil {
		return err
	}
	if err := removeMember(ctx, tx, room.ID, heir); err != nil {
		return err
	}
	if !formerStays || room.HostID == nil {
		return nil
	}
	return setMember(ctx, tx, room.ID, *room.HostID, watchparty.Moderator)
}

// handOverRooms passes on each open room that a deleted account hosts, or else archives it; no room keeps the account
// as its host. It returns the rooms whose cached reads and standings are out of date. The account has to be marked as
// deleted before, or it may become the host of another room meanwhile.
func (l accountDeletion) handOverRooms(ctx context.Context, tx bun.Tx, userID string) (rooms []string, err error) {
	var hosted []roomRow
	err = tx.NewSelect().Model(&hosted).Where("host_id = ?", userID).Order("id").Scan(ctx)
	if err != nil {
		return nil, err
	}
	rooms = mapRows(hosted, func(r roomRow) string { return r.ID })
	if !isSubset(rooms, l.rooms) { // the account became their host after the rooms were locked
		return nil, errLockedLate
	}
	leaving := l.userIDs()
	var orphans []string
	for _, room := range hosted { // few: those that one person opened
		heir := ""
		if room.ArchivedAt == nil {
			if heir, err = nextHost(ctx, tx, room, toAnyone, "", leaving...); err != nil {
				return nil, err
			}
		}
		switch {
		case heir == "":
			orphans = append(orphans, room.ID)
		case !slices.Contains(l.heirs, heir): // somebody else was to be the heir, and has gone
			return nil, errLockedLate
		default:
			if err := passTo(ctx, tx, room, heir, false); err != nil {
				return nil, err
			}
		}
	}
	if len(orphans) == 0 {
		return rooms, nil
	}
	_, err = tx.NewRaw(`
		UPDATE rooms SET host_id = NULL, archived_at = coalesce(archived_at, now()), updated_at = now(),
			version = version + CASE WHEN archived_at IS NULL THEN 1 ELSE 0 END
		WHERE id IN (?)`, bun.List(orphans)).Exec(ctx)
	return rooms, err
}

// presencePrecision is the precision of last_seen_at in participants: a heartbeat that comes sooner after the last one
// writes nothing.
const presencePrecision = 15 * time.Second

// Heartbeat stores that a user is present in a room. If the host has not been seen for the time silence, it passes the
// room on to a participant who is present. A host who is not in the room counts as not seen since the first of its
// participants joined. It reports whether the room has another host now. It returns ErrNotParticipant if the user is
// not in the room, or the room is deleted or hidden.
func (s *Store) Heartbeat(
	ctx context.Context, roomID, userID string, silence time.Duration,
) (passedOn bool, err error) {
	var due, absent bool
	// A person who is present only writes the time. A person who may be counted as absent changes what others see.
	err = s.db.NewRaw(`
		WITH seen AS (
			UPDATE participants SET last_seen_at = now(), updated_at = now()
			WHERE room_id = ?0 AND user_id = ?1 AND last_seen_at < now() - make_interval(secs => ?3)
				AND last_seen_at > now() - make_interval(secs => ?4))
		SELECT `+hostSilent+`, p.last_seen_at <= now() - make_interval(secs => ?4) FROM rooms AS r
		JOIN participants AS p ON p.room_id = r.id AND p.user_id = ?1
		WHERE r.id = ?0 AND `+roomThere, roomID, userID, silence.Seconds(), presencePrecision.Seconds(),
		surelyPresent.Seconds()).Scan(ctx, &due, &absent)
	if errors.Is(err, sql.ErrNoRows) {
		return false, watchparty.ErrNotParticipant
	}
	if err == nil && absent {
		err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := touchParticipant(ctx, tx, roomID, userID)
			return err
		})
	}
	if err != nil || !due {
		return false, wrapErr(err, "heartbeat")
	}
	return s.succeedSilent(ctx, roomID, userID, silence)
}

// succeedSilent passes a room on to a participant who is present, if its host is not the user and has not been seen for
// the time silence. userID may be empty. It reports whether the room has another host now.
func (s *Store) succeedSilent(
	ctx context.Context, roomID, userID string, silence time.Duration,
) (passedOn bool, err error) {
	err = s.changeStandings(ctx, roomID, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		passedOn = false
		room, err := lockRoom(ctx, tx, roomID)
		if err != nil {
			return nil, err
		}
		// Another call may have been faster, or the host is back.
		var due bool
		err = tx.NewRaw("SELECT "+hostSilent+" FROM rooms AS r WHERE r.id = ?0", roomID, nullID(userID), silence.Seconds()).
			Scan(ctx, &due)
		if err != nil || !due {
			return nil, err
		}
		heir, err := passOn(ctx, tx, room, toPresent, true)
		passedOn = heir != ""
		return nil, err
	})
	return passedOn, wrapErr(err, "succession")
}

// hostSilent is the condition that the room r is open, and that its host is not ?1 and was not seen there for ?2
// seconds, or is suspended.
const hostSilent = `r.archived_at IS NULL AND r.host_id IS DISTINCT FROM ?1 AND (
	EXISTS (SELECT FROM users WHERE id = r.host_id AND suspended_at IS NOT NULL) OR coalesce(
		(SELECT last_seen_at FROM participants WHERE room_id = r.id AND user_id = r.host_id),
		(SELECT min(created_at) FROM participants WHERE room_id = r.id), now()) < now() - make_interval(secs => ?2))`
