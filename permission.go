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
	MayDeleteMessage Permission = "delete_message" // of people with lower roles; one's own need no permission
	MayKick          Permission = "kick"
	MayMute          Permission = "mute"
	MayBan           Permission = "ban"
	MayInvite        Permission = "invite"
	MayEditRoom      Permission = "edit_room"
	MayDeleteRoom    Permission = "delete_room"
	MaySetRole       Permission = "set_role"
	MayHandOver      Permission = "hand_over"
	MayReadLog       Permission = "read_log"
	MayControl       Permission = "control_playback"
	MayEditQueue     Permission = "edit_queue" // for other people's items; one's own items need MayAddToQueue
	MayAddToQueue    Permission = "add_to_queue"
	MayVote          Permission = "vote"
	MayScheduleParty Permission = "schedule_party"
)

// Permissions lists all permissions.
func Permissions() []Permission {
	return []Permission{
		MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite, MayEditRoom, MayDeleteRoom,
		MaySetRole,
		MayHandOver, MayReadLog, MayControl, MayEditQueue, MayAddToQueue, MayVote, MayScheduleParty,
	}
}

// granted lists what each role may do in a room with the default settings. An act on a person also needs a higher role
// than theirs; see Outranks.
var granted = map[Role][]Permission{
	Host: Permissions(),
	Moderator: {
		MayPost, MaySkipSlowMode, MayDeleteMessage, MayKick, MayMute, MayBan, MayInvite, MayControl, MayEditQueue,
		MayAddToQueue, MayVote, MayScheduleParty,
	},
	Viewer: {MayPost, MayAddToQueue, MayVote},
}

// May reports whether the role allows p in a room with the default settings. An empty role allows nothing.
func (r Role) May(p Permission) bool { return slices.Contains(granted[r], p) }

// MayIn reports whether the role allows p in a room with these settings.
func (r Role) MayIn(s RoomAccess, p Permission) bool {
	switch p {
	case MayControl:
		return s.Control.Contains(r)
	case MayAddToQueue:
		return s.Queue.Contains(r)
	default:
		return r.May(p)
	}
}

// Permissions returns the permissions of the role in a room with these settings.
func (r Role) Permissions(s RoomAccess) []Permission {
	return slices.DeleteFunc(Permissions(), func(p Permission) bool { return !r.MayIn(s, p) })
}

// AccessLevel says which roles may do something: a role and all higher ones.
type AccessLevel string

const (
	HostOnly       AccessLevel = "host"
	ModeratorsOnly AccessLevel = "moderators" // and the host
	Everyone       AccessLevel = "everyone"
)

// Contains reports whether a role has the level. No level contains the empty role.
func (l AccessLevel) Contains(r Role) bool {
	least := map[AccessLevel]int{HostOnly: rank[Host], ModeratorsOnly: rank[Moderator], Everyone: rank[Viewer]}[l]
	return least > 0 && rank[r] >= least
}

func (l AccessLevel) known() bool { return l == HostOnly || l == ModeratorsOnly || l == Everyone }

// RoomAccess has the settings of a room that extend or limit the permissions of roles.
type RoomAccess struct {
	Control AccessLevel // who controls playback
	Queue   AccessLevel // who adds to the queue
}

// DefaultRoomAccess has the settings of a new room.
var DefaultRoomAccess = RoomAccess{Control: ModeratorsOnly, Queue: Everyone}

// mutedMay reports whether a muted person keeps a permission. A mute takes away the permissions whose use other people
// would notice.
func mutedMay(p Permission) bool {
	return p != MayPost && p != MayControl && p != MayEditQueue && p != MayAddToQueue && p != MayScheduleParty
}

// Outranks reports whether a person with the role may act on one with the other role.
func (r Role) Outranks(other Role) bool { return rank[r] > rank[other] }

var rank = map[Role]int{Host: 3, Moderator: 2, Viewer: 1}
