package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

// Invite asks someone into a room by mail, which the same transaction promises.
func (s *Server) Invite(ctx context.Context, r InviteRequestObject) (InviteResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	n := watchparty.NewInvitation{Email: r.Body.Email}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "invite", r.Params.IdempotencyKey, []any{r.RoomID, n})
	if err != nil {
		return nil, err
	}
	invited, err := s.store.Invite(ctx, r.RoomID, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	return Invite201JSONResponse{Data: invitation(invited)}, nil
}

// ListInvitations answers a room's invitations.
func (s *Server) ListInvitations(ctx context.Context, r ListInvitationsRequestObject) (ListInvitationsResponseObject, error) {
	p, err := page("cursor", r.Params.Cursor, r.Params.Limit)
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
	invitations, next := cut(invitations, p, func(i watchparty.Invitation) string { return i.ID })
	return ListInvitations200JSONResponse{Data: convert(invitations, invitation), NextCursor: next}, nil
}

// RevokeInvitation takes an open invitation back.
func (s *Server) RevokeInvitation(ctx context.Context, r RevokeInvitationRequestObject) (RevokeInvitationResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.store.RevokeInvitation(ctx, r.InvitationID, id.UserID); err != nil {
		return nil, err
	}
	return RevokeInvitation204Response{}, nil
}

// AcceptInvitation lets the caller, whoever was invited, into the room.
func (s *Server) AcceptInvitation(ctx context.Context, r AcceptInvitationRequestObject) (AcceptInvitationResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	invitationID, err := s.oneTime.Row(auth.ForInvitation, r.Body.Token)
	if err != nil {
		return nil, err
	}
	joined, err := s.store.AcceptInvitation(ctx, invitationID, id.UserID)
	if err != nil {
		return nil, err
	}
	s.peopleChanged(ctx, joined.ID)
	return AcceptInvitation200JSONResponse{Data: room(joined)}, nil
}

// DeclineInvitation ends an invitation for whoever has its token.
func (s *Server) DeclineInvitation(ctx context.Context, r DeclineInvitationRequestObject) (DeclineInvitationResponseObject, error) {
	invitationID, err := s.oneTime.Row(auth.ForInvitation, r.Body.Token)
	if err != nil {
		return nil, err
	}
	if err := s.store.DeclineInvitation(ctx, invitationID); err != nil {
		return nil, err
	}
	return DeclineInvitation204Response{}, nil
}

func invitation(i watchparty.Invitation) Invitation {
	return Invitation{
		ID: i.ID, RoomID: i.RoomID, Email: i.Email, State: InvitationState(i.State), Inviter: personOf(i.Inviter.ID, i.Inviter.Username),
		ExpiresAt: i.ExpiresAt, AnsweredAt: pointer(i.AnsweredAt), CreatedAt: i.CreatedAt,
	}
}
