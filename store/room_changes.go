package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// UpdateRoom changes the given fields of a room, if the room has one of the versions; nil allows any version. A change
// that changes nothing makes no new version. It returns ErrNotFound, ErrBanned, ErrForbidden, ErrChangedSince,
// ErrUnknownMovie, ErrRoomArchived for an archived room that the change does not open, and ErrRoomClosed for any change
// of a closed one.
func (s *Store) UpdateRoom(
	ctx context.Context, roomID, actorID string, c watchparty.RoomChange, versions []int,
) (watchparty.Room, error) {
	var after roomRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if valueOrZero(c.Archived) {
			if err := lockRoomAlone(ctx, tx, roomID); err != nil {
				return nil, err
			}
		}
		others := ""
		if valueOrZero(c.Visibility) == watchparty.Private { // makeParticipantsMembers
			others = "id IN (SELECT user_id FROM participants WHERE room_id = ?)"
		}
		room, _, err := permittedBeside(ctx, tx, roomID, actorID, watchparty.MayEditRoom, others, roomID)
		if err != nil {
			return nil, err
		}
		if err := checkVersion(room.Version, versions); err != nil {
			return nil, err
		}
		if err := applyRoomChange(ctx, tx, room, actorID, c); err != nil {
			return nil, err
		}
		if err := selectRooms(tx, &after).Where("r.id = ?", roomID).Scan(ctx); err != nil || !valueOrZero(c.Archived) {
			return nil, err
		}
		return endedParties(ctx, tx, actorID, roomID)
	})
	return after.room(), wrapErr(err, "update room")
}

func applyRoomChange(ctx context.Context, tx bun.Tx, room roomRow, actorID string, c watchparty.RoomChange) error {
	staysArchived := room.ArchivedAt != nil && (c.Archived == nil || *c.Archived)
	toggles := c.Archived != nil && *c.Archived != (room.ArchivedAt != nil)
	c.Archived = nil
	if staysArchived && c != (watchparty.RoomChange{}) {
		return room.closedErr()
	}
	if toggles && room.ClosedAt != nil {
		return watchparty.ErrRoomClosed
	}
	fields := room.apply(c)
	if len(fields) == 0 && !toggles {
		return nil
	}
	room.Version++
	room.UpdatedAt = Now()
	if toggles {
		if err := toggleArchived(ctx, tx, &room, actorID); err != nil {
			return err
		}
	}
	if slices.Contains(fields, "movie_id") {
		if err := inCatalogue(ctx, tx, valueOrZero(room.MovieID)); err != nil {
			return err
		}
	}
	changesRoomAndStandings(ctx, room.ID)
	_, err := tx.NewUpdate().Model(&room).WherePK().ExcludeColumn("id", "host_id", "deleted_at", "created_at").Exec(ctx)
	if err != nil || len(fields) == 0 {
		return err
	}
	if slices.Contains(fields, "visibility") && room.Visibility == string(watchparty.Private) {
		if err := makeParticipantsMembers(ctx, tx, room); err != nil {
			return err
		}
		if err := forgetOutsiders(ctx, tx, room); err != nil {
			return err
		}
	}
	return logAct(ctx, tx, room.ID, actorID, "", watchparty.ActRoomUpdated, map[string]any{"fields": fields})
}

// apply sets the fields that c gives, and returns the names of those that have changed.
func (r *roomRow) apply(c watchparty.RoomChange) (fields []string) {
	if set(&r.Name, c.Name) {
		fields = append(fields, "name")
	}
	if set(&r.Description, c.Description) {
		fields = append(fields, "description")
	}
	if c.MovieID != nil && *c.MovieID != valueOrZero(r.MovieID) {
		r.MovieID = nullID(*c.MovieID)
		fields = append(fields, "movie_id")
	}
	if c.Visibility != nil && set(&r.Visibility, (*string)(c.Visibility)) {
		fields = append(fields, "visibility")
	}
	if set(&r.Capacity, c.Capacity) {
		fields = append(fields, "capacity")
	}
	if c.SlowMode != nil && int(c.SlowMode.Seconds()) != r.SlowMode {
		r.SlowMode = int(c.SlowMode.Seconds())
		fields = append(fields, "slow_mode_seconds")
	}
	for _, setting := range []struct {
		field string
		was   *string
		given *string
	}{
		{"control", &r.Control, (*string)(c.Control)}, {"queue", &r.Queue, (*string)(c.Queue)},
		{"queue_order", &r.QueueOrder, (*string)(c.QueueOrder)}, {"wait_policy", &r.WaitPolicy, (*string)(c.WaitPolicy)},
	} {
		if set(setting.was, setting.given) {
			fields = append(fields, setting.field)
		}
	}
	if set(&r.NowPlaying, c.NowPlaying) {
		fields = append(fields, "now_playing")
	}
	return fields
}

