package watchparty

// Administers reports whether the account has an admin's rights now. An account without a confirmed address has none,
// whatever is stored: anybody may have registered the address.
func (u User) Administers() bool {
	return u.Admin && !u.EmailVerifiedAt.IsZero() && u.SuspendedAt.IsZero()
}

// Errors of admins.
var (
	ErrLastAdmin = &Error{Kind: KindConflict, Code: "last_admin",
		Message: "This is the last admin. Make somebody else an admin first."}
	ErrAccountUnverified = &Error{Kind: KindConflict, Code: "account_unverified",
		Message: "The account's email address is not confirmed, so anybody may have made it. Confirm the address first."}
)
