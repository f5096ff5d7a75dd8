package watchparty

import "slices"

// Role is the role of a person in a room.
type Role string

const (
	Host      Role = "host"
	Moderator Role = "moderator"
	Viewer    Role = "viewer"
)

// Roles lists all roles, the highest first.
func Roles() []Role { return []Role{Host, Moderator, Viewer} }

// Permission is something that a role allows in a room.
type Permission string

const (
	MayPost          Permission = "post_message"
	MaySkipSlowMode  Permission = "skip_slow_mode"
	MayDeleteMessage Permission = "delete_message" // of people of lower roles; the own messages need no permission
	MayKick          Permission = "kick"
	MayMute          Permission = "mute"
	MayBan           Permission = "ban"
	MayInvite        Permission = "invite"
	MayEditRoom      Permission = "edit_room"
	MayDeleteRoom    Permission = "delete_room"
	MaySetRole       Permission = "set_role"
	MayHandOver      Permission = "hand_over"
	MayReadLog       Permission = "read_log"
)

// Permissions lists all permissions.
func Permissions() []Permission {
	return []Permission{
		MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite, MayEditRoom, MayDeleteRoom,
		MaySetRole,
		MayHandOver, MayReadLog,
	}
}

// granted lists what each role may do. An act on a person also needs a higher role than theirs; see Outranks.
var granted = map[Role][]Permission{
	Host:      Permissions(),
	Moderator: {MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite},
	Viewer:    {MayPost},
}

// May reports whether the role allows p. The empty role allows nothing.
func (r Role) May(p Permission) bool { return slices.Contains(granted[r], p) }

// Permissions lists what the role allows.
func (r Role) Permissions() []Permission { return slices.Clone(granted[r]) }

// Outranks reports whether a person with the role may act on one with the other role.
func (r Role) Outranks(other Role) bool { return rank[r] > rank[other] }

var rank = map[Role]int{Host: 3, Moderator: 2, Viewer: 1}
