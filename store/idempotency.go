package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// IdempotencyKey identifies a request, so that the request does nothing when it is sent again. The zero value is for a
// request without a key.
type IdempotencyKey struct {
	Hash        []byte // a keyed hash of the operation, the caller, and the key that the caller sent
	Fingerprint []byte // a hash of the request, to tell a repeated request from another one with the same key
	Replayed    *bool  // is set to true when an earlier request has this key; may be nil
}

// idempotencyKeyLife is how long a key is stored.
const idempotencyKeyLife = 24 * time.Hour

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency_keys,alias:k"`

	ID          string    `bun:"id,pk"`
	KeyHash     []byte    `bun:"key_hash"`
	Fingerprint []byte    `bun:"fingerprint"`
	ResourceID  string    `bun:"resource_id"`
	ExpiresAt   time.Time `bun:"expires_at"`
}

// claimKey stores a key with the ID of the resource that the caller's transaction is about to create. If an earlier
// request has the key, it returns the ID of the resource which that request has created, and the transaction has to
// create nothing. It waits for an earlier request that has not ended yet. It returns ErrKeyReused if the earlier
// request was another one.
func claimKey(ctx context.Context, tx bun.Tx, key IdempotencyKey, resourceID string) (former string, err error) {
	if key.Hash == nil {
		return "", nil
	}
	row := idempotencyRow{
		ID: newID(), KeyHash: key.Hash, Fingerprint: key.Fingerprint, ResourceID: resourceID,
		ExpiresAt: Now().Add(idempotencyKeyLife),
	}
	result, err := tx.NewInsert().Model(&row).
		On("CONFLICT ON CONSTRAINT idempotency_keys_hash_key DO UPDATE").
		Set("resource_id = excluded.resource_id, fingerprint = excluded.fingerprint, expires_at = excluded.expires_at, " +
			"updated_at = now()").
		Where("k.expires_at < now()").Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("store: claim idempotency key: %w", err)
	}
	if affected(result) {
		return "", nil
	}
	var earlier idempotencyRow
	if err := tx.NewSelect().Model(&earlier).Where("key_hash = ?", key.Hash).Scan(ctx); err != nil {
		return "", wrapErr(err, "idempotency key")
	}
	if !bytes.Equal(earlier.Fingerprint, key.Fingerprint) {
		return "", watchparty.ErrKeyReused
	}
	if key.Replayed != nil {
		*key.Replayed = true
	}
	return earlier.ResourceID, nil
}
