package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// clientOf hashes a client together with the account, so that the table does not show which accounts one client has
// used.
func clientOf(userID string, client []byte) []byte {
	sum := sha256.Sum256(append([]byte(userID+"/"), client...))
	return sum[:]
}

// KnownClient reports whether a client, by its keyed hash, has signed in to an account within KnownClientTTL.
func (s *Store) KnownClient(ctx context.Context, userID string, client []byte) (bool, error) {
	var known bool
	err := s.db.NewRaw("SELECT EXISTS (SELECT FROM known_clients WHERE user_id = ? AND client_hash = ? "+
		"AND expires_at > now())",
		userID, clientOf(userID, client)).
		Scan(ctx, &known)
	if err != nil {
		return false, fmt.Errorf("store: known client: %w", err)
	}
	return known, nil
}

// RememberClient stores a client that has proved in another way than by sign-in that it belongs to the account's owner.
func (s *Store) RememberClient(ctx context.Context, userID string, client []byte) error {
	return rememberClient(ctx, s.db, userID, client)
}

// rememberClient stores a client, and deletes the account's least recently used ones beyond MaxKnownClients. It does
// nothing for an account that is deleted.
func rememberClient(ctx context.Context, db bun.IDB, userID string, client []byte) error {
	if len(client) == 0 {
		return nil
	}
	_, err := db.NewRaw(`
		INSERT INTO known_clients (id, user_id, client_hash, expires_at)
		SELECT ?, id, ?, now() + ? FROM users WHERE id = ? AND deleted_at IS NULL FOR SHARE
		ON CONFLICT ON CONSTRAINT known_clients_user_client_key
			DO UPDATE SET expires_at = excluded.expires_at, updated_at = now()`,
		newID(), clientOf(userID, client), interval(watchparty.KnownClientTTL), userID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: remember client: %w", err)
	}
	_, err = db.NewRaw(`
		DELETE FROM known_clients WHERE id IN (
			SELECT id FROM known_clients WHERE user_id = ? ORDER BY expires_at DESC, id DESC OFFSET ?
			FOR UPDATE SKIP LOCKED)`,
		userID, watchparty.MaxKnownClients).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: forget clients: %w", err)
	}
	return nil
}

// forgetClients deletes all clients of an account, since one of them may have known its former password.
func forgetClients(ctx context.Context, tx bun.Tx, userID string) error {
	if _, err := tx.NewRaw("DELETE FROM known_clients WHERE user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("store: forget clients: %w", err)
	}
	return nil
}
