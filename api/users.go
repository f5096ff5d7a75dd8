package api

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// GetMe answers one's own account, which only its owner sees and which is therefore not cached.
func (s *Server) GetMe(ctx context.Context, _ contract.GetMeRequestObject) (contract.GetMeResponseObject, error) {
	id := caller(ctx)
	account, err := s.ownAccount(ctx, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GetMe200JSONResponse{Data: account}, nil
}

// ownAccount is an account as its owner sees it.
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

// UpdateMe changes one's own profile.
func (s *Server) UpdateMe(
	ctx context.Context,
	r contract.UpdateMeRequestObject,
) (contract.UpdateMeResponseObject, error) {
	id := caller(ctx)
	change := watchparty.ProfileChange{DisplayName: r.Body.DisplayName, Language: (*watchparty.Language)(r.Body.Language)}
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

// GetProfile answers what everyone may know of a user.
func (s *Server) GetProfile(
	ctx context.Context,
	r contract.GetProfileRequestObject,
) (contract.GetProfileResponseObject, error) {
	name := strings.ToLower(r.Username)
	q := cache.Query{
		Key: "user:" + name, Tags: []string{coherence.TagProfile(name)},
		TTL: s.cfg.Cache.Profiles, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		user, err := s.store.UserByUsername(ctx, name)
		return single{Data: s.profile(user)}, err
	})
}

// maxProfiles is how many one may ask for at once.
const maxProfiles = 100

// ListProfiles answers what everyone may know of several users.
func (s *Server) ListProfiles(
	ctx context.Context,
	r contract.ListProfilesRequestObject,
) (contract.ListProfilesResponseObject, error) {
	names := strings.Split(r.Params.Usernames, ",")
	if len(names) > maxProfiles {
		return nil, watchparty.Invalid(
			watchparty.FieldError{Field: "usernames", Code: "too_many", Message: "are more than 100"},
		)
	}
	users, err := s.store.UsersByUsername(ctx, names)
	if err != nil {
		return nil, err
	}
	return contract.ListProfiles200JSONResponse{Data: convert(users, s.profile)}, nil
}

// me is the caller's account. One that was deleted has tokens that are still valid for a while.
func (s *Server) me(ctx context.Context) (watchparty.User, error) {
	id := caller(ctx)
	user, err := s.store.User(ctx, id.UserID)
	return user, gone(err)
}

// gone turns the absence of one's own account into the absence of a valid token.
func gone(err error) error {
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return watchparty.ErrUnauthenticated
	}
	return err
}

func (s *Server) account(u watchparty.User) contract.Account {
	return contract.Account{
		ID: u.ID, Username: u.Username, Email: u.Email, EmailVerified: !u.EmailVerifiedAt.IsZero(),
		DisplayName: u.DisplayName, Language: contract.Language(u.Language), IsAdmin: u.Admin, Avatar: s.avatarURLs(u),
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

func (s *Server) profile(u watchparty.User) contract.Profile {
	return contract.Profile{
		ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Avatar: s.avatarURLs(u), CreatedAt: u.CreatedAt,
	}
}

// avatarURLs are absolute, and change with each version.
func (s *Server) avatarURLs(u watchparty.User) contract.AvatarURLs {
	base := s.cfg.HTTP.PublicURL + basePath + "/files/avatars/" + u.ID + "/"
	if u.AvatarVersion == 0 {
		picture := base + defaultAvatarFile
		return contract.AvatarURLs{
			Default:   true,
			Thumbnail: picture,
			Medium:    picture,
			Large:     picture,
			Plain:     base + plainDefaultAvatarFile,
		}
	}
	base += strconv.Itoa(u.AvatarVersion) + "/"
	// The first avatars had only two files.
	firstOf := func(names ...string) string {
		for _, name := range names {
			if slices.Contains(u.AvatarFiles, name) {
				return base + name
			}
		}
		return base + watchparty.MediumFile
	}
	return contract.AvatarURLs{
		Thumbnail: base + watchparty.ThumbnailFile, Medium: base + watchparty.MediumFile,
		Large: firstOf(watchparty.LargeFile), Plain: firstOf(watchparty.JPEGFile, watchparty.PNGFile),
	}
}
