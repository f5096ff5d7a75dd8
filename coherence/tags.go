package coherence

import "strings"

// Tags name the data that an entry was made from. A writer voids the tags of the data that it has changed; every entry
// with one of them is then void.
const (
	TagMovies = "movies" // the catalogue
	TagRooms  = "rooms"  // the list of open public rooms
)

// TagMovie is the tag of a movie as shown in a room: the title, the year, the runtime and the poster.
func TagMovie(id string) string { return "movie:" + id }

// TagRoom is the tag of a room: its properties, and the numbers of people in it and present.
func TagRoom(id string) string { return "room:" + id }

// TagNowPlaying is the tag of what a room plays, if the room shows it to everyone.
func TagNowPlaying(roomID string) string { return "playing:" + roomID }

// TagMessages is the tag of a room's messages.
func TagMessages(roomID string) string { return "messages:" + roomID }

// TagProfile is the tag of a profile. It has the username, since requests name profiles by username before the ID is
// known. Case makes no difference.
func TagProfile(username string) string { return "profile:" + strings.ToLower(username) }

// TagPerson is the tag of an account as watchparty.Person shows it: the username, the display name and the avatar.
func TagPerson(userID string) string { return "person:" + userID }

// TagAccount is the tag of the state of an account's sign-ins.
func TagAccount(userID string) string { return "account:" + userID }

// TagsOfRooms returns the tags of all cached data that changes when a person joins or leaves these rooms.
func TagsOfRooms(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	tags := []string{TagRooms}
	for _, id := range ids {
		tags = append(tags, TagRoom(id), TagStandings(id))
	}
	return tags
}

// TagStandings is the tag of people's standing in a room: roles, memberships, bans.
func TagStandings(roomID string) string { return "standings:" + roomID }
