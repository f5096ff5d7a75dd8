package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type invitationRow struct {
	bun.BaseModel `bun:"table:invitations,alias:i"`

	ID          string            `bun:"id,pk"`
	RoomID      string            `bun:"room_id"`
	InviterID   *string           `bun:"inviter_id"`
	UserID      *string           `bun:"user_id"`
	Email       string            `bun:"email"`
	EmailKey    string            `bun:"email_key"`
	State       string            `bun:"state"`
	ExpiresAt   time.Time         `bun:"expires_at"`
	AnsweredAt  *time.Time        `bun:"answered_at"`
	CreatedAt   time.Time         `bun:"created_at"`
	UpdatedAt   time.Time         `bun:"updated_at"`
	StateNow    string            `bun:"state_now,scanonly"`
	Inviter     watchparty.Person `bun:"inviter,type:json,scanonly"`
	EmailState  *string           `bun:"email_state,scanonly"`
	EmailReason *string           `bun:"email_reason,scanonly"`
}

func (r invitationRow) invitation() watchparty.Invitation {
	return watchparty.Invitation{
		ID: r.ID, RoomID: r.RoomID, Email: r.Email, State: r.state(), Inviter: r.Inviter,
		ExpiresAt: r.ExpiresAt.UTC(), AnsweredAt: valueOrZero(r.AnsweredAt).UTC(), CreatedAt: r.CreatedAt.UTC(),
		Delivery: watchparty.Delivery{State: watchparty.EmailState(valueOrZero(r.EmailState)),
			Reason: watchparty.EmailReason(valueOrZero(r.EmailReason))},
	}
}

func (r invitationRow) state() watchparty.InvitationState {
	return watchparty.InvitationState(r.StateNow)
}

// invitationState is the state of the invitation i now: expires_at counts before the column state says expired.
const invitationState = "CASE WHEN i.state = 'open' AND i.expires_at <= now() THEN 'expired' ELSE i.state END"

// newestEmail is the one that brings an invitation: the first, or what an admin has sent again.
const newestEmail = "SELECT state, reason FROM emails WHERE subject_id = i.id AND kind = ? ORDER BY id DESC LIMIT 1"

func selectInvitations(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("i.*").ColumnExpr(invitationState+" AS state_now").
		ColumnExpr(personOf("i.inviter_id")+" AS inviter").ColumnExpr("e.state AS email_state").
		ColumnExpr("e.reason AS email_reason").
		Join("LEFT JOIN LATERAL ("+newestEmail+") AS e ON true", string(watchparty.EmailRoomInvitation))
}

// Invite stores an invitation, its email, and the event that sends the email. If the address has an open invitation to
// the room, it returns that one. Besides the errors of permitted, it returns ErrEmailUnverified, ErrRoomArchived,
// ErrTooManyOpenInvitations and ErrTooManyDailyInvitations, and an error of KindLimited.
func (s *Store) Invite(
	ctx context.Context, roomID, inviterID string, n watchparty.NewInvitation, key IdempotencyKey,
) (watchparty.Invitation, error) {
	to, err := watchparty.ParseAddress(n.Email)
	if err != nil {
		return watchparty.Invitation{}, err
	}
	var row invitationRow
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		room, _, err := permitted(ctx, tx, roomID, inviterID, watchparty.MayInvite)
		if err != nil {
			return nil, err
		}
		if err := hasConfirmed(ctx, tx, inviterID); err != nil {
			return nil, err
		}
		open, ended, err := openInvitation(ctx, tx, roomID, to)
		if err != nil {
			return nil, err
		}
		id := cmp.Or(open, newID())
		former, err := claimKey(ctx, tx, key, id)
		switch {
		case err != nil:
			return nil, err
		case former != "":
			return nil, selectInvitations(tx, &row).Where("i.id = ?", former).Scan(ctx)
		case room.ArchivedAt != nil:
			return nil, room.closedErr()
		case open != "":
			return ended, selectInvitations(tx, &row).Where("i.id = ?", open).Scan(ctx)
		}
		in, err := s.addInvitation(ctx, tx, id, roomID, inviterID, to)
		if err != nil {
			return nil, err
		}
		return append(ended, job.RoomInvitationEvent(in).About(inviterID, roomID)),
			selectInvitations(tx, &row).Where("i.id = ?", id).Scan(ctx)
	})
	return row.invitation(), wrapErr(err, "invite")
}

