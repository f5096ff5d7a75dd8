package watchparty

import "slices"

// Role is what someone is in a room.
type Role string

const (
	Host      Role = "host"
	Moderator Role = "moderator"
	Viewer    Role = "viewer"
)

// Roles are all of them, the highest first.
func Roles() []Role { return []Role{Host, Moderator, Viewer} }

// Permission is something that a role allows in a room.
type Permission string

const (
	MayPost          Permission = "post_message"
	MaySkipSlowMode  Permission = "skip_slow_mode"
	MayDeleteMessage Permission = "delete_message" // of those below; one's own needs none
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

// Permissions are all of them.
func Permissions() []Permission {
	return []Permission{
		MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite, MayEditRoom, MayDeleteRoom,
		MaySetRole,
		MayHandOver, MayReadLog,
	}
}

// granted is who may do what in a room. Whatever is done to a person needs a role above theirs besides; see Outranks.
var granted = map[Role][]Permission{
	Host:      Permissions(),
	Moderator: {MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite},
	Viewer:    {MayPost},
}

// May reports whether the role allows p. No role allows nothing.
func (r Role) May(p Permission) bool { return slices.Contains(granted[r], p) }

// Permissions are what the role allows.
func (r Role) Permissions() []Permission { return slices.Clone(granted[r]) }

// Outranks reports whether someone with the role may act on someone with the other.
func (r Role) Outranks(other Role) bool { return rank[r] > rank[other] }

var rank = map[Role]int{Host: 3, Moderator: 2, Viewer: 1}
