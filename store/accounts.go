package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Deleted is what a deletion has changed for others.
type Deleted struct {
	UserID   string
	Username string
	Rooms    []string // that the user hosted, was in, or had a standing in
	Wrote    []string // rooms in which there are messages of theirs
}

// DeleteAccount ends an account: from now on nothing names it, its name and address are free, and the rest is promised.
// passwordHash is what the user's password was found to have. It returns ErrNotFound for one that is gone already,
// ErrWrongPassword when there is another password by now, and ErrLastAdmin.
func (s *Store) DeleteAccount(ctx context.Context, userID, passwordHash string) (Deleted, error) {
	var d Deleted
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		d, events, err = deleteAccount(ctx, tx, userID, &passwordHash)
		return events, err
	})
	return d, found(err, "delete account")
}

// deleteAccount needs no password for nil.
func deleteAccount(ctx context.Context, tx bun.Tx, userID string, passwordHash *string) (d Deleted, events []job.Event, err error) {
	if err := lockHosted(ctx, tx, userID); err != nil {
		return d, nil, err
	}
	hidden, err := tx.NewSelect().Model((*userRow)(nil)).Where("id = ? AND hidden_at IS NOT NULL", userID).Exists(ctx)
	if err != nil {
		return d, nil, err
	}
	if events, err = endHiddenRooms(ctx, tx, userID); err != nil {
		return d, nil, err
	}
	user, err := lockUser(ctx, tx, userID)
	if err != nil {
		return d, nil, err
	}
	if user.HiddenAt != nil && !hidden { // only now: its rooms would be given to others
		return d, nil, watchparty.ErrUnauthenticated
	}
	if passwordHash != nil && user.PasswordHash != *passwordHash {
		return d, nil, watchparty.ErrWrongPassword
	}
	if err := anotherAdmin(ctx, tx, user); err != nil {
		return d, nil, err
	}
	d.UserID, d.Username = user.ID, user.Username
	ended, err := endInvitationsOf(ctx, tx, user)
	if err != nil {
		return d, nil, err
	}
	events = append(events, ended...)
	if err := scrub(ctx, tx, userID); err != nil {
		return d, nil, err
	}
	if d.Rooms, err = leaveRooms(ctx, tx, userID); err != nil {
		return d, nil, err
	}
	err = tx.NewSelect().Model((*messageRow)(nil)).ColumnExpr("DISTINCT room_id").Where("user_id = ?", userID).Scan(ctx, &d.Wrote)
	if err != nil {
		return d, nil, err
	}
	return d, append(events, job.AccountDeletionEvent(userID)), forgetName(ctx, tx, user, slices.Concat(d.Rooms, d.Wrote))
}

// endInvitationsOf ends the open invitations that a user has sent, and ends and removes those that they have accepted,
// or that went to an address which is confirmed to be theirs: those hold it.
func endInvitationsOf(ctx context.Context, tx bun.Tx, user userRow) ([]job.Event, error) {
	const theirs = "i.id IN (SELECT id FROM invitations WHERE user_id = ?0 UNION SELECT id FROM invitations WHERE email_key IN (?1, ':' || lower(?2)))"
	key, spelling := "", ""
	if user.EmailVerifiedAt != nil {
		key, spelling = user.EmailKey, user.Email
	}
	events, err := endInvitations(ctx, tx, watchparty.InvitationRevoked, "", "(i.inviter_id = ?0 OR "+theirs+")", user.ID, key, spelling)
	if err != nil {
		return nil, err
	}
	if _, err := tx.NewDelete().Model((*invitationRow)(nil)).Where(theirs, user.ID, key, spelling).Exec(ctx); err != nil {
		return nil, fmt.Errorf("store: remove invitations: %w", err)
	}
	return events, nil
}

