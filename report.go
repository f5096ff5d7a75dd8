package watchparty

import "time"

// Kinds of reports.
const (
	CleanupReportKind  = "cleanup"
	ActivityReportKind = "activity"
)

// Report is a stored report for operators.
type Report struct {
	ID          string
	Kind        string // CleanupReportKind or ActivityReportKind
	RunID       string // the clean-up run, if any
	PeriodStart time.Time
	PeriodEnd   time.Time
	Data        []byte // JSON
	CreatedAt   time.Time
}
