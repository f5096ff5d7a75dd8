package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// SetRole gives someone another role, or the room.
func (s *Server) SetRole(ctx context.Context, r contract.SetRoleRequestObject) (contract.SetRoleResponseObject, error) {
	id := caller(ctx)
	changed, err := s.store.SetRole(ctx, r.RoomID, id.UserID, r.Username, watchparty.Role(r.Body.Role))
	if err != nil {
		return nil, err
	}
	return contract.SetRole200JSONResponse{Data: participant(changed)}, nil
}
