package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/store"
)

// Invite asks someone into a room by mail, which the same transaction promises.
func (s *Server) Invite(ctx context.Context, r contract.InviteRequestObject) (contract.InviteResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewInvitation{Email: r.Body.Email}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "invite", r.Params.IdempotencyKey, []any{r.RoomID, watchparty.AccountKey(n.Email)})
	if err != nil {
		return nil, err
	}
	invited, err := s.store.Invite(ctx, r.RoomID, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := invitation(id.UserID)(invited)
	made, err := madeAt("/invitations/"+answer.ID, 0, contract.InvitationAnswer{Data: answer})
	answer.Email = &n.Email // they know it
	return contract.Invite201JSONResponse{
		Body:    contract.InvitationAnswer{Data: answer},
		Headers: contract.Invite201ResponseHeaders(made),
	}, err
}

// ListInvitations answers a room's invitations.
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
		Data:       convert(invitations, invitation(id.UserID)),
		NextCursor: next,
	}, nil
}

// GetInvitation answers one of a room's invitations.
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
	return tagged{contract.InvitationAnswer{Data: invitation(id.UserID)(found)}, r.Params.IfNoneMatch}, nil
}

// RevokeInvitation takes an open invitation back.
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

// LookUpInvitation answers what whoever has the token is asked into.
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
		Inviter:   contract.Person{ID: i.Inviter.ID, Username: i.Inviter.Username},
		ExpiresAt: i.ExpiresAt,
	}
	return contract.LookUpInvitation200JSONResponse{Data: preview}, nil
}

// AcceptInvitation lets the caller, whoever was invited, into the room.
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
	return contract.AcceptInvitation200JSONResponse{Data: room(joined)}, nil
}

// DeclineInvitation ends an invitation for whoever has its token.
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

// invitedRoom is what an invitation shows of its room to somebody who is not in it.
func invitedRoom(r watchparty.Room) contract.InvitedRoom {
	return contract.InvitedRoom{ID: r.ID, Name: r.Name, Description: r.Description, Participants: r.Participants}
}

// invitation is what someone sees of them: the address only of one's own, for the room may have passed to a stranger.
func invitation(viewerID string) func(watchparty.Invitation) contract.Invitation {
	return func(i watchparty.Invitation) contract.Invitation {
		shown := contract.Invitation{
			ID:         i.ID,
			RoomID:     i.RoomID,
			State:      contract.InvitationState(i.State),
			Inviter:    personOf(i.Inviter.ID, i.Inviter.Username),
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