// scrub removes what names the user, or lets someone in as them.
func scrub(ctx context.Context, tx bun.Tx, userID string) error {
	username, email := watchparty.DeletedNames(userID)
	_, err := tx.NewUpdate().Model((*userRow)(nil)).
		Set("username = ?", username).Set("email = ?", email).Set("email_key = ':' || lower(?)", email).Set("display_name = ?", watchparty.DeletedDisplayName).
		Set("password_hash = ''").Set("email_verified_at = NULL").Set("is_admin = false").Set("avatar_version = 0").
		Set("deleted_at = now()").Set("updated_at = now()").Where("id = ?", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: scrub account: %w", err)
	}
	for _, statement := range []string{
		"DELETE FROM sessions WHERE user_id = ?",
		"DELETE FROM known_clients WHERE user_id = ?",
		"DELETE FROM email_verifications WHERE user_id = ?",
		"DELETE FROM password_resets WHERE user_id = ?",
		"UPDATE emails SET state = 'cancelled', reason = 'cancelled', updated_at = now() WHERE user_id = ? AND state IN ('queued', 'sending')",
		"UPDATE abuse_reports SET reporter_id = NULL, updated_at = now() WHERE reporter_id = ?",
		"UPDATE abuse_reports SET snapshot = NULL, updated_at = now() WHERE subject_id = ? AND state = 'resolved'",
		// An upload that is being processed finds out that way, and removes its files.
		"UPDATE avatars SET state = 'superseded', updated_at = now() WHERE user_id = ? AND state IN ('processing', 'ready')",
	} {
		if _, err := tx.ExecContext(ctx, statement, userID); err != nil {
			return fmt.Errorf("store: scrub account: %w", err)
		}
	}
	return nil
}

// leaveRooms takes a user out of every room, there or not, and returns which rooms that has changed.
func leaveRooms(ctx context.Context, tx bun.Tx, userID string) ([]string, error) {
	rooms, err := handOverRooms(ctx, tx, userID)
	if err != nil {
		return nil, err
	}
	for _, table := range []string{"participants", "members", "bans", "mutes"} {
		var left []string
		err := tx.NewRaw("DELETE FROM ? WHERE user_id = ? RETURNING room_id", bun.Ident(table), userID).Scan(ctx, &left)
		if err != nil {
			return nil, fmt.Errorf("store: leave rooms: %w", err)
		}
		rooms = append(rooms, left...)
	}
	slices.Sort(rooms)
	return slices.Compact(rooms), nil
}

// AnonymiseMessages takes a deleted user's name off at most limit messages and returns of how many; hidden ones are
// deleted by it, since nothing would hide them then. It leaves those of an account that is not deleted alone.
func (s *Store) AnonymiseMessages(ctx context.Context, userID string, limit int) (int, error) {
	result, err := s.db.NewRaw(`
		UPDATE messages AS m SET user_id = NULL, updated_at = now(), deleted_at = coalesce(m.deleted_at, chosen.hidden_at),
			body = CASE WHEN chosen.hidden_at IS NULL THEN m.body ELSE '' END
		FROM (
			SELECT m.id, u.hidden_at FROM messages AS m JOIN users AS u ON u.id = m.user_id
			WHERE m.user_id = ? AND u.deleted_at IS NOT NULL ORDER BY m.id LIMIT ?) AS chosen
		WHERE m.id = chosen.id`, userID, limit).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: anonymise messages: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// RemoveAccount removes a deleted user's row with all that hangs on it, and returns the rooms that they were still in.
// One that is gone already is no error.
func (s *Store) RemoveAccount(ctx context.Context, userID string) (rooms []string, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var ids []string
		err := tx.NewSelect().Model((*userRow)(nil)).Column("id").Where("id = ? AND deleted_at IS NOT NULL", userID).
			For("UPDATE").Scan(ctx, &ids)
		if err != nil || len(ids) == 0 {
			return err
		}
		if rooms, err = leaveRooms(ctx, tx, userID); err != nil { // some only by processes of former versions
			return err
		}
		if err := forgetStays(ctx, tx, userID); err != nil {
			return err
		}
		_, err = tx.NewDelete().Model((*userRow)(nil)).Where("id = ?", userID).Exec(ctx)
		return err
	})
	return rooms, found(err, "remove account")
}

// forgetStays leaves that somebody was there, for the figures, and not who.
func forgetStays(ctx context.Context, tx bun.Tx, userID string) error {
	nobody := newID()
	for _, table := range []string{"stays", "active_users"} {
		if _, err := tx.NewRaw("UPDATE ? SET user_id = ? WHERE user_id = ?", bun.Ident(table), nobody, userID).Exec(ctx); err != nil {
			return fmt.Errorf("store: forget stays: %w", err)
		}
	}
	return nil
}
