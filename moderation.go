package watchparty

// Moderation is why an admin acts on a room or a message.
type Moderation struct {
	Reason   string // for the room's host and for other admins
	ReportID string // the report of abuse that the act resolves; empty without one
}

// Normalise trims what people type around a value.
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
	Hidden bool // with what else its host made
}

// AdminRoomFilter chooses among all rooms; what is empty chooses all.
type AdminRoomFilter struct {
	Search string
	HostID string
	State  AdminRoomState
}

// AdminRoomState is what admins choose rooms by.
type AdminRoomState string

const (
	AdminRoomOpen     AdminRoomState = "open"
	AdminRoomArchived AdminRoomState = "archived" // closed or not
	AdminRoomClosed   AdminRoomState = "closed"
)

// AdminMessage is a message as admins see it: with its text, unless it was taken back.
type AdminMessage struct {
	Message Message
	Hidden  bool // with what else its author made
}
