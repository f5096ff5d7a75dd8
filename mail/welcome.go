package mail

import "fmt"

// WelcomeData is what a new user's first mail needs.
type WelcomeData struct {
	// DisplayName may be empty; the username then stands for it.
	DisplayName string
	Username    string
	// HomeURL is where people find WatchParty.
	HomeURL string
	// ConfirmURL is the link that confirms the user's address; empty when there is nothing to confirm any more.
	ConfirmURL string
}

// Welcome greets somebody who has signed up, and asks them to confirm their address.
func Welcome(data WelcomeData) (Content, error) {
	l := letter{
		Subject:   "Welcome to WatchParty",
		Preheader: "Your account is ready: pick a movie, open a room, invite your friends.",
		Greeting:  AccountData{DisplayName: data.DisplayName, Username: data.Username}.greeting(),
		Paragraphs: []string{
			fmt.Sprintf("Your WatchParty account is ready. Your username is %s.", isolate(data.Username)),
			"Pick a movie, open a room, invite your friends, and everyone watches in step, " +
				"with a chat beside the picture.",
		},
		Button: button{Label: "Open WatchParty", URL: data.HomeURL},
		Footer: "You get this mail because an account was made with this address. " +
			"If that was not you, you can ignore it.",
	}
	if data.ConfirmURL != "" {
		l.Paragraphs = append(l.Paragraphs, "One thing is left: please confirm that this address is yours. The link works for 7 days.")
		l.Button = button{Label: "Confirm your address", URL: data.ConfirmURL}
	}
	return l.render()
}
