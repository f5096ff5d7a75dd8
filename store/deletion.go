package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

// DeleteAccount deletes an account: its row is anonymised at once, and its username and address are free again. An
// outbox event starts the workflow that removes files, anonymises messages and removes the row. passwordHash is the
// hash that the caller has verified. It returns ErrNotFound for an account that is deleted already, ErrWrongPassword if
// the password was changed meanwhile, and ErrLastAdmin.
func (s *Store) DeleteAccount(ctx context.Context, userID, passwordHash string) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		deletion, err := beginDeletion(ctx, tx, "deleted_at IS NULL", false, userID)
		if err != nil {
			return nil, err
		}
		if len(deletion.users) == 0 {
			return nil, watchparty.ErrNotFound
		}
		if deletion.users[0].PasswordHash != passwordHash {
			return nil, watchparty.ErrWrongPassword
		}
		return deletion.run(ctx, tx)
	})
	return wrapErr(err, "delete account")
}

// accountDeletion has the rows that a transaction which deletes accounts has locked first: the rooms that the accounts
// host, the accounts, and the next hosts of these rooms.
type accountDeletion struct {
	rooms []string
	users []userRow
	heirs []string
}

// beginDeletion locks all rows that the deletion of accounts needs. The accounts have to fulfil a condition on users;
// see lockUsersToDelete for skip.
func beginDeletion(
	ctx context.Context, tx bun.Tx, condition string, skip bool, userIDs ...string,
) (d accountDeletion, err error) {
	if d.rooms, err = lockHosted(ctx, tx, userIDs...); err != nil {
		return d, err
	}
	err = tx.NewRaw(`
		SELECT DISTINCT heir.user_id FROM rooms AS r CROSS JOIN LATERAL (`+nextHosts("r.id")+`) AS heir
		WHERE r.id IN (?4) AND r.archived_at IS NULL`,
		nil, bun.List(userIDs), watchparty.PresentFor.Seconds(), bool(toAnyone), bun.List(append(d.rooms, nilUUID))).
		Scan(ctx, &d.heirs)
	if err != nil {
		return d, err
	}
	d.users, err = lockUsersToDelete(ctx, tx, condition, userIDs, d.heirs, skip)
	return d, err
}

// nilUUID is an ID that no row has.
const nilUUID = "00000000-0000-0000-0000-000000000000"

