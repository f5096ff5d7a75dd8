package api

import (
	"context"
	"encoding/json"

	"github.com/watchparty/watchparty/store"
)

// once reads an Idempotency-Key. A key belongs to one operation and one caller; without a caller, to whoever has it.
func (s *Server) once(ctx context.Context, operation string, key *string, body any) (store.Once, error) {
	if key == nil {
		return store.Once{}, nil
	}
	id, err := viewer(ctx)
	if err != nil {
		return store.Once{}, err
	}
	asked, err := json.Marshal(body)
	if err != nil {
		return store.Once{}, err
	}
	return store.Once{
		KeyHash:     s.digests.Sum("idempotency-key", operation, id.UserID, *key),
		Fingerprint: s.digests.Sum("idempotency-fingerprint", operation, id.UserID, string(asked)),
	}, nil
}