// hasConfirmed returns ErrEmailUnverified for an account whose address is not confirmed: anybody can create one with
// any address.
func hasConfirmed(ctx context.Context, tx bun.Tx, userID string) error {
	confirmed, err := tx.NewSelect().Model((*userRow)(nil)).Where("id = ? AND email_verified_at IS NOT NULL", userID).
		Exists(ctx)
	if err == nil && !confirmed {
		err = watchparty.ErrEmailUnverified
	}
	return err
}

// openInvitation returns the ID of an address's open invitation to a locked room, empty if there is none. It ends an
// invitation that has expired, whose inviter may not invite any more, or whose email was not and will not be sent. But
// an invitation to an address that has opted out stays open, so that the inviter does not learn that.
func openInvitation(ctx context.Context, tx bun.Tx, roomID string, to watchparty.Address) (string, []job.Event, error) {
	_, err := tx.NewUpdate().Model((*invitationRow)(nil)).Set("state = 'expired'").Set("updated_at = expires_at").
		Where("room_id = ? AND email_key = ? AND state = 'open' AND expires_at <= now()", roomID, to.Key()).Exec(ctx)
	if err != nil {
		return "", nil, err
	}
	ended, err := endInvitations(
		ctx,
		tx,
		watchparty.InvitationRevoked,
		"",
		`i.room_id = ? AND i.email_key = ? AND (NOT `+inviterMayInvite+`
		OR EXISTS (SELECT FROM emails WHERE subject_id = i.id AND kind = ? AND state IN ('failed', 'cancelled'))
		AND NOT EXISTS (SELECT FROM emails WHERE subject_id = i.id AND kind = ?
			AND (state NOT IN ('failed', 'cancelled') OR reason = 'opted_out')))`,
		roomID,
		to.Key(),
		string(watchparty.EmailRoomInvitation),
		string(watchparty.EmailRoomInvitation),
	)
	if err != nil {
		return "", nil, err
	}
	var id string
	err = tx.NewSelect().Model((*invitationRow)(nil)).Column("id").
		Where("room_id = ? AND email_key = ? AND state = 'open'", roomID, to.Key()).Scan(ctx, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ended, nil
	}
	return id, ended, err
}

func (s *Store) addInvitation(
	ctx context.Context, tx bun.Tx, id, roomID, inviterID string, to watchparty.Address,
) (in job.RoomInvitationInput, err error) {
	if err := mayInviteMore(ctx, tx, roomID, inviterID); err != nil {
		return in, err
	}
	now := Now()
	row := &invitationRow{
		ID: id, RoomID: roomID, InviterID: &inviterID, Email: to.String(), EmailKey: to.Key(),
		State:     string(watchparty.InvitationOpen),
		ExpiresAt: now.Add(watchparty.InvitationTTL), CreatedAt: now, UpdatedAt: now,
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return in, err
	}
	if err := logAct(ctx, tx, roomID, inviterID, "", watchparty.ActInvited, invitationDetails(id)); err != nil {
		return in, err
	}
	emailID, err := s.addEmail(ctx, tx, watchparty.EmailRoomInvitation, id, "", job.RoomInvitationID(id), inviterID,
		to.Key())
	return job.RoomInvitationInput{InvitationID: id, EmailID: emailID, ExpiresAt: row.ExpiresAt}, err
}

