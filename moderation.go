package watchparty

// Moderation is the reason of an admin's act on a room or a message.
type Moderation struct {
	Reason   string // for the room's host and for other admins
	ReportID string // the report of abuse that the act resolves; empty without one
}

// Normalise brings the text into the form in which it is checked and stored.
func (m *Moderation) Normalise() { m.Reason = normalProse(m.Reason) }

// Validate reports every field that is wrong.
func (m Moderation) Validate() error {
	var v fields
	v.prose("reason", m.Reason, 1, MaxSuspensionReason)
	return v.err()
}

// AdminRoom is a room as admins see it.
type AdminRoom struct {
	Room   Room
	Hidden bool // together with the rest of its host's content
}

// AdminRoomFilter selects among all rooms. Empty fields select all.
type AdminRoomFilter struct {
	Search string
	HostID string
	State  AdminRoomState
}

// AdminRoomState is a state by which admins select rooms.
type AdminRoomState string

const (
	AdminRoomOpen     AdminRoomState = "open"
	AdminRoomArchived AdminRoomState = "archived" // closed or not
	AdminRoomClosed   AdminRoomState = "closed"
)

// AdminMessage is a message as admins see it: with its text, unless it is deleted.
type AdminMessage struct {
	Message Message
	Hidden  bool // together with the rest of its author's content
}
