package watchparty

import (
	"slices"
	"time"
)

// AbuseKind says what a report of abuse is about.
type AbuseKind string

const (
	AbuseSpam       AbuseKind = "spam"
	AbuseHarassment AbuseKind = "harassment"
	AbuseHate       AbuseKind = "hate"
	AbuseSexual     AbuseKind = "sexual"
	AbuseViolence   AbuseKind = "violence"
	AbuseIllegal    AbuseKind = "illegal"
	AbuseOther      AbuseKind = "other"
)

// AbuseKinds lists all kinds.
func AbuseKinds() []AbuseKind {
	return []AbuseKind{AbuseSpam, AbuseHarassment, AbuseHate, AbuseSexual, AbuseViolence, AbuseIllegal, AbuseOther}
}

// AbuseTarget is the kind of thing that was reported.
type AbuseTarget string

const (
	AbuseRoom    AbuseTarget = "room"
	AbuseMessage AbuseTarget = "message"
	AbuseUser    AbuseTarget = "user"
)

// AbuseState is where a report of abuse stands.
type AbuseState string

const (
	AbuseOpen     AbuseState = "open"
	AbuseResolved AbuseState = "resolved"
)

// AbuseOutcome is the decision of an admin on a report.
type AbuseOutcome string

const (
	AbuseDismissed AbuseOutcome = "dismissed"
	AbuseActed     AbuseOutcome = "acted"
)

// AbuseReport is a report to the admins. It does not name its sender, who is never shown.
type AbuseReport struct {
	ID         string
	Kind       AbuseKind
	Target     AbuseTarget
	TargetID   string
	Subject    Person // the message's author, the room's host, or the reported account; zero when it is deleted
	RoomID     string // the room, or that of the message
	Text       string
	Content    *ReportedContent // nil once the report is resolved and the account is deleted
	State      AbuseState
	Outcome    AbuseOutcome // empty while it is open
	Note       string       // for other admins
	ResolvedAt time.Time    // zero while it is open
	CreatedAt  time.Time
}

// ReportedContent is a copy of the reported content. Fields that its kind does not have are empty.
type ReportedContent struct {
	Username        string `json:"username"` // username of the account that the report concerns
	DisplayName     string `json:"display_name"`
	RoomName        string `json:"room_name"`
	RoomDescription string `json:"room_description"`
	Body            string `json:"body"`
}

// AbuseFilter selects reports. Empty fields select all.
type AbuseFilter struct {
	State     AbuseState
	Kind      AbuseKind
	Target    AbuseTarget
	SubjectID string
}

// Limits of reports.
const (
	MaxReportText    = 1000 // characters
	MaxHourlyReports = 20   // per account
)

// Errors of reports.
var (
	ErrReportOneself = &Error{Kind: KindConflict, Code: "cannot_report_oneself",
		Message: "You cannot report your own account, room or message."}
	ErrReportResolved = &Error{Kind: KindConflict, Code: "report_resolved",
		Message: "The report has been resolved already."}
	ErrTooManyReports = &Error{Kind: KindLimited, Code: "too_many_reports",
		Message: "You have sent too many reports within an hour.",
		Details: map[string]int{"most": MaxHourlyReports}}
	ErrUnknownReport = Invalid(
		FieldError{Field: "abuse_report_id", Code: "unknown", Message: "is not an open report about this"},
	)
)

// TooManyReports is ErrTooManyReports for an account that can report again after wait.
func TooManyReports(wait time.Duration) error {
	e := *ErrTooManyReports
	e.RetryAfter = wait
	return &e
}

// NewAbuseReport is a report to be sent, about exactly one thing.
type NewAbuseReport struct {
	Kind      AbuseKind
	RoomID    string
	MessageID string
	Username  string
	Text      string
}

// Normalise brings the text into the form in which it is checked and stored.
func (n *NewAbuseReport) Normalise() { n.Text = normalProse(n.Text) }

// Validate reports every field that is wrong.
func (n NewAbuseReport) Validate() error {
	var v fields
	v.check(slices.Contains(AbuseKinds(), n.Kind), "kind", "enum", "is unknown")
	given := []string{}
	for _, target := range []struct{ field, value string }{{"room_id", n.RoomID}, {"message_id", n.MessageID},
		{"username", n.Username}} {
		if target.value != "" {
			given = append(given, target.field)
		}
	}
	v.check(len(given) > 0, "room_id", "required", "or message_id or username is required")
	for _, field := range given[min(1, len(given)):] {
		v.check(false, field, "conflict", "does not go with "+given[0])
	}
	v.prose("text", n.Text, 0, MaxReportText)
	return v.err()
}

// Resolution is the decision of an admin on a report.
type Resolution struct {
	Outcome AbuseOutcome
	Note    string
}

// Normalise brings the text into the form in which it is checked and stored.
func (r *Resolution) Normalise() { r.Note = normalProse(r.Note) }

// Validate reports every field that is wrong.
func (r Resolution) Validate() error {
	var v fields
	v.check(r.Outcome == AbuseDismissed || r.Outcome == AbuseActed, "outcome", "enum", "must be dismissed or acted")
	v.prose("note", r.Note, 0, MaxSuspensionReason)
	return v.err()
}