func mayInviteMore(ctx context.Context, tx bun.Tx, roomID, inviterID string) error {
	// The room's lock does not keep the inviter from inviting to other rooms meanwhile.
	if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "invitations of "+inviterID).
		Exec(ctx); err != nil {
		return err
	}
	var count struct {
		Open  int `bun:"open"`
		Daily int `bun:"daily"`
	}
	err := tx.NewRaw(`SELECT
		(SELECT count(*) FROM invitations WHERE room_id = ? AND state = 'open' AND expires_at > now()) AS open,
		(SELECT count(*) FROM invitations WHERE inviter_id = ? AND created_at > now() - interval '24 h') AS daily`,
		roomID, inviterID).Scan(ctx, &count)
	switch {
	case err != nil:
		return err
	case count.Open >= watchparty.MaxOpenInvitations:
		return watchparty.ErrTooManyOpenInvitations
	case count.Daily >= watchparty.MaxDailyInvitations:
		return watchparty.ErrTooManyDailyInvitations
	}
	return nil
}

func invitationDetails(id string) map[string]any { return map[string]any{"invitation_id": id} }

// Invitation finds an invitation by its ID.
func (s *Store) Invitation(ctx context.Context, id string) (watchparty.Invitation, error) {
	var row invitationRow
	err := selectInvitations(s.db, &row).Where("i.id = ?", id).Scan(ctx)
	return row.invitation(), wrapErr(err, "invitation")
}

// OpenInvitation finds an invitation that can be accepted, and its room. It returns ErrBadToken for any other
// invitation, also if its inviter may not invite any more, or an admin has closed the room.
func (s *Store) OpenInvitation(ctx context.Context, id string) (watchparty.Invitation, watchparty.Room, error) {
	var (
		row  invitationRow
		room roomRow
	)
	err := s.db.RunInTx(ctx, snapshotOptions, func(ctx context.Context, tx bun.Tx) error {
		err := selectInvitations(tx, &row).Where("i.id = ? AND i.state = 'open' AND i.expires_at > now()", id).
			Where(inviterMayInvite).Scan(ctx)
		if err != nil {
			return err
		}
		return selectRooms(tx, &room).Where("r.id = ? AND r.closed_at IS NULL AND "+roomThere, row.RoomID).Scan(ctx)
	})
	if err = wrapErr(err, "open invitation"); watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadToken
	}
	if err != nil {
		return watchparty.Invitation{}, watchparty.Room{}, err
	}
	return row.invitation(), room.room(), nil
}

// Invitations lists a room's invitations, all or those in a state, newest first.
func (s *Store) Invitations(
	ctx context.Context, roomID string, state watchparty.InvitationState, p Page,
) ([]watchparty.Invitation, error) {
	var rows []invitationRow
	q := selectInvitations(s.db, &rows).Where("i.room_id = ?", roomID)
	switch state {
	case "":
	case watchparty.InvitationOpen:
		q = q.Where("i.state = 'open' AND i.expires_at > now()")
	case watchparty.InvitationExpired:
		q = q.Where("(i.state = 'expired' OR i.state = 'open' AND i.expires_at <= now())")
	default:
		q = q.Where("i.state = ?", string(state))
	}
	if err := p.of(q, descending, "i.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: invitations: %w", err)
	}
	return mapRows(rows, invitationRow.invitation), nil
}

// RevokeInvitation revokes an open invitation. Besides the errors of permitted, it returns ErrNotFound for an
// invitation that is not open.
func (s *Store) RevokeInvitation(ctx context.Context, id, actorID string) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		roomID, err := invitedTo(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if _, _, err := permitted(ctx, tx, roomID, actorID, watchparty.MayInvite); err != nil {
			return nil, err
		}
		events, err := endInvitations(ctx, tx, watchparty.InvitationRevoked, "", "i.id = ? AND i.expires_at > now()", id)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			return nil, watchparty.ErrNotFound
		}
		return events, logAct(ctx, tx, roomID, actorID, "", watchparty.ActInvitationRevoked, invitationDetails(id))
	})
	return wrapErr(err, "revoke invitation")
}

