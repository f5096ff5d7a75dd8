package api

import (
	"context"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// GetMe answers with the caller's account. It is not cached, since only its owner sees it.
func (s *Server) GetMe(ctx context.Context, _ contract.GetMeRequestObject) (contract.GetMeResponseObject, error) {
	id := caller(ctx)
	account, err := s.ownAccount(ctx, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GetMe200JSONResponse{Data: account}, nil
}

// ownAccount returns an account as its owner sees it.
func (s *Server) ownAccount(ctx context.Context, id string) (account contract.Account, err error) {
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		user, err := at.User(ctx, id)
		if err != nil {
			return gone(err)
		}
		pending, err := at.PendingEmailAddress(ctx, id)
		account = s.account(user)
		account.PendingEmail = pointer(pending)
		return err
	})
	return account, err
}

// UpdateMe changes the caller's profile.
func (s *Server) UpdateMe(
	ctx context.Context,
	r contract.UpdateMeRequestObject,
) (contract.UpdateMeResponseObject, error) {
	id := caller(ctx)
	change := watchparty.ProfileChange{
		DisplayName: patched(r.Body.DisplayName, id.Username),
		Language:    (*watchparty.Language)(r.Body.Language),
	}
	change.Normalise()
	if err := change.Validate(); err != nil {
		return nil, err
	}
	user, err := s.store.UpdateProfile(ctx, id.UserID, change)
	if err != nil {
		return nil, gone(err)
	}
	return contract.UpdateMe200JSONResponse{Data: s.account(user)}, nil
}

// GetProfile answers with the public profile of a user.
func (s *Server) GetProfile(
	ctx context.Context,
	r contract.GetProfileRequestObject,
) (contract.GetProfileResponseObject, error) {
	name := strings.ToLower(r.Username)
	q := cache.Query{
		Key: "user:" + name, Tags: []string{coherence.TagProfile(name)},
		TTL: s.cfg.Cache.Profiles, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		user, err := s.store.UserByUsername(ctx, name)
		return encoded(single{Data: s.profile(user)}, err)
	})
}

// maxProfiles is how many profiles one request can ask for.
const maxProfiles = 100

// ListProfiles answers with the public profiles of several users.
func (s *Server) ListProfiles(
	ctx context.Context,
	r contract.ListProfilesRequestObject,
) (contract.ListProfilesResponseObject, error) {
	names := strings.Split(r.Params.Usernames, ",")
	if len(names) > maxProfiles {
		return nil, watchparty.Invalid(
			watchparty.FieldError{Field: "usernames", Code: "too_many", Message: "must have at most 100 items"},
		)
	}
	users, err := s.store.UsersByUsername(ctx, names)
	if err != nil {
		return nil, err
	}
	return contract.ListProfiles200JSONResponse{Data: convert(users, s.profile)}, nil
}

// me returns the caller's account. The tokens of a deleted account are valid for a while.
func (s *Server) me(ctx context.Context) (watchparty.User, error) {
	id := caller(ctx)
	user, err := s.store.User(ctx, id.UserID)
	return user, gone(err)
}

// gone converts the error for the caller's missing account to ErrUnauthenticated.
func gone(err error) error {
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.ErrUnauthenticated
	}
	return err
}

func (s *Server) account(u watchparty.User) contract.Account {
	return contract.Account{
		ID:            u.ID,
		Username:      u.Username,
		Email:         u.Email,
		EmailVerified: !u.EmailVerifiedAt.IsZero(),
		DisplayName:   u.DisplayName,
		Language:      contract.Language(u.Language),
		IsAdmin:       u.Admin,
		Avatar:        s.avatarURLs(u.Person()),
		CreatedAt:     u.CreatedAt,
		UpdatedAt:     u.UpdatedAt,
	}
}

func (s *Server) profile(u watchparty.User) contract.Profile {
	return contract.Profile{
		ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Avatar: s.avatarURLs(u.Person()), CreatedAt: u.CreatedAt,
	}
}
