package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Guests of a party are those who answered that they come, or may come. Others get no email.

// partyAccess is the condition that the user u may get emails about parties of the room r. An archived room counts,
// since guests are told that its party is cancelled.
var partyAccess = `u.deleted_at IS NULL AND u.suspended_at IS NULL AND u.email_verified_at IS NOT NULL
	AND ` + roomThere + ` AND NOT ` + isBanned("r.id", "u.id") + `
	AND (r.visibility <> 'private' OR ` + roleInRoom("r.host_id", "r.id", "u.id") + ` IS NOT NULL)`

// noticeStands is the condition that a notice is still true: the party y was not moved again after the notice's move,
// and its state is the one that the notice reports. The reminder a day before is dropped in the last hour.
func noticeStands(kind, moves string) string {
	return `y.moves = ` + moves + ` AND CASE ` + kind + `
		WHEN 'cancelled' THEN y.state = 'cancelled'
		WHEN 'moved' THEN y.state = 'scheduled' AND y.starts_at > now()
		WHEN 'day' THEN y.state = 'scheduled' AND y.starts_at > now() + interval '1 hour' AND r.archived_at IS NULL
		ELSE y.state = 'scheduled' AND y.starts_at > now() AND r.archived_at IS NULL END`
}

// noticePage is how many guests one transaction tells.
const noticePage = 100

// PartyStatus reads the state of a party. It returns the zero value if the row is gone.
func (s *Store) PartyStatus(ctx context.Context, id string) (job.PartyStatus, error) {
	var row partyRow
	err := s.db.NewSelect().Model(&row).Where("y.id = ?", id).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return job.PartyStatus{}, nil
	}
	if err != nil {
		return job.PartyStatus{}, fmt.Errorf("store: party status: %w", err)
	}
	return job.PartyStatus{
		State: watchparty.PartyState(row.State), Moves: row.Moves, StartsAt: row.StartsAt.UTC(),
		ScheduledAt: row.CreatedAt.UTC(),
	}, nil
}

// QueuePartyNotices queues the emails of a notice for the guests after one, at most noticePage of them, each with its
// workflow. It leaves out guests who have the email already. It returns the number of queued emails, and the last guest
// that it has looked at: empty after the last of all.
func (s *Store) QueuePartyNotices(
	ctx context.Context, in job.PartyNoticesInput, after string,
) (queued int, last string, err error) {
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		queued, last = 0, ""
		var guests []struct {
			UserID   string `bun:"user_id"`
			EmailKey string `bun:"email_key"`
			RoomID   string `bun:"room_id"`
		}
		// FOR SHARE: an account that is being deleted or suspended gets no email.
		err = tx.NewRaw(`
			SELECT g.user_id, u.email_key, y.room_id FROM party_answers AS g JOIN users AS u ON u.id = g.user_id
				JOIN parties AS y ON y.id = g.party_id JOIN rooms AS r ON r.id = y.room_id
			WHERE g.party_id = ?0 AND g.answer IN ('yes', 'maybe') AND g.user_id > ?1 AND `+partyAccess+`
				AND `+noticeStands("?2", "?3")+` ORDER BY g.user_id LIMIT ?4 FOR SHARE OF u`,
			in.PartyID, after, string(in.Kind), in.Moves, noticePage).Scan(ctx, &guests)
		if err != nil {
			return nil, err
		}
		for _, guest := range guests { // noticePage
			id := newID()
			result, err := tx.NewRaw(`INSERT INTO party_notices (id, party_id, user_id, kind, moves) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT ON CONSTRAINT party_notices_once_key DO NOTHING`, id, in.PartyID, guest.UserID, string(in.Kind),
				in.Moves).Exec(ctx)
			if err != nil {
				return nil, err
			}
			if !affected(result) {
				continue
			}
			kind := in.Kind.Email()
			emailID, err := s.addEmail(ctx, tx, kind, id, guest.UserID, job.PartyEmailID(id), "", guest.EmailKey)
			if err != nil {
				return nil, err
			}
			events = append(events, job.PartyEmailEvent(kind, id, emailID).About(guest.UserID, guest.RoomID))
		}
		queued = len(events)
		if len(guests) == noticePage {
			last = guests[noticePage-1].UserID
		}
		return events, nil
	})
	if err != nil {
		return 0, "", fmt.Errorf("store: queue party notices: %w", err)
	}
	return queued, last, nil
}

// PartyEmail is what an email to a guest of a party says.
type PartyEmail struct {
	Party watchparty.Party
	Guest watchparty.User
	Kind  watchparty.PartyNotice
}

// PartyEmail finds what the email of a notice says. It returns ErrNotFound if the notice is no longer true, if
// the guest does not come, and if the guest may not know of it: see voidParty.
func (s *Store) PartyEmail(ctx context.Context, noticeID string) (email PartyEmail, err error) {
	err = s.db.RunInTx(ctx, snapshotOptions, func(ctx context.Context, tx bun.Tx) error {
		var notice struct {
			PartyID string `bun:"party_id"`
			UserID  string `bun:"user_id"`
			Kind    string `bun:"kind"`
		}
		err := tx.NewRaw(`SELECT n.party_id, n.user_id, n.kind FROM party_notices AS n JOIN users AS u ON u.id = n.user_id
			JOIN parties AS y ON y.id = n.party_id JOIN rooms AS r ON r.id = y.room_id
			WHERE n.id = ? AND `+partyAccess+` AND `+noticeStands("n.kind", "n.moves")+` AND EXISTS (SELECT FROM party_answers
				WHERE party_id = n.party_id AND user_id = n.user_id AND answer IN ('yes', 'maybe'))`, noticeID).Scan(ctx, &notice)
		if err != nil {
			return err
		}
		var party partyRow
		if err := selectParties(tx, &party, notice.UserID).Where("y.id = ?", notice.PartyID).Scan(ctx); err != nil {
			return err
		}
		var guest userRow
		if err := tx.NewSelect().Model(&guest).Where("id = ?", notice.UserID).Scan(ctx); err != nil {
			return err
		}
		email = PartyEmail{Party: party.party(), Guest: guest.user(), Kind: watchparty.PartyNotice(notice.Kind)}
		return nil
	})
	return email, wrapErr(err, "party email")
}

// voidParty asks why an email about a party is void.
var voidParty = `
	SELECT CASE WHEN u.id IS NULL OR u.deleted_at IS NOT NULL THEN 'no_account'
		WHEN u.suspended_at IS NOT NULL THEN 'account_suspended'
		WHEN r.id IS NULL OR NOT (` + roomThere + `) THEN 'room_ended'
		WHEN y.state = 'scheduled' AND y.moves <> n.moves THEN 'party_changed'
		WHEN NOT (` + noticeStands("n.kind", "n.moves") + `) THEN 'party_ended'
		ELSE 'not_a_guest' END
	FROM emails AS e LEFT JOIN party_notices AS n ON n.id = e.subject_id LEFT JOIN users AS u ON u.id = e.user_id
		LEFT JOIN parties AS y ON y.id = n.party_id LEFT JOIN rooms AS r ON r.id = y.room_id WHERE e.id = ?`
