package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// OptOut stores that the address of an invitation gets no more emails about invitations. It returns ErrBadToken if the
// invitation is deleted.
func (s *Store) OptOut(ctx context.Context, invitationID string) error {
	return s.changeOptOut(ctx, invitationID,
		"INSERT INTO invitation_optouts (id, address_hash) VALUES (?0, ?1) ON CONFLICT (address_hash) DO NOTHING")
}

// OptIn undoes OptOut.
func (s *Store) OptIn(ctx context.Context, invitationID string) error {
	return s.changeOptOut(ctx, invitationID, "DELETE FROM invitation_optouts WHERE address_hash = ?1")
}

// changeOptOut runs a statement with an ID and the hash of the invitation's address.
func (s *Store) changeOptOut(ctx context.Context, invitationID, change string) error {
	invitation, err := s.Invitation(ctx, invitationID)
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.ErrBadToken
	}
	if err != nil {
		return err
	}
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		hash, err := s.optOutHash(ctx, tx, invitation.Email)
		if err == nil {
			_, err = tx.NewRaw(change, newID(), hash).Exec(ctx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: change opt-out: %w", err)
	}
	return nil
}

// OptedOut reports whether an address wants no emails about invitations, in any spelling.
func (s *Store) OptedOut(ctx context.Context, email string) (out bool, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		hash, err := s.optOutHash(ctx, tx, email)
		if err != nil {
			return err
		}
		return tx.NewRaw("SELECT EXISTS (SELECT FROM invitation_optouts WHERE address_hash = ?)", hash).Scan(ctx, &out)
	})
	if err != nil {
		return false, fmt.Errorf("store: opted out: %w", err)
	}
	return out, nil
}

// optOutHash returns the hash under which the opt-out of an address is stored. It replaces a hash that was made by a
// former version or with a former secret. This needs the address, so it happens when the address is next used. The
// statement and the column email_hash can be removed once no row has an email_hash.
func (s *Store) optOutHash(ctx context.Context, tx bun.Tx, email string) ([]byte, error) {
	hash := s.digests.Sum("invitation-opt-out", watchparty.AccountKey(email))
	former := s.digests.Former("invitation-opt-out", watchparty.AccountKey(email))
	plain := [][]byte{plainHash(email)}
	if a, err := watchparty.ParseAddress(email); err == nil {
		plain = plainHashes(a)
	}
	_, err := tx.NewRaw(`
		WITH former AS (DELETE FROM invitation_optouts WHERE email_hash IN (?) OR address_hash IN (?) RETURNING created_at)
		INSERT INTO invitation_optouts (id, address_hash, created_at) SELECT ?, ?, min(created_at)
			FROM former HAVING count(*) > 0
		ON CONFLICT (address_hash) DO NOTHING`, bun.List(plain), bun.List(former), newID(), hash).Exec(ctx)
	return hash, err
}

// plainHashes are the hashes that former versions may have stored for an address.
func plainHashes(a watchparty.Address) [][]byte { return mapRows(a.Spellings(), plainHash) }

func plainHash(email string) []byte {
	hash := sha256.Sum256([]byte(strings.ToLower(email)))
	return hash[:]
}