// run deletes the accounts. Each step is one for all of them, as far as its locks have to be in order.
func (l accountDeletion) run(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
	if len(l.users) == 0 {
		return nil, nil
	}
	for _, user := range l.users {
		if err := anotherAdmin(ctx, tx, user); err != nil {
			return nil, err
		}
		if err := scrubUser(ctx, tx, user.ID); err != nil {
			return nil, err
		}
	}
	left, deleted, err := l.leaveRooms(ctx, tx)
	if err != nil {
		return nil, err
	}
	events, err := endedParties(ctx, tx, "", l.rooms...)
	if err != nil {
		return nil, err
	}
	for _, user := range l.users {
		more, err := forgetAccount(ctx, tx, user, left[user.ID], deleted)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	return events, nil
}

// leaveRooms removes the accounts from all rooms. Rooms with a hidden host are deleted, because a change of the host
// would make them visible again. The other rooms pass to their next host, or are archived if there is none. It returns
// the rooms of each account, and the deleted rooms.
func (l accountDeletion) leaveRooms(
	ctx context.Context, tx bun.Tx,
) (left map[string][]string, deleted []string, err error) {
	err = tx.NewSelect().Model((*roomRow)(nil)).Column("r.id").Join("JOIN users AS u ON u.id = r.host_id").
		Where("u.id IN (?) AND u.hidden_at IS NOT NULL AND r.deleted_at IS NULL", bun.List(l.userIDs())).Scan(ctx, &deleted)
	if err != nil {
		return nil, nil, fmt.Errorf("store: rooms of hidden accounts: %w", err)
	}
	if !isSubset(deleted, l.rooms) {
		return nil, nil, errLockedLate
	}
	seats, err := removePeople(ctx, tx, l.userIDs(), deleted, l.rooms)
	if err != nil {
		return nil, nil, err
	}
	if err := endRooms(ctx, tx, deleted); err != nil {
		return nil, nil, err
	}
	left = map[string][]string{}
	for _, s := range seats {
		left[s.UserID] = append(left[s.UserID], s.RoomID)
	}
	for _, id := range l.userIDs() {
		hosted, err := l.handOverRooms(ctx, tx, id)
		if err != nil {
			return nil, nil, err
		}
		left[id] = append(left[id], hosted...)
		slices.Sort(left[id])
		left[id] = slices.Compact(left[id])
	}
	return left, deleted, nil
}

func (l accountDeletion) userIDs() []string {
	return mapRows(l.users, func(r userRow) string { return r.ID })
}

// forgetAccount removes what other rows have of an account that has left its rooms. Some of these rooms may be deleted.
func forgetAccount(ctx context.Context, tx bun.Tx, user userRow, left, deleted []string) ([]job.Event, error) {
	wrote, err := changesPerson(ctx, tx, user, left)
	if err != nil {
		return nil, err
	}
	rooms, err := forgetNameInRooms(ctx, tx, user, slices.Concat(left, wrote))
	if err != nil {
		return nil, err
	}
	events, err := endInvitationsOf(ctx, tx, user, append([]string{nilUUID}, deleted...))
	if err != nil {
		return nil, err
	}
	if err := scrubAccount(ctx, tx, user.ID); err != nil {
		return nil, err
	}
	return append(events, job.AccountDeletionEvent(user.ID)), forgetNameInReports(ctx, tx, user, rooms)
}

// changesPerson invalidates the cached reads that show an account: those of the given rooms, and of the rooms with
// messages of the account, which it returns.
func changesPerson(ctx context.Context, tx bun.Tx, user userRow, rooms []string) (wrote []string, err error) {
	err = tx.NewSelect().Model((*messageRow)(nil)).ColumnExpr("DISTINCT room_id").Where("user_id = ?", user.ID).
		Scan(ctx, &wrote)
	if err != nil {
		return nil, fmt.Errorf("store: rooms with messages: %w", err)
	}
	changes(ctx, coherence.TagProfile(user.Username), coherence.TagPerson(user.ID), coherence.TagAccount(user.ID))
	changes(ctx, coherence.TagsOfRooms(rooms)...)
	for _, room := range wrote {
		changes(ctx, coherence.TagMessages(room))
	}
	var parties []string
	err = tx.NewSelect().Model((*partyRow)(nil)).ColumnExpr("DISTINCT room_id").
		Where("scheduled_by = ? AND "+scheduled, user.ID).Scan(ctx, &parties)
	if err != nil {
		return nil, fmt.Errorf("store: rooms with parties: %w", err)
	}
	for _, room := range parties {
		changesListedRoom(ctx, room)
	}
	return wrote, nil
}

// endInvitationsOf ends the open invitations that a user has sent, those to rooms that are deleted with the account,
// and ends and removes those that the user has accepted, or that went to an address which is confirmed to be the
// user's: their rows hold it.
func endInvitationsOf(ctx context.Context, tx bun.Tx, user userRow, deletedRooms []string) ([]job.Event, error) {
	const theirs = `i.id IN (SELECT id FROM invitations WHERE user_id = ?0
		UNION SELECT id FROM invitations WHERE email_key IN (?1, ':' || lower(?2)))`
	key, spelling := "", ""
	if user.EmailVerifiedAt != nil {
		key, spelling = user.EmailKey, user.Email
	}
	events, err := endInvitations(ctx, tx, watchparty.InvitationRevoked, "",
		"(i.inviter_id = ?0 OR i.room_id IN (?3) OR "+theirs+")", user.ID, key, spelling, bun.List(deletedRooms))
	if err != nil {
		return nil, err
	}
	_, err = tx.NewRaw("DELETE FROM invitations WHERE id IN (SELECT i.id "+
		"FROM invitations AS i WHERE "+theirs+" ORDER BY i.id FOR UPDATE)",
		user.ID, key, spelling).
		Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: remove invitations: %w", err)
	}
	return events, nil
}

// scrubUser removes the names and the address from an account's row, and marks the account as deleted.
func scrubUser(ctx context.Context, tx bun.Tx, userID string) error {
	username, email := watchparty.DeletedNames(userID)
	_, err := tx.NewUpdate().Model((*userRow)(nil)).Set("username = ?", username).Set("email = ?", email).
		Set("email_key = ':' || lower(?)", email).Set("display_name = ?", watchparty.DeletedDisplayName).
		Set("password_hash = ''").Set("email_verified_at = NULL").Set("is_admin = false").Set("avatar_version = 0").
		Set("deleted_at = now()").Set("updated_at = now()").Where("id = ?", userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: scrub user: %w", err)
	}
	return nil
}

// scrubAccount removes the rows in other tables that name the user, or by which somebody could sign in as the user.
func scrubAccount(ctx context.Context, tx bun.Tx, userID string) error {
	for _, statement := range []string{
		`UPDATE emails SET state = 'cancelled', reason = 'no_account', updated_at = now() WHERE id IN (
			SELECT id FROM emails WHERE user_id = ? AND state IN ('queued', 'sending') ORDER BY id FOR NO KEY UPDATE)`,
		`UPDATE emails SET recipient_hash = NULL WHERE id IN (
			SELECT id FROM emails WHERE user_id = ? ORDER BY id FOR NO KEY UPDATE)`,
		"DELETE FROM sessions WHERE user_id = ?",
		"DELETE FROM known_clients WHERE user_id = ?",
		"DELETE FROM email_verifications WHERE user_id = ?",
		"DELETE FROM password_resets WHERE user_id = ?",
		// The workflow of an upload in progress finds this state, and removes its files.
		`UPDATE avatars SET state = 'superseded', updated_at = now()
			WHERE user_id = ? AND state IN ('processing', 'ready')`,
		`UPDATE abuse_reports SET updated_at = now(), reporter_id = nullif(reporter_id, ?0),
			snapshot = CASE WHEN subject_id = ?0 AND state = 'resolved' THEN NULL ELSE snapshot END
			WHERE id IN (SELECT id FROM abuse_reports
				WHERE reporter_id = ?0 OR subject_id = ?0 AND state = 'resolved' ORDER BY id FOR NO KEY UPDATE)`,
	} {
		if _, err := tx.NewRaw(statement, userID).Exec(ctx); err != nil {
			return fmt.Errorf("store: scrub account: %w", err)
		}
	}
	return nil
}

