package watchparty

import "time"

// RoomAct is an entry of a room's log.
type RoomAct struct {
	ID        string
	Action    RoomAction
	Actor     Person // zero for a deleted account, for the service itself, and for an admin of the service
	Target    Person // zero for a deleted account, and for an act that is not about a person
	Details   map[string]any
	CreatedAt time.Time
}

// SeekLogInterval is the time for which one line of a room's log collects the seeks of one person.
const SeekLogInterval = 10 * time.Second

// RoomAction says what was done.
type RoomAction string

const (
	ActRoomUpdated        RoomAction = "room_updated" // details: fields
	ActRoomArchived       RoomAction = "room_archived"
	ActRoomReopened       RoomAction = "room_reopened"
	ActRoomClosed         RoomAction = "room_closed" // by an admin; details: reason
	ActRoleSet            RoomAction = "role_set"    // details: role
	ActHostHandedOver     RoomAction = "host_handed_over"
	ActHostSucceeded      RoomAction = "host_succeeded"
	ActKicked             RoomAction = "kicked"
	ActBanned             RoomAction = "banned" // details: until, reason
	ActBanLifted          RoomAction = "ban_lifted"
	ActMuted              RoomAction = "muted" // details: until, reason
	ActMuteLifted         RoomAction = "mute_lifted"
	ActMessageDeleted     RoomAction = "message_deleted" // details: message_id; reason, by an admin
	ActInvited            RoomAction = "invited"         // details: invitation_id
	ActInvitationRevoked  RoomAction = "invitation_revoked"
	ActInvitationAccepted RoomAction = "invitation_accepted"
	ActPlayed             RoomAction = "played"
	ActPaused             RoomAction = "paused"   // details: position_ms
	ActSought             RoomAction = "sought"   // details: position_ms; see SeekLogInterval
	ActRateSet            RoomAction = "rate_set" // details: rate
	ActLoaded             RoomAction = "loaded"   // details: item_id, and movie_id of the catalogue
	ActSkipped            RoomAction = "skipped"  // by a person, or by votes
	ActStopped            RoomAction = "stopped"
	ActQueueAdded         RoomAction = "queue_added"     // details: item_id, and movie_id of the catalogue
	ActQueueRemoved       RoomAction = "queue_removed"   // details: item_id, and movie_id of the catalogue
	ActQueueMoved         RoomAction = "queue_moved"     // details: item_id, and movie_id of the catalogue
	ActPartyScheduled     RoomAction = "party_scheduled" // details: party_id
	ActPartyChanged       RoomAction = "party_changed"   // details: party_id, fields
	ActPartyCancelled     RoomAction = "party_cancelled" // details: party_id
)
