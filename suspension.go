package watchparty

// MaxSuspensionReason is in characters.
const MaxSuspensionReason = 300

// Suspension is a suspension to be imposed on an account.
type Suspension struct {
	Reason      string // for other admins
	HideContent bool   // hides the rooms that the account hosts, and its messages, until it is reinstated
	ReportID    string // the report of abuse that it resolves; empty without one
}

// Normalise brings the text into the form in which it is checked and stored.
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
