package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// UnsubscribeFromInvitations ends emails about invitations to the address of the token's invitation.
func (s *Server) UnsubscribeFromInvitations(
	ctx context.Context, r contract.UnsubscribeFromInvitationsRequestObject,
) (contract.UnsubscribeFromInvitationsResponseObject, error) {
	if err := s.optOut(ctx, r.Body.Token); err != nil {
		return nil, err
	}
	return contract.UnsubscribeFromInvitations204Response{}, nil
}

// ResubscribeToInvitations undoes that.
func (s *Server) ResubscribeToInvitations(
	ctx context.Context, r contract.ResubscribeToInvitationsRequestObject,
) (contract.ResubscribeToInvitationsResponseObject, error) {
	invitationID, err := s.oneTime.Row(auth.ForOptOut, r.Body.Token)
	if err != nil {
		return nil, err
	}
	if err := s.store.OptIn(ctx, invitationID); err != nil {
		return nil, err
	}
	return contract.ResubscribeToInvitations204Response{}, nil
}

// oneClick is the target of List-Unsubscribe (RFC 8058): email programs post to the address of the page, which has the
// token.
func (s *Server) oneClick(c echo.Context) error {
	if err := s.optOut(c.Request().Context(), c.QueryParam("token")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) optOut(ctx context.Context, token string) error {
	invitationID, err := s.oneTime.Row(auth.ForOptOut, token)
	if err != nil {
		return err
	}
	return s.store.OptOut(ctx, invitationID)
}
