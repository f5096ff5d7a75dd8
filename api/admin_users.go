package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
)

// ListUsers answers accounts.
func (s *Server) ListUsers(ctx context.Context, r ListUsersRequestObject) (ListUsersResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listUsers", r.Params.Q, r.Params.State)
	if err != nil {
		return nil, err
	}
	search := watchparty.UserSearch{Prefix: value(r.Params.Q), State: watchparty.UserState(value(r.Params.State))}
	search.Normalise()
	if err := search.Validate(); err != nil {
		return nil, err
	}
	users, err := s.store.Users(ctx, search, more(p))
	if err != nil {
		return nil, err
	}
	users, next := cut(users, p, func(u watchparty.User) store.Keys { return store.Keys{u.ID} })
	return ListUsers200JSONResponse{Data: convert(users, s.adminUser), NextCursor: next}, nil
}

// GetUser answers one account.
func (s *Server) GetUser(ctx context.Context, r GetUserRequestObject) (GetUserResponseObject, error) {
	if _, err := s.admin(ctx); err != nil {
		return nil, err
	}
	user, err := s.store.User(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	return GetUser200JSONResponse{Data: s.adminUser(user)}, nil
}

// SuspendUser ends an account's sign-ins and refuses new ones. What it has said and where it is stays.
func (s *Server) SuspendUser(ctx context.Context, r SuspendUserRequestObject) (SuspendUserResponseObject, error) {
	id, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	why := watchparty.Suspension{Reason: r.Body.Reason}
	why.Normalise()
	if err := why.Validate(); err != nil {
		return nil, err
	}
	if r.UserID == id.UserID {
		return nil, watchparty.ErrSuspendOneself
	}
	user, err := s.store.SuspendUser(ctx, id.UserID, r.UserID, why)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagAccount(user.ID))
	return SuspendUser200JSONResponse{Data: s.adminUser(user)}, nil
}

// ReinstateUser lets a suspended account sign in again.
func (s *Server) ReinstateUser(ctx context.Context, r ReinstateUserRequestObject) (ReinstateUserResponseObject, error) {
	id, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	user, err := s.store.ReinstateUser(ctx, id.UserID, r.UserID)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagAccount(user.ID))
	return ReinstateUser200JSONResponse{Data: s.adminUser(user)}, nil
}

// EndUserSessions ends all of an account's sign-ins.
func (s *Server) EndUserSessions(ctx context.Context, r EndUserSessionsRequestObject) (EndUserSessionsResponseObject, error) {
	id, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.store.EndUserSessions(ctx, id.UserID, r.UserID); err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagAccount(r.UserID))
	return EndUserSessions204Response{}, nil
}

func (s *Server) adminUser(u watchparty.User) AdminUser {
	return AdminUser{
		ID: u.ID, Username: u.Username, Email: u.Email, EmailVerified: !u.EmailVerifiedAt.IsZero(), DisplayName: u.DisplayName,
		IsAdmin: u.Admin, Avatar: s.avatarURLs(u), State: UserState(u.State()), SuspendedAt: pointer(u.SuspendedAt),
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}
