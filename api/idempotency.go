package api

import (
	"context"
	"encoding/json"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

const headerReplayed = "Idempotent-Replayed"

type replayedKey struct{}

// markReplays adds Idempotent-Replayed to an answer about something that an earlier request with the same key created.
func markReplays(next contract.StrictHandlerFunc, _ string) contract.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		replayed := new(bool)
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), replayedKey{}, replayed)))
		answer, err := next(c, request)
		if err == nil && *replayed {
			c.Response().Header().Set(headerReplayed, "true")
		}
		return answer, err
	}
}

// once reads an Idempotency-Key. A key belongs to one operation and one caller; without a caller, to everyone who has
// it.
func (s *Server) once(ctx context.Context, operation string, key *string, body any) (store.IdempotencyKey, error) {
	if key == nil {
		return store.IdempotencyKey{}, nil
	}
	id, err := viewer(ctx)
	if err != nil {
		return store.IdempotencyKey{}, err
	}
	asked, err := json.Marshal(body)
	if err != nil {
		return store.IdempotencyKey{}, err
	}
	replayed, _ := ctx.Value(replayedKey{}).(*bool)
	return store.IdempotencyKey{
		Replayed:    replayed,
		Hash:        s.digests.Sum("idempotency-key", operation, id.UserID, *key),
		Fingerprint: s.digests.Sum("idempotency-fingerprint", operation, id.UserID, string(asked)),
	}, nil
}
