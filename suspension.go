package watchparty

import "strings"

// UserState is whether an account may sign in.
type UserState string

const (
	UserActive    UserState = "active"
	UserSuspended UserState = "suspended"
)

// State is the account's.
func (u User) State() UserState {
	if u.SuspendedAt.IsZero() {
		return UserActive
	}
	return UserSuspended
}

// UserFilter chooses accounts; what is empty chooses all.
type UserFilter struct {
	Search string // words of the username or the display name, or how the email address begins
	State  UserState
	Admins bool // only those whom an admin's rights were given
}

// Normalise trims what people type around a value.
func (f *UserFilter) Normalise() { f.Search = strings.TrimSpace(f.Search) }

// Validate reports what cannot be searched for.
func (f UserFilter) Validate() error {
	var v fields
	v.search(f.Search)
	return v.err()
}

// MaxSuspensionReason is in characters.
const MaxSuspensionReason = 300

// Suspension is how an account is suspended.
type Suspension struct {
	Reason      string // for other admins
	HideContent bool   // hides the rooms that the account hosts, and its messages, until it is reinstated
	ReportID    string // the report of abuse that it resolves; empty without one
}

// Normalise trims what people type around a value.
func (s *Suspension) Normalise() { s.Reason = normalProse(s.Reason) }

// Validate reports every field that is wrong.
func (s Suspension) Validate() error {
	var v fields
	v.prose("reason", s.Reason, 1, MaxSuspensionReason)
	return v.err()
}

// ErrSuspendOneself: an admin who did it could not take it back.
var ErrSuspendOneself = &Error{Kind: KindConflict, Code: "cannot_suspend_oneself",
	Message: "Nobody suspends themselves."}