// AcceptInvitation makes the user a member and a participant of the invitation's room. While the user is a member, a
// second call joins the room again. It returns ErrBadToken for an invitation that is not open, or whose inviter may not
// invite any more. ErrBanned, ErrRoomArchived and ErrRoomFull leave the invitation open. It returns ErrUnauthenticated
// for a user whose account is deleted or suspended.
func (s *Store) AcceptInvitation(ctx context.Context, id, userID string) (watchparty.Room, error) {
	anybody := func(context.Context, bun.Tx, string, string) error { return nil } // whoever has the token
	return s.acceptInvitation(ctx, id, userID, anybody)
}

// acceptInvitation accepts an open invitation unless entitled, which is called under the locks, returns an error.
func (s *Store) acceptInvitation(
	ctx context.Context, id, userID string, entitled func(ctx context.Context, tx bun.Tx, id, userID string) error,
) (watchparty.Room, error) {
	var room roomRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		var (
			row invitationRow
			err error
		)
		if row, room, err = lockInvitation(ctx, tx, id); err != nil {
			return nil, err
		}
		if err := shareLockUsers(ctx, tx, "id IN (?, ?)", userID, row.InviterID); err != nil {
			return nil, err
		}
		if err := requireActive(ctx, tx, userID); err != nil {
			return nil, err
		}
		again := row.state() == watchparty.InvitationAccepted && valueOrZero(row.UserID) == userID
		if !again && row.state() != watchparty.InvitationOpen {
			return nil, watchparty.ErrBadToken
		}
		if !again { // membership is its own basis
			if err := entitled(ctx, tx, id, userID); err != nil {
				return nil, err
			}
			if err := requireInviterMayInvite(ctx, tx, row); err != nil {
				return nil, err
			}
		}
		standing, err := readStanding(ctx, tx, room.ID, userID)
		switch {
		case err != nil:
			return nil, err
		case standing.Banned:
			return nil, watchparty.ErrBanned
		case again && standing.Role == "": // put out since
			return nil, watchparty.ErrBadToken
		case again:
			return nil, enter(ctx, tx, &room, userID)
		case room.ArchivedAt != nil:
			return nil, room.closedErr()
		}
		return joinByInvitation(ctx, tx, &room, id, userID, standing)
	})
	if err != nil {
		return watchparty.Room{}, fmt.Errorf("store: accept invitation: %w", err)
	}
	return room.room(), nil
}

// joinByInvitation makes a user a member and a participant of a room, and ends the invitation as accepted.
func joinByInvitation(
	ctx context.Context, tx bun.Tx, room *roomRow, id, userID string, standing watchparty.Standing,
) ([]job.Event, error) {
	if standing.Role == "" {
		if err := setMember(ctx, tx, room.ID, userID, watchparty.Viewer); err != nil {
			return nil, err
		}
	}
	if err := enter(ctx, tx, room, userID); err != nil {
		return nil, err
	}
	if err := logAct(ctx, tx, room.ID, userID, "", watchparty.ActInvitationAccepted, invitationDetails(id)); err != nil {
		return nil, err
	}
	return endInvitations(ctx, tx, watchparty.InvitationAccepted, userID, "i.id = ?", id)
}

// DeclineInvitation declines an open invitation. It succeeds for one that is declined already, and returns ErrBadToken
// for any other.
func (s *Store) DeclineInvitation(ctx context.Context, id string) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		row, _, err := lockInvitation(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return declineLocked(ctx, tx, row)
	})
	if err != nil {
		return fmt.Errorf("store: decline invitation: %w", err)
	}
	return nil
}

// declineLocked declines an invitation whose room is locked. It returns ErrBadToken for one that has ended otherwise.
func declineLocked(ctx context.Context, tx bun.Tx, row invitationRow) ([]job.Event, error) {
	switch row.state() {
	case watchparty.InvitationOpen:
		return endInvitations(ctx, tx, watchparty.InvitationDeclined, "", "i.id = ?", row.ID)
	case watchparty.InvitationDeclined:
		return nil, nil
	default:
		return nil, watchparty.ErrBadToken
	}
}

