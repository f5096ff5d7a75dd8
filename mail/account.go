package mail

import "fmt"

// AccountData is what the mails about an account need.
type AccountData struct {
	// DisplayName may be empty; the username then stands for it.
	DisplayName string
	Username    string
	// Link is where the button leads.
	Link string
}

func (d AccountData) greeting() string {
	name := d.DisplayName
	if plainName(name) == "" {
		name = d.Username
	}
	return fmt.Sprintf("Hi %s,", isolate(name))
}

// Verification asks somebody to confirm an address of theirs.
func Verification(data AccountData) (Content, error) {
	return letter{
		Subject:    "Confirm your e-mail address",
		Preheader:  "One click, and WatchParty knows that this address is yours.",
		Greeting:   data.greeting(),
		Paragraphs: []string{"Please confirm that this address is yours. The link works for 7 days."},
		Button:     button{Label: "Confirm your address", URL: data.Link},
		Footer: "You get this mail because somebody gave this address for a WatchParty account. " +
			"If that was not you, you can ignore it: nothing changes.",
	}.render()
}

// Reset lets somebody choose a new password.
func Reset(data AccountData) (Content, error) {
	return letter{
		Subject:   "Choose a new password",
		Preheader: "The link works for 30 minutes, and once.",
		Greeting:  data.greeting(),
		Paragraphs: []string{
			"Somebody asked for a new password for your WatchParty account. Choose one with the link below: it works for " +
				"30 minutes, and once. You are signed out everywhere then.",
		},
		Button: button{Label: "Choose a new password", URL: data.Link},
		Footer: "If that was not you, you can ignore this mail: your password stays as it is.",
	}.render()
}

// EmailChanged tells a former address that it was replaced.
func EmailChanged(data AccountData) (Content, error) {
	return letter{
		Subject:   "Your e-mail address was changed",
		Preheader: "WatchParty writes to another address from now on.",
		Greeting:  data.greeting(),
		Paragraphs: []string{
			"The e-mail address of your WatchParty account was changed, and the new one was confirmed. This is the last mail " +
				"to this address.",
			"If that was not you, somebody knows your password: write to whoever runs this WatchParty at once.",
		},
		Button: button{Label: "Open WatchParty", URL: data.Link},
		Footer: "You get this mail because this was the address of a WatchParty account.",
	}.render()
}