// toggleArchived archives an open room, or opens an archived one and marks it as active.
func toggleArchived(ctx context.Context, tx bun.Tx, room *roomRow, actorID string) error {
	if room.ArchivedAt == nil {
		room.ArchivedAt = &room.UpdatedAt
		return logAct(ctx, tx, room.ID, actorID, "", watchparty.ActRoomArchived, nil)
	}
	room.ArchivedAt, room.RetiredAt = nil, nil
	if err := touchRoom(ctx, tx, room.ID); err != nil {
		return err
	}
	return logAct(ctx, tx, room.ID, actorID, "", watchparty.ActRoomReopened, nil)
}

// makeParticipantsMembers makes all participants of a room members of it, when the room becomes private.
func makeParticipantsMembers(ctx context.Context, tx bun.Tx, room roomRow) error {
	// FOR SHARE: an account that is being deleted gets no membership.
	_, err := tx.NewRaw(`
		INSERT INTO members (room_id, user_id, role)
		SELECT ?0, u.id, 'viewer' FROM (
			SELECT id FROM users WHERE id IN (SELECT user_id FROM participants WHERE room_id = ?0)
				AND id IS DISTINCT FROM ?1 AND deleted_at IS NULL ORDER BY id FOR SHARE) AS u
		ON CONFLICT ON CONSTRAINT members_pkey DO NOTHING`, room.ID, room.HostID).Exec(ctx)
	return err
}

// forgetOutsiders removes the answers to the parties of a room that becomes private of people who may not know of it
// any more: nobody counts on them, and the list of guests does not show them.
func forgetOutsiders(ctx context.Context, tx bun.Tx, room roomRow) error {
	_, err := tx.NewRaw(`
		DELETE FROM party_answers WHERE (party_id, user_id) IN (
			SELECT g.party_id, g.user_id FROM party_answers AS g
			WHERE g.room_id = ?0 AND g.user_id IS DISTINCT FROM ?1
				AND NOT EXISTS (SELECT FROM members WHERE room_id = ?0 AND user_id = g.user_id)
			ORDER BY g.room_id, g.user_id, g.party_id FOR UPDATE)`, room.ID, room.HostID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: forget answers to parties: %w", err)
	}
	return nil
}

// DeleteRoom soft-deletes a room, if it has one of the versions; nil allows any version. From then on nobody can see
// that the room existed. It returns ErrNotFound, ErrBanned, ErrForbidden and ErrChangedSince.
func (s *Store) DeleteRoom(ctx context.Context, roomID, actorID string, versions []int) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := lockRoomAlone(ctx, tx, roomID); err != nil {
			return nil, err
		}
		room, _, err := permitted(ctx, tx, roomID, actorID, watchparty.MayDeleteRoom)
		if err != nil {
			return nil, err
		}
		if err := checkVersion(room.Version, versions); err != nil {
			return nil, err
		}
		if err := removeEverybody(ctx, tx, []string{roomID}); err != nil {
			return nil, err
		}
		if err := endRooms(ctx, tx, []string{roomID}); err != nil {
			return nil, err
		}
		parties, err := endedParties(ctx, tx, actorID, roomID)
		if err != nil {
			return nil, err
		}
		invitations, err := endInvitations(ctx, tx, watchparty.InvitationRevoked, "", "i.room_id = ?", roomID)
		return append(parties, invitations...), err
	})
	return wrapErr(err, "delete room")
}
