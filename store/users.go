package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID              string     `bun:"id,pk"`
	Username        string     `bun:"username"`
	Email           string     `bun:"email"`
	EmailKey        string     `bun:"email_key"`
	DisplayName     string     `bun:"display_name"`
	Language        string     `bun:"language"`
	PasswordHash    string     `bun:"password_hash"`
	IsAdmin         bool       `bun:"is_admin"`
	EmailVerifiedAt *time.Time `bun:"email_verified_at"`
	SuspendedAt     *time.Time `bun:"suspended_at"`
	HiddenAt        *time.Time `bun:"hidden_at"`
	AvatarVersion   int        `bun:"avatar_version"`
	AvatarFiles     []string   `bun:"avatar_files,array,nullzero"`
	CreatedAt       time.Time  `bun:"created_at"`
	UpdatedAt       time.Time  `bun:"updated_at"`
	Rank            int        `bun:"rank,scanonly"`
}

func (r userRow) user() watchparty.User {
	return watchparty.User{
		ID: r.ID, Username: r.Username, Email: r.Email, DisplayName: r.DisplayName,
		Language: watchparty.Language(r.Language), Admin: r.IsAdmin,
		EmailVerifiedAt: valueOrZero(r.EmailVerifiedAt).UTC(), SuspendedAt: valueOrZero(r.SuspendedAt).UTC(),
		HiddenAt:      valueOrZero(r.HiddenAt).UTC(),
		AvatarVersion: r.AvatarVersion, AvatarFiles: r.AvatarFiles,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), Rank: r.Rank,
	}
}

// CreateUser stores an account, its welcome email, and the event that sends the email. It returns ErrUsernameTaken and
// ErrEmailTaken, both without regard to case, and an error of KindLimited if the client has asked for too many emails.
func (s *Store) CreateUser(
	ctx context.Context, r watchparty.Registration, passwordHash string,
) (watchparty.User, error) {
	created, err := s.createUser(ctx, r, passwordHash, nil, IdempotencyKey{})
	return created.User, err
}

// CreateSignedInUser is CreateUser and starts a session in the same transaction. For a repeated request it does nothing
// and returns a zero SignIn.
func (s *Store) CreateSignedInUser(
	ctx context.Context, r watchparty.Registration, passwordHash string, n NewSession, key IdempotencyKey,
) (SignIn, error) {
	return s.createUser(ctx, r, passwordHash, &n, key)
}

func (s *Store) createUser(
	ctx context.Context, r watchparty.Registration, passwordHash string, n *NewSession, key IdempotencyKey,
) (SignIn, error) {
	address, err := watchparty.ParseAddress(r.Email)
	if err != nil {
		return SignIn{}, err
	}
	now := Now()
	var created SignIn
	row := userRow{
		ID: newID(), Username: r.Username, Email: address.String(), EmailKey: address.Key(), DisplayName: r.DisplayName,
		Language:     string(cmp.Or(r.Language, watchparty.English)),
		PasswordHash: passwordHash, CreatedAt: now, UpdatedAt: now,
	}
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil || former != "" {
			return nil, err
		}
		// Not a violation of a key: Postgres would log its values.
		result, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if err == nil && !affected(result) {
			err = takenError(ctx, tx, row.Username)
		}
		if err != nil {
			return nil, err
		}
		changes(ctx, coherence.TagProfile(row.Username)) // the cache may have stored that no such profile exists
		if n != nil {
			if created, err = addSession(ctx, tx, row.ID, *n); err != nil {
				return nil, err
			}
		}
		created.User = row.user()
		if _, err := addVerification(ctx, tx, row.ID, row.Email, row.EmailKey); err != nil {
			return nil, err
		}
		emailID, err := s.addEmail(ctx, tx, watchparty.EmailWelcome, row.ID, row.ID, job.WelcomeEmailID(row.ID), "",
			row.EmailKey)
		return []job.Event{job.WelcomeEmailEvent(row.ID, emailID).About(row.ID, "")}, err
	})
	if err != nil {
		return SignIn{}, fmt.Errorf("store: create user: %w", err)
	}
	return created, nil
}

// takenError returns why an account could not be created: another account has its username, or else its address.
func takenError(ctx context.Context, tx bun.Tx, username string) error {
	exists, err := tx.NewSelect().Model((*userRow)(nil)).Where("lower(username) = lower(?)", username).Exists(ctx)
	switch {
	case err != nil:
		return err
	case exists:
		return watchparty.ErrUsernameTaken
	default:
		return watchparty.ErrEmailTaken
	}
}

// takesAddress reports whether err is a violation of a unique index on addresses. users_email_key is violated by
// accounts that a former version of the program creates during an update.
func takesAddress(err error) bool {
	return violates(err, "users_email_key") || violates(err, "users_email_address_key")
}

