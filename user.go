package watchparty

import (
	"cmp"
	"strings"
	"time"
)

// User is an account.
type User struct {
	ID              string
	Username        string
	Email           string
	DisplayName     string
	Language        Language
	Admin           bool
	EmailVerifiedAt time.Time // zero while unverified
	SuspendedAt     time.Time // zero unless suspended
	HiddenAt        time.Time // zero unless its content is hidden
	AvatarVersion   int       // version of the published avatar; 0 without one
	AvatarFiles     []string  // names of the avatar's files
	CreatedAt       time.Time
	UpdatedAt       time.Time
	Rank            int // in a search: the closest result has the lowest rank
}

// Person is the account as others see it.
func (u User) Person() Person {
	return Person{
		ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, AvatarVersion: u.AvatarVersion,
		AvatarFiles: u.AvatarFiles,
	}
}

// UserState is whether an account may sign in.
type UserState string

const (
	UserActive    UserState = "active"
	UserSuspended UserState = "suspended"
)

// State returns the state of the account.
func (u User) State() UserState {
	if u.SuspendedAt.IsZero() {
		return UserActive
	}
	return UserSuspended
}

// UserFilter selects accounts. Empty fields select all.
type UserFilter struct {
	Search string // words of the username or the display name, or the beginning of the email address
	State  UserState
	Admins bool // only accounts with an admin's rights
}

// Normalise removes white space around the text.
func (f *UserFilter) Normalise() { f.Search = strings.TrimSpace(f.Search) }

// Validate reports texts that cannot be searched for.
func (f UserFilter) Validate() error {
	var v fields
	v.search(f.Search)
	return v.err()
}

// Session is a sign-in, with all its refreshes.
type Session struct {
	ID         string
	UserAgent  string
	SignedInAt time.Time
	LastUsedAt time.Time // when it last got an access token
	ExpiresAt  time.Time // unless it is used before
}

// Verification is an address that a user has yet to confirm.
type Verification struct {
	ID     string
	User   User
	Email  string
	Former string // the address that it replaced, if any
}

// How long the links in emails work.
const (
	VerificationTTL = 7 * 24 * time.Hour
	ResetTTL        = 30 * time.Minute
)

// DeletedDisplayName is the display name of a deleted account.
const DeletedDisplayName = "Deleted account"

// A client that has signed in to an account is known for KnownClientTTL. An account has at most MaxKnownClients.
const (
	KnownClientTTL  = 90 * 24 * time.Hour
	MaxKnownClients = 100
)

// MaxDisplayName is in characters.
const MaxDisplayName = 64

// Errors of accounts and sessions. Sign-in does not tell an unknown address from a wrong password.
var (
	ErrUsernameTaken = &Error{Kind: KindConflict, Code: "username_taken", Message: "This username is taken.",
		Fields: []FieldError{{Field: "username", Code: "taken", Message: "is taken"}}}
	ErrEmailTaken = &Error{Kind: KindConflict, Code: "email_taken", Message: "This email address has an account already.",
		Fields: []FieldError{{Field: "email", Code: "taken", Message: "has an account already"}}}
	ErrBadToken = &Error{Kind: KindInvalid, Code: "bad_token", Message: "The link is unknown, used or expired.",
		Fields: []FieldError{{Field: "token", Code: "unknown", Message: "is unknown, used or expired"}}}
	// ErrWrongPassword is made by WrongPassword.
	ErrWrongPassword  = WrongPassword("password")
	ErrSuspended      = &Error{Kind: KindForbidden, Code: "account_suspended", Message: "This account is suspended."}
	ErrBadCredentials = &Error{Kind: KindUnauthenticated, Code: "bad_credentials",
		Message: "The email address or the password is wrong."}
	ErrBadRefresh = &Error{Kind: KindUnauthenticated, Code: "bad_refresh_token",
		Message: "The refresh token is unknown, used or expired."}
)

// TooManyTokens is the error for a refresh token that was exchanged too often within its grace period.
func TooManyTokens(retryAfter time.Duration) *Error {
	return &Error{
		Kind: KindLimited, Code: "rate_limited", Message: "This refresh token was used too often. Try again later.",
		RetryAfter: retryAfter,
	}
}

// WrongPassword is the error for a signed-in user who gives a wrong password; field is the field that has it.
func WrongPassword(field string) *Error {
	return &Error{Kind: KindForbidden, Code: "wrong_password", Message: "The password is wrong.",
		Fields: []FieldError{{Field: field, Code: "wrong", Message: "is wrong"}}}
}

// Registration is an account to be created.
type Registration struct {
	Username    string
	Email       string
	Password    string
	DisplayName string // the username when empty
	Language    Language
}

// Normalise brings the texts into the form in which they are checked and stored, and fills in the display name.
func (r *Registration) Normalise() {
	r.Username = strings.TrimSpace(r.Username)
	r.Email = strings.TrimSpace(r.Email)
	r.DisplayName = normalLine(r.DisplayName)
	if r.DisplayName == "" {
		r.DisplayName = r.Username
	}
	r.Language = cmp.Or(r.Language, English)
}

// Validate reports every field that is wrong.
func (r Registration) Validate() error {
	var v fields
	v.username(r.Username)
	v.email("email", r.Email)
	v.password("password", r.Password, r.Username, r.Email)
	v.line("display_name", r.DisplayName, 1, MaxDisplayName)
	v.language(r.Language)
	return v.err()
}

// ValidateEmail checks an email address.
func ValidateEmail(email string) error {
	var v fields
	v.email("email", email)
	return v.err()
}

// ValidateAccountAddress checks a text that names an account and need not be an address. NUL is refused because it
// would be dropped on the way to Postgres: one account would have many names, each with a rate limit of its own.
func ValidateAccountAddress(email string) error {
	var v fields
	v.uncontrolled("email", strings.TrimSpace(email))
	return v.err()
}

// ProfileChange is a change by a user. A nil field stays as it is.
type ProfileChange struct {
	DisplayName *string
	Language    *Language
}

// Normalise brings the text into the form in which it is checked and stored.
func (c *ProfileChange) Normalise() {
	c.DisplayName = normalised(c.DisplayName, normalLine)
}

// Validate reports every field that is wrong.
func (c ProfileChange) Validate() error {
	var v fields
	if c.DisplayName != nil {
		v.line("display_name", *c.DisplayName, 1, MaxDisplayName)
	}
	if c.Language != nil {
		v.language(*c.Language)
	}
	return v.err()
}

func (v *fields) email(field, value string) {
	_, ok := parseAddress(value)
	v.check(ok, field, "email", "must be an email address")
	v.uncontrolled(field, strings.TrimSpace(value))
}
