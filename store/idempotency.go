package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// IdempotencyKey makes a request that is sent again do nothing new. The zero value stands for a request without a key.
type IdempotencyKey struct {
	Hash        []byte // of the operation, the caller and the key
	Fingerprint []byte // of what was asked
	Replayed    *bool  // is set when an earlier request has made it; may be nil
}

// idempotencyKeyLife is how long a key is remembered.
const idempotencyKeyLife = 24 * time.Hour

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency_keys,alias:k"`

	ID          string    `bun:"id,pk"`
	KeyHash     []byte    `bun:"key_hash"`
	Fingerprint []byte    `bun:"fingerprint"`
	ResourceID  string    `bun:"resource_id"`
	ExpiresAt   time.Time `bun:"expires_at"`
}

// claimKey takes the key for what the caller's transaction is about to make. When an earlier request has the key, claim
// returns the ID of what that one made, and the transaction has to make nothing; it waits for a request that has not
// ended yet. It returns ErrKeyReused when that one asked for something else.
func claimKey(ctx context.Context, tx bun.Tx, key IdempotencyKey, resourceID string) (former string, err error) {
	if key.Hash == nil {
		return "", nil
	}
	row := idempotencyRow{
		ID: newID(), KeyHash: key.Hash, Fingerprint: key.Fingerprint, ResourceID: resourceID, ExpiresAt: Now().
			Add(idempotencyKeyLife),
	}
	result, err := tx.NewInsert().Model(&row).
		On("CONFLICT ON CONSTRAINT idempotency_keys_hash_key DO UPDATE").
		Set("resource_id = excluded.resource_id, fingerprint = excluded.fingerprint, expires_at = excluded.expires_at, updated_at = now()").
		Where("k.expires_at < now()").Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("store: claim idempotency key: %w", err)
	}
	if affected(result) {
		return "", nil
	}
	var earlier idempotencyRow
	if err := tx.NewSelect().Model(&earlier).Where("key_hash = ?", key.Hash).Scan(ctx); err != nil {
		return "", found(err, "idempotency key")
	}
	if !bytes.Equal(earlier.Fingerprint, key.Fingerprint) {
		return "", watchparty.ErrKeyReused
	}
	if key.Replayed != nil {
		*key.Replayed = true
	}
	return earlier.ResourceID, nil
}
