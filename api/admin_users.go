package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListUsers lists accounts.
func (s *Server) ListUsers(
	ctx context.Context,
	r contract.ListUsersRequestObject,
) (contract.ListUsersResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listUsers", r.Params.Q, r.Params.State)
	if err != nil {
		return nil, err
	}
	f := watchparty.UserFilter{Search: value(r.Params.Q), State: watchparty.UserState(value(r.Params.State))}
	f.Normalise()
	if err := f.Validate(); err != nil {
		return nil, err
	}
	users, err := s.store.Users(ctx, f, more(p))
	if err != nil {
		return nil, err
	}
	users, next := cut(users, p, func(u watchparty.User) store.Keys { return store.SearchKeys(u.Rank, u.ID) })
	return contract.ListUsers200JSONResponse{Data: convert(users, s.adminUser), NextCursor: next}, nil
}

// GetUser answers with one account.
func (s *Server) GetUser(ctx context.Context, r contract.GetUserRequestObject) (contract.GetUserResponseObject, error) {
	user, err := s.store.User(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GetUser200JSONResponse{Data: s.adminUser(user)}, nil
}

// ListUserSessions lists the sign-ins of an account.
func (s *Server) ListUserSessions(
	ctx context.Context,
	r contract.ListUserSessionsRequestObject,
) (contract.ListUserSessionsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listUserSessions", r.UserID)
	if err != nil {
		return nil, err
	}
	var sessions []watchparty.Session
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		if _, err := at.User(ctx, r.UserID); err != nil {
			return err
		}
		sessions, err = at.Sessions(ctx, r.UserID, more(p))
		return err
	})
	if err != nil {
		return nil, err
	}
	sessions, next := cut(sessions, p, func(s watchparty.Session) store.Keys { return store.Keys{s.ID} })
	return contract.ListUserSessions200JSONResponse{Data: convert(sessions, sessionOf("")), NextCursor: next}, nil
}

// SuspendUser ends an account's sign-ins and refuses new ones. It hides the account's content unless the request says
// otherwise.
func (s *Server) SuspendUser(
	ctx context.Context,
	r contract.SuspendUserRequestObject,
) (contract.SuspendUserResponseObject, error) {
	id := caller(ctx)
	why := watchparty.Suspension{
		Reason:      r.Body.Reason,
		HideContent: r.Body.HideContent == nil || *r.Body.HideContent,
		ReportID:    value(r.Body.AbuseReportID),
	}
	why.Normalise()
	if err := why.Validate(); err != nil {
		return nil, err
	}
	if r.UserID == id.UserID {
		return nil, watchparty.ErrSuspendOneself
	}
	done, err := s.store.SuspendUser(ctx, id.UserID, r.UserID, why)
	if err != nil {
		return nil, err
	}
	return contract.SuspendUser200JSONResponse{Data: s.adminUser(done)}, nil
}

// ReinstateUser lets a suspended account sign in again.
func (s *Server) ReinstateUser(
	ctx context.Context,
	r contract.ReinstateUserRequestObject,
) (contract.ReinstateUserResponseObject, error) {
	id := caller(ctx)
	done, err := s.store.ReinstateUser(ctx, id.UserID, r.UserID)
	if err != nil {
		return nil, err
	}
	return contract.ReinstateUser200JSONResponse{Data: s.adminUser(done)}, nil
}

// ListAdmins lists the accounts with an admin's rights.
func (s *Server) ListAdmins(
	ctx context.Context,
	r contract.ListAdminsRequestObject,
) (contract.ListAdminsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listAdmins")
	if err != nil {
		return nil, err
	}
	users, err := s.store.Users(ctx, watchparty.UserFilter{Admins: true}, more(p))
	if err != nil {
		return nil, err
	}
	users, next := cut(users, p, func(u watchparty.User) store.Keys { return store.Keys{u.ID} })
	return contract.ListAdmins200JSONResponse{Data: convert(users, s.adminUser), NextCursor: next}, nil
}

// GrantAdmin makes an account an admin.
func (s *Server) GrantAdmin(
	ctx context.Context,
	r contract.GrantAdminRequestObject,
) (contract.GrantAdminResponseObject, error) {
	id := caller(ctx)
	user, err := s.store.GrantAdminTo(ctx, id.UserID, r.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GrantAdmin200JSONResponse{Data: s.adminUser(user)}, nil
}

// RevokeAdmin ends an admin's rights. They end with the commit: no operation for admins trusts a token or the cache.
func (s *Server) RevokeAdmin(
	ctx context.Context,
	r contract.RevokeAdminRequestObject,
) (contract.RevokeAdminResponseObject, error) {
	id := caller(ctx)
	user, err := s.store.RevokeAdminOf(ctx, id.UserID, r.UserID)
	if err != nil {
		return nil, err
	}
	return contract.RevokeAdmin200JSONResponse{Data: s.adminUser(user)}, nil
}

// EndUserSessions ends all of an account's sign-ins.
func (s *Server) EndUserSessions(
	ctx context.Context,
	r contract.EndUserSessionsRequestObject,
) (contract.EndUserSessionsResponseObject, error) {
	id := caller(ctx)
	if err := s.store.EndUserSessions(ctx, id.UserID, r.UserID); err != nil {
		return nil, err
	}
	return contract.EndUserSessions204Response{}, nil
}

// EndUserSession ends one of an account's sign-ins.
func (s *Server) EndUserSession(
	ctx context.Context,
	r contract.EndUserSessionRequestObject,
) (contract.EndUserSessionResponseObject, error) {
	if err := s.store.EndUserSession(ctx, caller(ctx).UserID, r.UserID, r.SessionID); err != nil {
		return nil, err
	}
	return contract.EndUserSession204Response{}, nil
}

func (s *Server) adminUser(u watchparty.User) contract.AdminUser {
	return contract.AdminUser{
		ID:            u.ID,
		Username:      u.Username,
		Email:         u.Email,
		EmailVerified: !u.EmailVerifiedAt.IsZero(),
		DisplayName:   u.DisplayName,
		IsAdmin:       u.Admin,
		Avatar:        s.avatarURLs(u.Person()),
		State:         contract.UserState(u.State()),
		SuspendedAt:   pointer(u.SuspendedAt),
		ContentHidden: !u.HiddenAt.IsZero(),
		CreatedAt:     u.CreatedAt,
		UpdatedAt:     u.UpdatedAt,
	}
}
