package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// SetRole changes a person's role in a room, or hands the room over.
func (s *Server) SetRole(ctx context.Context, r contract.SetRoleRequestObject) (contract.SetRoleResponseObject, error) {
	id := caller(ctx)
	changed, err := s.store.SetRole(ctx, r.RoomID, id.UserID, r.Username, watchparty.Role(r.Body.Role))
	if err != nil {
		return nil, err
	}
	return contract.SetRole200JSONResponse{Data: s.participant(changed)}, nil
}
