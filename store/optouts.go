package store

import (
	"context"
	"fmt"

	"github.com/watchparty/watchparty"
)

// optOutHash stands for an address, however it is written.
const optOutHash = "sha256(convert_to(lower(?), 'UTF8'))"

// OptOut keeps all further mails about invitations from an invitation's address. It returns ErrBadToken when the
// invitation is gone.
func (s *Store) OptOut(ctx context.Context, invitationID string) error {
	return s.changeOptOut(ctx, invitationID, func(email string) (string, []any) {
		return "INSERT INTO invitation_optouts (id, email_hash) VALUES (?, " + optOutHash + ") ON CONFLICT DO NOTHING", []any{newID(), email}
	})
}

// OptIn takes that back.
func (s *Store) OptIn(ctx context.Context, invitationID string) error {
	return s.changeOptOut(ctx, invitationID, func(email string) (string, []any) {
		return "DELETE FROM invitation_optouts WHERE email_hash = " + optOutHash, []any{email}
	})
}

func (s *Store) changeOptOut(ctx context.Context, invitationID string, change func(email string) (string, []any)) error {
	invitation, err := s.Invitation(ctx, invitationID)
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.ErrBadToken
	}
	if err != nil {
		return err
	}
	query, args := change(invitation.Email)
	if _, err := s.db.NewRaw(query, args...).Exec(ctx); err != nil {
		return fmt.Errorf("store: change opt-out: %w", err)
	}
	return nil
}

// OptedOut reports whether an address wants no mails about invitations.
func (s *Store) OptedOut(ctx context.Context, email string) (bool, error) {
	var out bool
	err := s.db.NewRaw("SELECT EXISTS (SELECT FROM invitation_optouts WHERE email_hash = "+optOutHash+")", email).Scan(ctx, &out)
	if err != nil {
		return false, fmt.Errorf("store: opted out: %w", err)
	}
	return out, nil
}
