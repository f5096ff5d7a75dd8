package watchparty

import "strings"

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

// Normalise trims what people type around a value.
func (f *UserFilter) Normalise() { f.Search = strings.TrimSpace(f.Search) }

// Validate reports texts that cannot be searched for.
func (f UserFilter) Validate() error {
	var v fields
	v.search(f.Search)
	return v.err()
}

// MaxSuspensionReason is in characters.
const MaxSuspensionReason = 300

// Suspension is a suspension to be imposed on an account.
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

// ErrSuspendOneself is the error for admins who suspend themselves: they could not undo it.
var ErrSuspendOneself = &Error{Kind: KindConflict, Code: "cannot_suspend_oneself",
	Message: "You cannot suspend your own account."}
