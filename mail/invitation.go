package mail

import (
	"fmt"
	"time"
)

// InvitationData is what a mail needs that asks somebody into a room.
type InvitationData struct {
	Inviter string // a display name
	Room    string
	Expires time.Time
	// URL holds the token with which to accept or decline.
	URL string
}

// Invitation asks somebody, who may have no account, into a room. Its subject holds nothing that a user wrote.
func Invitation(data InvitationData) (Content, error) {
	return letter{
		Subject:   "You are invited to a watch party",
		Preheader: "Somebody asks you to watch a movie together.",
		Greeting:  "Hi,",
		Paragraphs: []string{
			fmt.Sprintf("%s invites you to the room %s on WatchParty, to watch a movie together.", isolate(data.Inviter), isolate(data.Room)),
			"To accept you need a WatchParty account; if you have none yet, you can make one on the way. " +
				fmt.Sprintf("The invitation is open until %s.", data.Expires.UTC().Format("2 January 2006, 15:04 UTC")),
		},
		Button: button{Label: "See the invitation", URL: data.URL},
		Footer: "You get this mail because somebody entered this address to invite you. " +
			"If you do not know them, you can ignore it: the invitation ends by itself.",
	}.render()
}
