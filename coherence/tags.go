package coherence

import "strings"

// Tags name what an entry was made from. A writer voids the tags of what it changed; every entry that has one of them
// is void then.
const (
	TagMovies = "movies" // the catalogue
	TagRooms  = "rooms"  // the list of open public rooms
)

// TagMovie is how a movie is shown beside a room: the title, the year, the runtime and the poster.
func TagMovie(id string) string { return "movie:" + id }

// TagRoom is one room: what it is, and how many are in it and present.
func TagRoom(id string) string { return "room:" + id }

// TagNowPlaying is what a room plays, if it shows that to everyone.
func TagNowPlaying(roomID string) string { return "playing:" + roomID }

// TagMessages is what was said in a room.
func TagMessages(roomID string) string { return "messages:" + roomID }

// TagProfile is one profile. It is by name, for a profile is asked for by name before anyone knows whose it is; names
// do not differ by case.
func TagProfile(username string) string { return "profile:" + strings.ToLower(username) }

// TagPerson is how a person is shown beside what they do: the username, the display name and the avatar.
func TagPerson(userID string) string { return "person:" + userID }

// TagAccount is whether an account's sign-ins are in force.
func TagAccount(userID string) string { return "account:" + userID }

// TagsOfRooms are all that someone's coming or going changes in these rooms: none for no rooms.
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

// TagStandings is what people are to a room: roles, memberships, bans.
func TagStandings(roomID string) string { return "standings:" + roomID }
