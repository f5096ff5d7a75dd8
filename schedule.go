package watchparty

// MaxScheduleNote is in characters.
const MaxScheduleNote = 200

// ScheduleNote is why a schedule is paused or goes on, in words for other operators.
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