// selectByAddress selects the account with an address as typed. An account from before addresses had keys, whose
// email_key is only its spelling, comes first; then the account whose email_key is the key of the address.
func selectByAddress(db bun.IDB, rows any, typed string) *bun.SelectQuery {
	return db.NewSelect().Model(rows).Where("u.email_key IN (':' || lower(?), ?)", strings.TrimSpace(typed),
		watchparty.AccountKey(typed)).
		Where("u.deleted_at IS NULL").OrderExpr("u.email_key LIKE ':%' DESC").Limit(1)
}

// User finds an account by its ID.
func (s *Store) User(ctx context.Context, id string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("id = ? AND deleted_at IS NULL", id).Scan(ctx)
	return row.user(), wrapErr(err, "user")
}

// UserByUsername finds an account by its name, without regard to case.
func (s *Store) UserByUsername(ctx context.Context, username string) (watchparty.User, error) {
	var row userRow
	err := s.db.NewSelect().Model(&row).Where("lower(username) = lower(?) AND deleted_at IS NULL", username).Scan(ctx)
	return row.user(), wrapErr(err, "user by username")
}

// UsersByUsername finds the accounts with the given usernames, in the order of the names. Names that no account has are
// left out.
func (s *Store) UsersByUsername(ctx context.Context, usernames []string) ([]watchparty.User, error) {
	lower := make([]string, len(usernames))
	for i, name := range usernames {
		lower[i] = strings.ToLower(name)
	}
	var rows []userRow
	err := s.db.NewSelect().Model(&rows).Where("lower(username) IN (?) AND deleted_at IS NULL", bun.List(lower)).
		OrderExpr("lower(username)").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: users by username: %w", err)
	}
	return mapRows(rows, userRow.user), nil
}

// Credentials finds an account and its password's hash by email address, however that is written.
func (s *Store) Credentials(ctx context.Context, email string) (watchparty.User, string, error) {
	var row userRow
	err := selectByAddress(s.db, &row, email).Scan(ctx)
	return row.user(), row.PasswordHash, wrapErr(err, "credentials")
}

// SpelledAccount is an account from before addresses had keys, whose email_key is only the spelling of its address.
// HolderID is the account that has the key of the address, empty if there is none.
type SpelledAccount struct {
	UserID, HolderID string
}

// AccountsWithOldSpelling lists at most limit accounts whose email_key is only the spelling of their address.
func (s *Store) AccountsWithOldSpelling(ctx context.Context, limit int) ([]SpelledAccount, error) {
	var rows []userRow
	err := s.db.NewSelect().Model(&rows).Where("u.email_key LIKE ':%' AND u.deleted_at IS NULL").Order("u.id").
		Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: spelled accounts: %w", err)
	}
	keys := mapRows(rows, func(r userRow) string { return watchparty.AccountKey(r.Email) })
	holders := map[string]string{}
	if len(keys) > 0 {
		var all []userRow
		if err := s.db.NewSelect().Model(&all).Column("id", "email_key").Where("email_key IN (?)", bun.List(keys)).
			Scan(ctx); err != nil {
			return nil, fmt.Errorf("store: holders of addresses: %w", err)
		}
		for _, holder := range all {
			holders[holder.EmailKey] = holder.ID
		}
	}
	accounts := make([]SpelledAccount, len(rows))
	for i, row := range rows {
		accounts[i].UserID = row.ID
		if holder := holders[keys[i]]; holder != row.ID {
			accounts[i].HolderID = holder
		}
	}
	return accounts, nil
}

// PasswordHash finds the hash of an account's password.
func (s *Store) PasswordHash(ctx context.Context, id string) (string, error) {
	var hash string
	err := s.db.NewSelect().Model((*userRow)(nil)).Column("password_hash").Where("id = ? AND deleted_at IS NULL", id).
		Scan(ctx, &hash)
	return hash, wrapErr(err, "password hash")
}

// RenewHash replaces the hash of a password by a newer hash of the same password. It reports whether it did: it changes
// nothing if the password was changed meanwhile, or the account is deleted.
func (s *Store) RenewHash(ctx context.Context, id, former, renewed string) (bool, error) {
	result, err := s.db.NewUpdate().Model((*userRow)(nil)).Set("password_hash = ?", renewed).
		Where("id = ? AND password_hash = ? AND deleted_at IS NULL", id, former).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: renew hash: %w", err)
	}
	return affected(result), nil
}

// UpdateProfile changes the given fields of an account and returns it. It returns ErrUnauthenticated for an account
// that is deleted or suspended.
func (s *Store) UpdateProfile(ctx context.Context, id string, c watchparty.ProfileChange) (watchparty.User, error) {
	var row userRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		update := tx.NewUpdate().Model(&row).Set("updated_at = now()").Where("id = ?", id).Where(active).Returning("*")
		if c.DisplayName != nil {
			update = update.Set("display_name = ?", *c.DisplayName)
		}
		if c.Language != nil {
			update = update.Set("language = ?", string(*c.Language))
		}
		if err := foundActive(update.Scan(ctx)); err != nil {
			return err
		}
		changes(ctx, coherence.TagProfile(row.Username), coherence.TagPerson(id))
		return nil
	})
	return row.user(), wrapErr(err, "update profile")
}
