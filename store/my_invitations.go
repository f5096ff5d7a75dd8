package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// toMe is the condition that invitation i went to the confirmed address of user ?. An address that is not confirmed
// proves nothing.
const toMe = "i.email_key = (SELECT email_key FROM users WHERE id = ? AND email_verified_at IS NOT NULL)"

// MyInvitations lists the open invitations that went to a user's confirmed address, newest first. It leaves out those
// that the user cannot accept: their inviter may not invite any more, an admin closed the room, or the room bans the
// user.
func (s *Store) MyInvitations(ctx context.Context, userID string, p Page) ([]watchparty.ReceivedInvitation, error) {
	var rows []struct {
		ID          string               `bun:"id"`
		RoomID      string               `bun:"room_id"`
		Name        string               `bun:"name"`
		Description string               `bun:"description"`
		Movie       watchparty.RoomMovie `bun:"movie,type:json"`
		People      roomPeople           `bun:"people,type:json"`
		Inviter     watchparty.Person    `bun:"inviter,type:json"`
		ExpiresAt   time.Time            `bun:"expires_at"`
		CreatedAt   time.Time            `bun:"created_at"`
	}
	q := s.db.NewSelect().TableExpr("invitations AS i").
		ColumnExpr("i.id, i.room_id, i.expires_at, i.created_at, r.name, r.description").
		ColumnExpr(movieOfRoom).ColumnExpr(peopleInRoom, watchparty.PresentFor.Seconds()).
		ColumnExpr(personOf("i.inviter_id")+" AS inviter").
		Join("JOIN rooms AS r ON r.id = i.room_id").
		Where("i.state = 'open' AND i.expires_at > now()").Where(toMe, userID).Where(inviterMayInvite).
		Where("r.closed_at IS NULL AND "+roomThere).
		Where("NOT EXISTS (SELECT FROM bans WHERE room_id = r.id AND user_id = ? AND "+banInForce+")", userID)
	if err := p.of(q, descending, "i.id").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("store: my invitations: %w", err)
	}
	received := make([]watchparty.ReceivedInvitation, len(rows))
	for i, r := range rows {
		received[i] = watchparty.ReceivedInvitation{
			ID:        r.ID,
			Inviter:   r.Inviter,
			ExpiresAt: r.ExpiresAt.UTC(),
			CreatedAt: r.CreatedAt.UTC(),
			Room: watchparty.Room{
				ID: r.RoomID, Name: r.Name, Description: r.Description, Movie: r.Movie,
				Participants: r.People.Participants, Present: r.People.Present,
			},
		}
	}
	return received, nil
}

// AcceptMyInvitation is AcceptInvitation without the email's token, for an invitation to the user's confirmed address.
// Where AcceptInvitation returns ErrBadToken, and for an invitation to another address, it returns ErrNotFound.
func (s *Store) AcceptMyInvitation(ctx context.Context, id, userID string) (watchparty.Room, error) {
	room, err := s.acceptInvitation(ctx, id, userID, requireMine)
	return room, withoutToken(err)
}

// DeclineMyInvitation is DeclineInvitation without the email's token, for an invitation to the user's confirmed
// address. It returns ErrNotFound for any other invitation, and ErrUnauthenticated for a user whose account is deleted
// or suspended.
func (s *Store) DeclineMyInvitation(ctx context.Context, id, userID string) error {
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		row, _, err := lockInvitation(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if err := requireActive(ctx, tx, userID); err != nil {
			return nil, err
		}
		if err := requireMine(ctx, tx, id, userID); err != nil {
			return nil, err
		}
		return declineLocked(ctx, tx, row)
	})
	if err != nil {
		err = fmt.Errorf("store: decline my invitation: %w", err)
	}
	return withoutToken(err)
}

// requireMine returns ErrBadToken unless the invitation went to the user's confirmed address. The caller holds the lock
// of requireActive, so that the address stays.
func requireMine(ctx context.Context, tx bun.Tx, id, userID string) error {
	mine, err := tx.NewSelect().TableExpr("invitations AS i").Where("i.id = ?", id).Where(toMe, userID).Exists(ctx)
	if err == nil && !mine {
		err = watchparty.ErrBadToken
	}
	return err
}

// withoutToken returns ErrNotFound for ErrBadToken: the caller has not sent a token.
func withoutToken(err error) error {
	if errors.Is(err, watchparty.ErrBadToken) {
		return watchparty.ErrNotFound
	}
	return err
}
