package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// SetParticipantRole changes a person's role in a room, or hands the room over.
func (s *Server) SetParticipantRole(
	ctx context.Context,
	r contract.SetParticipantRoleRequestObject,
) (contract.SetParticipantRoleResponseObject, error) {
	id := caller(ctx)
	changed, err := s.store.SetRole(ctx, r.RoomID, id.UserID, r.Username, watchparty.Role(r.Body.Role))
	if err != nil {
		return nil, err
	}
	return contract.SetParticipantRole200JSONResponse{Data: s.participant(changed)}, nil
}
