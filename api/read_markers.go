package api

import (
	"context"

	"github.com/watchparty/watchparty/api/contract"
)

// MarkRead stores up to which message the caller has read a room.
func (s *Server) MarkRead(
	ctx context.Context,
	r contract.MarkReadRequestObject,
) (contract.MarkReadResponseObject, error) {
	id := caller(ctx)
	if err := s.store.MarkRead(ctx, r.RoomID, id.UserID, r.Body.MessageID); err != nil {
		return nil, err
	}
	return contract.MarkRead204Response{}, nil
}
