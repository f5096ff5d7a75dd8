package watchparty

import "context"

// MaxAdminNote is in characters.
const MaxAdminNote = 200

// AdminNote is an admin's reason for an act, for the audit log.
type AdminNote struct {
	Text     string
	Required bool
}

// Normalise brings the text into the form in which it is checked and stored.
func (n *AdminNote) Normalise() { n.Text = normalProse(n.Text) }

// Validate reports every field that is wrong.
func (n AdminNote) Validate() error {
	least := 0
	if n.Required {
		least = 1
	}
	var v fields
	v.prose("note", n.Text, least, MaxAdminNote)
	return v.err()
}

type adminNoteKey struct{}

// WithAdminNote returns a context for an admin's act: the entries of the audit log that are made with it have the note.
func WithAdminNote(ctx context.Context, note string) context.Context {
	return context.WithValue(ctx, adminNoteKey{}, note)
}

// AdminNoteOf returns the note of the act. It is empty if there is none.
func AdminNoteOf(ctx context.Context) string {
	note, _ := ctx.Value(adminNoteKey{}).(string)
	return note
}