// lockInvitation finds an invitation and locks its room: the state of an invitation changes under the lock of its room.
// It returns ErrBadToken if the invitation or the room is gone.
func lockInvitation(ctx context.Context, tx bun.Tx, id string) (row invitationRow, room roomRow, err error) {
	roomID, err := invitedTo(ctx, tx, id)
	if err == nil {
		room, err = lockRoom(ctx, tx, roomID)
	}
	if err == nil {
		err = wrapErr(selectInvitations(tx, &row).Where("i.id = ?", id).Scan(ctx), "invitation")
	}
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadToken
	}
	return row, room, err
}

// invitedTo returns the ID of an invitation's room, which never changes.
func invitedTo(ctx context.Context, tx bun.Tx, id string) (roomID string, err error) {
	err = tx.NewSelect().Model((*invitationRow)(nil)).Column("room_id").Where("id = ?", id).Scan(ctx, &roomID)
	return roomID, wrapErr(err, "invitation's room")
}

// endInvitations sets the state of those chosen invitations that are open, cancels their emails that are still to be
// sent, and returns the events that signal their workflows. userID is the account that has accepted, if one has.
func endInvitations(
	ctx context.Context, tx bun.Tx, state watchparty.InvitationState, userID, chosen string, args ...any,
) ([]job.Event, error) {
	update := tx.NewUpdate().Model((*invitationRow)(nil)).Set("state = ?", string(state)).
		Set("user_id = ?", nullID(userID)).
		Set("updated_at = now()").Where("i.id IN (?)", tx.NewSelect().Model((*invitationRow)(nil)).Column("id").
		Where("i.state = 'open'").Where(chosen, args...).Order("i.id").For("NO KEY UPDATE")).Returning(`i.id, i.expires_at,
			(SELECT id FROM emails WHERE kind = ? AND subject_id = i.id
				AND resend_of IS NULL) AS email_id`, string(watchparty.EmailRoomInvitation))
	if state != watchparty.InvitationRevoked {
		update = update.Set("answered_at = now()")
	}
	var ended []struct {
		ID        string
		ExpiresAt time.Time
		EmailID   *string
	}
	if err := update.Scan(ctx, &ended); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if len(ended) == 0 {
		return nil, nil
	}
	ids, events := make([]string, len(ended)), make([]job.Event, len(ended))
	for i, e := range ended {
		in := job.RoomInvitationInput{InvitationID: e.ID, EmailID: valueOrZero(e.EmailID), ExpiresAt: e.ExpiresAt.UTC()}
		ids[i], events[i] = e.ID, job.InvitationAnswerEvent(in, state)
	}
	_, err := tx.NewRaw("UPDATE emails SET state = 'cancelled', reason = 'invitation_ended', updated_at = now() "+
		"WHERE kind IN (?) AND subject_id IN (?) AND "+unfinished,
		bun.List([]watchparty.EmailKind{watchparty.EmailRoomInvitation, watchparty.EmailInvitationReminder}), bun.List(ids)).
		Exec(ctx)
	return events, err
}

// ExpireInvitation sets the state of an open invitation to expired, if its time is over. It returns the invitation's
// state. It returns ErrNotFound.
func (s *Store) ExpireInvitation(ctx context.Context, id string) (watchparty.InvitationState, error) {
	var state string
	err := s.db.NewRaw(`
		WITH expired AS (
			UPDATE invitations SET state = 'expired', updated_at = expires_at WHERE id = ?0 AND state = 'open'
				AND expires_at <= now() RETURNING state
		)
		SELECT coalesce((SELECT state FROM expired), state) FROM invitations WHERE id = ?0`, id).Scan(ctx, &state)
	return watchparty.InvitationState(state), wrapErr(err, "expire invitation")
}
