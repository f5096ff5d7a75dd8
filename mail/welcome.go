package mail

import "fmt"

// WelcomeData is what a new user's first mail needs.
type WelcomeData struct {
	// DisplayName may be empty; the username then stands for it.
	DisplayName string
	Username    string
	// PublicURL is this service's own address.
	PublicURL string
}

// Welcome greets somebody who has signed up.
func Welcome(data WelcomeData) (Content, error) {
	name := data.DisplayName
	if plainName(name) == "" {
		name = data.Username
	}
	return letter{
		Subject:   "Welcome to WatchParty",
		Preheader: "Your account is ready: pick a movie, open a room, invite your friends.",
		Greeting:  fmt.Sprintf("Hi %s,", isolate(name)),
		Paragraphs: []string{
			fmt.Sprintf("Your WatchParty account is ready. Your username is %s.", isolate(data.Username)),
			"Pick a movie, open a room, invite your friends, and everyone watches in step, " +
				"with a chat beside the picture.",
		},
		Button: button{Label: "Open WatchParty", URL: data.PublicURL},
		Footer: "You get this mail because an account was made with this address. " +
			"If that was not you, you can ignore it.",
	}.render()
}
