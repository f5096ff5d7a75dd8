package watchparty

// MaxScheduleNote is in characters.
const MaxScheduleNote = 200

// ScheduleNote is the reason for pausing or resuming a schedule, for other operators.
type ScheduleNote struct {
	Note string
}

// Normalise trims what people type around a value.
func (n *ScheduleNote) Normalise() { n.Note = normalProse(n.Note) }

// Validate reports every field that is wrong.
func (n ScheduleNote) Validate() error {
	var v fields
	v.prose("note", n.Note, 1, MaxScheduleNote)
	return v.err()
}
