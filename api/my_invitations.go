package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListMyInvitations lists the open invitations to the caller's confirmed address.
func (s *Server) ListMyInvitations(
	ctx context.Context, r contract.ListMyInvitationsRequestObject,
) (contract.ListMyInvitationsResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listMyInvitations", id.UserID)
	if err != nil {
		return nil, err
	}
	invitations, err := s.store.MyInvitations(ctx, id.UserID, more(p))
	if err != nil {
		return nil, err
	}
	invitations, next := cut(invitations, p, func(i watchparty.ReceivedInvitation) store.Keys { return store.Keys{i.ID} })
	return contract.ListMyInvitations200JSONResponse{Data: convert(invitations, s.myInvitation), NextCursor: next}, nil
}

// AcceptMyInvitation makes the caller a member of the room, by an invitation to their confirmed address.
func (s *Server) AcceptMyInvitation(
	ctx context.Context, r contract.AcceptMyInvitationRequestObject,
) (contract.AcceptMyInvitationResponseObject, error) {
	id := caller(ctx)
	joined, err := s.store.AcceptMyInvitation(ctx, r.InvitationID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.AcceptMyInvitation200JSONResponse{Data: s.room(joined)}, nil
}

// DeclineMyInvitation declines an invitation to the caller's confirmed address.
func (s *Server) DeclineMyInvitation(
	ctx context.Context, r contract.DeclineMyInvitationRequestObject,
) (contract.DeclineMyInvitationResponseObject, error) {
	id := caller(ctx)
	if err := s.store.DeclineMyInvitation(ctx, r.InvitationID, id.UserID); err != nil {
		return nil, err
	}
	return contract.DeclineMyInvitation204Response{}, nil
}

func (s *Server) myInvitation(i watchparty.ReceivedInvitation) contract.MyInvitation {
	return contract.MyInvitation{
		ID: i.ID, Room: invitedRoom(i.Room), Inviter: s.requiredPerson(i.Inviter),
		ExpiresAt: i.ExpiresAt, CreatedAt: i.CreatedAt,
	}
}
