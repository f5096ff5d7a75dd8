package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// Once makes a request that is sent again do nothing new. The zero value stands for a request without a key.
type Once struct {
	KeyHash     []byte // of the operation, the caller and the key
	Fingerprint []byte // of what was asked
	Replayed    *bool  // is set when an earlier request has made it; may be nil
}

// keptFor is how long a key is remembered.
const keptFor = 24 * time.Hour

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency_keys,alias:k"`

	ID          string    `bun:"id,pk"`
	KeyHash     []byte    `bun:"key_hash"`
	Fingerprint []byte    `bun:"fingerprint"`
	ResourceID  string    `bun:"resource_id"`
	ExpiresAt   time.Time `bun:"expires_at"`
}

// claim takes the key for what the caller's transaction is about to make. When an earlier request has the key, claim
// returns the ID of what that one made, and the transaction has to make nothing; it waits for a request that has not
// ended yet. It returns ErrKeyReused when that one asked for something else.
func claim(ctx context.Context, tx bun.Tx, o Once, resourceID string) (former string, err error) {
	if o.KeyHash == nil {
		return "", nil
	}
	row := idempotencyRow{
		ID: newID(), KeyHash: o.KeyHash, Fingerprint: o.Fingerprint, ResourceID: resourceID, ExpiresAt: Now().Add(keptFor),
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
	if err := tx.NewSelect().Model(&earlier).Where("key_hash = ?", o.KeyHash).Scan(ctx); err != nil {
		return "", found(err, "idempotency key")
	}
	if !bytes.Equal(earlier.Fingerprint, o.Fingerprint) {
		return "", watchparty.ErrKeyReused
	}
	if o.Replayed != nil {
		*o.Replayed = true
	}
	return earlier.ResourceID, nil
}