// AnonymiseMessages removes the author from at most limit messages of a deleted account, and returns their number. It
// soft-deletes hidden messages, since a message is hidden only through its author. Messages of an account that is not
// deleted stay as they are.
func (s *Store) AnonymiseMessages(ctx context.Context, userID string, limit int) (int, error) {
	var rooms []string
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := tx.NewRaw(`
		UPDATE messages AS m SET user_id = NULL, updated_at = now(), deleted_at = coalesce(m.deleted_at, chosen.hidden_at),
			body = CASE WHEN chosen.hidden_at IS NULL THEN m.body ELSE '' END
		FROM (
			SELECT m.id, u.hidden_at FROM messages AS m JOIN users AS u ON u.id = m.user_id
			WHERE m.user_id = ? AND u.deleted_at IS NOT NULL ORDER BY m.id LIMIT ? FOR NO KEY UPDATE OF m) AS chosen
		WHERE m.id = chosen.id RETURNING m.room_id`, userID, limit).Scan(ctx, &rooms)
		for _, room := range rooms {
			changes(ctx, coherence.TagMessages(room))
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: anonymise messages: %w", err)
	}
	return len(rooms), nil
}

// RemoveAccount removes the row of a deleted account, with all rows that belong to it. It succeeds if the row is
// deleted already.
func (s *Store) RemoveAccount(ctx context.Context, userID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(`UPDATE cleanup_runs SET started_by = NULL
			WHERE id IN (SELECT id FROM cleanup_runs WHERE started_by = ? ORDER BY id FOR NO KEY UPDATE)`, userID).Exec(ctx)
		if err != nil {
			return err
		}
		deletion, err := beginDeletion(ctx, tx, "deleted_at IS NOT NULL", false, userID)
		if err != nil || len(deletion.users) == 0 {
			return err
		}
		left, _, err := deletion.leaveRooms(ctx, tx) // rooms that a process of a former version has added since
		if err != nil {
			return err
		}
		changes(ctx, coherence.TagsOfRooms(left[userID])...)
		if err := detachAccount(ctx, tx, userID); err != nil {
			return err
		}
		if err := forgetStays(ctx, tx, userID); err != nil {
			return err
		}
		_, err = tx.NewDelete().Model((*userRow)(nil)).Where("id = ?", userID).Exec(ctx)
		return err
	})
	return wrapErr(err, "remove account")
}

// detachAccount removes an account's ID from rows that outlive the account. The foreign keys would do it, too, but they
// lock the rows in no particular order.
func detachAccount(ctx context.Context, tx bun.Tx, userID string) error {
	for _, reference := range []struct{ table, key, column string }{
		{"bans", "room_id, user_id", "banned_by"}, {"mutes", "room_id, user_id", "muted_by"},
		{"playbacks", "room_id", "by"}, {"queue_items", "id", "added_by"}, {"parties", "id", "scheduled_by"},
		{"messages", "id", "user_id"}, {"room_log", "id", "actor_id"}, {"room_log", "id", "target_id"},
		{"invitations", "id", "inviter_id"}, {"invitations", "id", "user_id"}, {"emails", "id", "user_id"},
	} {
		_, err := tx.NewRaw("UPDATE ?0 SET ?2 = NULL WHERE (?1) IN (SELECT ?1 FROM ?0 WHERE ?2 = ?3 "+
			"ORDER BY ?1 FOR NO KEY UPDATE)",
			bun.Ident(reference.table), bun.Safe(reference.key), bun.Ident(reference.column), userID).
			Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: detach account from %s: %w", reference.table, err)
		}
	}
	return nil
}

// forgetStays replaces an account's ID in stays and active_users by a random one, so that the figures remain without
// the person.
func forgetStays(ctx context.Context, tx bun.Tx, userID string) error {
	randomID := newID()
	for _, table := range []string{"stays", "active_users"} {
		if _, err := tx.NewRaw("UPDATE ? SET user_id = ? WHERE user_id = ?", bun.Ident(table), randomID, userID).
			Exec(ctx); err != nil {
			return fmt.Errorf("store: forget stays: %w", err)
		}
	}
	return nil
}
