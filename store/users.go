package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID              string     `bun:"id,pk"`
	Username        string     `bun:"username"`
	Email           string     `bun:"email"`
	DisplayName     string     `bun:"display_name"`
	PasswordHash    string     `bun:"password_hash"`
	IsAdmin         bool       `bun:"is_admin"`
	EmailVerifiedAt *time.Time `bun:"email_verified_at"`
	AvatarVersion   int        `bun:"avatar_version"`
	CreatedAt       time.Time  `bun:"created_at"`
	UpdatedAt       time.Time  `bun:"updated_at"`
}

func (r userRow) user() watchparty.User {
	return watchparty.User{
		ID: r.ID, Username: r.Username, Email: r.Email, DisplayName: r.DisplayName, Admin: r.IsAdmin,
		EmailVerifiedAt: value(r.EmailVerifiedAt).UTC(), AvatarVersion: r.AvatarVersion,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// CreateUser stores an account, its welcome mail and the event that sends it. It returns ErrUsernameTaken or
// ErrEmailTaken, both without regard to case.
func (s *Store) CreateUser(ctx context.Context, r watchparty.Registration, passwordHash string) (watchparty.User, error) {
	return s.createUser(ctx, r, passwordHash, nil)
}

// CreateSignedInUser does the same and starts a session, all or nothing.
func (s *Store) CreateSignedInUser(ctx context.Context, r watchparty.Registration, passwordHash string, session Session) (watchparty.User, error) {
	return s.createUser(ctx, r, passwordHash, &session)
}

func (s *Store) createUser(ctx context.Context, r watchparty.Registration, passwordHash string, session *Session) (watchparty.User, error) {
	now := now()
	row := userRow{
		ID: newID(), Username: r.Username, Email: r.Email, DisplayName: r.DisplayName,
		PasswordHash: passwordHash, CreatedAt: now, UpdatedAt: now,
	}
	err := s.withEvent(ctx, func(ctx context.Context, tx bun.Tx) (job.Event, error) {
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return job.Event{}, err
		}
		if session != nil {
			if err := addSession(ctx, tx, row.ID, *session); err != nil {
				return job.Event{}, err
			}
		}
		emailID, err := addEmail(ctx, tx, watchparty.MailWelcome, row.ID, row.ID, job.WelcomeEmailID(row.ID))
		return job.StartWelcomeEmail(row.ID, emailID), err
	})
	switch {
	case violates(err, "users_username_key"):
		return watchparty.User{}, watchparty.ErrUsernameTaken
	case violates(err, "users_email_key"):
		return watchparty.User{}, watchparty.ErrEmailTaken
	case err != nil:
		return watchparty.User{}, fmt.Errorf("store: create user: %w", err)
	}
	return row.user(), nil
}

// User finds an account by its ID.
func (s *Store) User(ctx context.Context, id string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.user(), found(err, "user")
}

// UserByUsername finds an account by its name, without regard to case.
func (s *Store) UserByUsername(ctx context.Context, username string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("lower(username) = lower(?)", username).Scan(ctx)
	return row.user(), found(err, "user by username")
}

// Credentials finds an account and its password's hash by e-mail address, without regard to case.
func (s *Store) Credentials(ctx context.Context, email string) (watchparty.User, string, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("lower(email) = lower(?)", email).Scan(ctx)
	return row.user(), row.PasswordHash, found(err, "credentials")
}

// UpdateProfile changes what the user said and returns the account.
func (s *Store) UpdateProfile(ctx context.Context, id string, c watchparty.ProfileChange) (watchparty.User, error) {
	var row userRow
	update := s.db.NewUpdate().Model(&row).Set("updated_at = now()").Where("id = ?", id).Returning("*")
	if c.DisplayName != nil {
		update = update.Set("display_name = ?", *c.DisplayName)
	}
	err := update.Scan(ctx)
	return row.user(), found(err, "update profile")
}

// GrantAdmin makes the account with that e-mail address an admin.
func (s *Store) GrantAdmin(ctx context.Context, email string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewUpdate().Model(&row).Set("is_admin = true").Set("updated_at = now()").
		Where("lower(email) = lower(?)", email).Returning("*").Scan(ctx)
	return row.user(), found(err, "grant admin")
}
