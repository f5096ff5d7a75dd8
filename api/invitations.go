package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/store"
)

// CreateInvitation invites an address to a room. The same transaction queues the email.
func (s *Server) CreateInvitation(
	ctx context.Context,
	r contract.CreateInvitationRequestObject,
) (contract.CreateInvitationResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewInvitation{Email: r.Body.Email}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "createInvitation", r.Params.IdempotencyKey, []any{r.RoomID, watchparty.AccountKey(n.Email)})
	if err != nil {
		return nil, err
	}
	invited, err := s.store.Invite(ctx, r.RoomID, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := s.invitation(id.UserID)(invited)
	made, err := madeAt("/invitations/"+answer.ID, 0, contract.InvitationAnswer{Data: answer})
	answer.Email = &n.Email // the caller typed it
	return contract.CreateInvitation201JSONResponse{
		Body:    contract.InvitationAnswer{Data: answer},
		Headers: contract.CreateInvitation201ResponseHeaders(made),
	}, err
}

// ListInvitations lists the invitations to a room.
func (s *Server) ListInvitations(
	ctx context.Context,
	r contract.ListInvitationsRequestObject,
) (contract.ListInvitationsResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listInvitations", r.RoomID, r.Params.State)
	if err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, r.RoomID, watchparty.MayInvite); err != nil {
		return nil, err
	}
	invitations, err := s.store.Invitations(ctx, r.RoomID, watchparty.InvitationState(value(r.Params.State)), more(p))
	if err != nil {
		return nil, err
	}
	invitations, next := cut(invitations, p, func(i watchparty.Invitation) store.Keys { return store.Keys{i.ID} })
	return contract.ListInvitations200JSONResponse{
		Data:       convert(invitations, s.invitation(id.UserID)),
		NextCursor: next,
	}, nil
}

// GetInvitation answers with one of a room's invitations.
func (s *Server) GetInvitation(
	ctx context.Context,
	r contract.GetInvitationRequestObject,
) (contract.GetInvitationResponseObject, error) {
	id := caller(ctx)
	found, err := s.store.Invitation(ctx, r.InvitationID)
	if err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, found.RoomID, watchparty.MayInvite); err != nil {
		return nil, err
	}
	return tagged{contract.InvitationAnswer{Data: s.invitation(id.UserID)(found)}, r.Params.IfNoneMatch}, nil
}

// RevokeInvitation revokes an open invitation.
func (s *Server) RevokeInvitation(
	ctx context.Context,
	r contract.RevokeInvitationRequestObject,
) (contract.RevokeInvitationResponseObject, error) {
	id := caller(ctx)
	if err := s.store.RevokeInvitation(ctx, r.InvitationID, id.UserID); err != nil {
		return nil, err
	}
	return contract.RevokeInvitation204Response{}, nil
}

// LookUpInvitation shows an invitation to anyone who has its token.
func (s *Server) LookUpInvitation(
	ctx context.Context,
	r contract.LookUpInvitationRequestObject,
) (contract.LookUpInvitationResponseObject, error) {
	invitationID, err := s.oneTime.Row(auth.ForInvitation, r.Body.Token)
	if err != nil {
		return nil, err
	}
	i, room, err := s.store.OpenInvitation(ctx, invitationID)
	if err != nil {
		return nil, err
	}
	preview := contract.InvitationPreview{
		Email:     i.Email,
		Room:      invitedRoom(room),
		Inviter:   s.requiredPerson(i.Inviter),
		ExpiresAt: i.ExpiresAt,
	}
	return contract.LookUpInvitation200JSONResponse{Data: preview}, nil
}

// AcceptInvitation makes the caller a member of the room, whoever was invited.
func (s *Server) AcceptInvitation(
	ctx context.Context,
	r contract.AcceptInvitationRequestObject,
) (contract.AcceptInvitationResponseObject, error) {
	id := caller(ctx)
	invitationID, err := s.oneTime.Row(auth.ForInvitation, r.Body.Token)
	if err != nil {
		return nil, err
	}
	joined, err := s.store.AcceptInvitation(ctx, invitationID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.AcceptInvitation200JSONResponse{Data: s.room(joined)}, nil
}

// DeclineInvitation declines an invitation for anyone who has its token.
func (s *Server) DeclineInvitation(
	ctx context.Context,
	r contract.DeclineInvitationRequestObject,
) (contract.DeclineInvitationResponseObject, error) {
	invitationID, err := s.oneTime.Row(auth.ForInvitation, r.Body.Token)
	if err != nil {
		return nil, err
	}
	if err := s.store.DeclineInvitation(ctx, invitationID); err != nil {
		return nil, err
	}
	return contract.DeclineInvitation204Response{}, nil
}

// invitedRoom returns what an invitation shows of its room.
func invitedRoom(r watchparty.Room) contract.InvitedRoom {
	return contract.InvitedRoom{
		ID: r.ID, Name: r.Name, Description: r.Description, Movie: roomMovie(r.Movie), Participants: r.Participants,
		Present: r.Present,
	}
}

// invitation returns what a viewer sees of an invitation. It shows the address only to the person who sent the
// invitation, because the room may have another host now.
func (s *Server) invitation(viewerID string) func(watchparty.Invitation) contract.Invitation {
	return func(i watchparty.Invitation) contract.Invitation {
		shown := contract.Invitation{
			ID:         i.ID,
			RoomID:     i.RoomID,
			State:      contract.InvitationState(i.State),
			Inviter:    s.person(i.Inviter),
			ExpiresAt:  i.ExpiresAt,
			AnsweredAt: pointer(i.AnsweredAt),
			CreatedAt:  i.CreatedAt,
			Delivery:   delivery(i.Delivery.ForSender()),
		}
		if i.Inviter.ID == viewerID {
			shown.Email = &i.Email
		}
		return shown
	}
}

func delivery(d watchparty.Delivery) *contract.InvitationDelivery {
	if d.State == "" {
		return nil
	}
	return &contract.InvitationDelivery{
		State:  contract.EmailState(d.State),
		Reason: pointer(contract.EmailReason(d.Reason)),
	}
}
