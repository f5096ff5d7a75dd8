package mail

import (
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/report"
)

type english struct{}

func (english) hi(d AccountData) string { return fmt.Sprintf("Hi %s,", d.name()) }

func (english) time(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func (e english) welcome(d WelcomeData) letter {
	l := letter{
		Subject:   "Welcome to WatchParty",
		Preheader: "Your account is ready: pick a movie, open a room, invite your friends.",
		Greeting:  e.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("Your WatchParty account is ready. Your username is %s.", isolate(d.Username)),
			"Pick a movie, open a room, invite your friends, and everyone watches in step, " +
				"with a chat beside the picture.",
		},
		Button: button{Label: "Open WatchParty", URL: d.Link},
		Footer: "You get this email because an account was created with this address. " +
			"If that was not you, you can ignore it.",
	}
	if d.ConfirmURL != "" {
		l.Paragraphs = append(
			l.Paragraphs, "One thing is left: please confirm that this address is yours. The link works for 7 days.",
		)
		l.Button = button{Label: "Confirm your address", URL: d.ConfirmURL}
	}
	return l
}

func (e english) welcomeReminder(d AccountData) letter {
	return letter{
		Subject:    "Is this address yours?",
		Preheader:  "One click confirms it.",
		Greeting:   e.hi(d),
		Paragraphs: []string{"Your WatchParty account is waiting for one thing: please confirm that this address is yours."},
		Button:     button{Label: "Confirm your address", URL: d.Link},
		Footer: "You get this email because an account was created with this address. " +
			"If that was not you, you can ignore it: this is the only reminder.",
	}
}

func (e english) verification(d AccountData) letter {
	return letter{
		Subject:    "Confirm your email address",
		Preheader:  "One click, and WatchParty knows that this address is yours.",
		Greeting:   e.hi(d),
		Paragraphs: []string{"Please confirm that this address is yours. The link works for 7 days."},
		Button:     button{Label: "Confirm your address", URL: d.Link},
		Footer: "You get this email because somebody gave this address for a WatchParty account. " +
			"If that was not you, you can ignore it: nothing changes.",
	}
}

func (e english) reset(d AccountData) letter {
	return letter{
		Subject:   "Choose a new password",
		Preheader: "The link works once, within 30 minutes.",
		Greeting:  e.hi(d),
		Paragraphs: []string{
			"Somebody asked for a new password for your WatchParty account. Choose one with the link below: it works for " +
				"30 minutes, and once. All your devices are signed out then.",
		},
		Button: button{Label: "Choose a new password", URL: d.Link},
		Footer: "If that was not you, you can ignore this email: your password stays as it is.",
	}
}

func (e english) passwordChanged(d AccountData) letter {
	return letter{
		Subject:   "Your password was changed",
		Preheader: "Was that you? Then there is nothing to do.",
		Greeting:  e.hi(d),
		Paragraphs: []string{
			"The password of your WatchParty account was changed, and every other sign-in was ended. If that was you, " +
				"there is nothing to do.",
			"If that was not you, somebody may have your account: ask for a new password at once. " +
				"We will send a link to this address.",
		},
		Button: button{Label: "Open WatchParty", URL: d.Link},
		Footer: "You get this email because this is the address of a WatchParty account. " +
			"It tells you about each change of the password.",
	}
}

func (e english) emailChanged(d AccountData) letter {
	return letter{
		Subject:   "Your email address was changed",
		Preheader: "WatchParty now sends its emails to another address.",
		Greeting:  e.hi(d),
		Paragraphs: []string{
			"The email address of your WatchParty account was changed, and the new one was confirmed. This is the last email " +
				"to this address.",
			"If that was not you, somebody knows your password: contact the operators of this WatchParty at once.",
		},
		Button: button{Label: "Open WatchParty", URL: d.Link},
		Footer: "You get this email because this was the address of a WatchParty account.",
	}
}

func (e english) invitation(d InvitationData) letter {
	return letter{
		Subject:   "You are invited to a watch party",
		Preheader: "Somebody asks you to watch a movie together.",
		Greeting:  "Hi,",
		Paragraphs: []string{
			fmt.Sprintf("%s invites you to the room %s on WatchParty, to watch a movie together.", isolate(d.Inviter),
				isolate(d.Room)),
			fmt.Sprintf("To accept you need a WatchParty account; if you have none yet, you can make one on the way. "+
				"The invitation is open until %s.", e.time(d.Expires)),
		},
		Button:     button{Label: "See the invitation", URL: d.URL},
		Footer:     e.invited(),
		FooterLink: button{Label: "No more invitations", URL: d.UnsubscribeURL},
	}
}

func (e english) invitationReminder(d InvitationData) letter {
	return letter{
		Subject:   "Your invitation to a watch party expires soon",
		Preheader: "You have not answered yet.",
		Greeting:  "Hi,",
		Paragraphs: []string{
			fmt.Sprintf("%s has invited you to the room %s on WatchParty. You have not answered yet, "+
				"and the invitation is open only until %s.", isolate(d.Inviter), isolate(d.Room), e.time(d.Expires)),
		},
		Button:     button{Label: "See the invitation", URL: d.URL},
		Footer:     e.invited(),
		FooterLink: button{Label: "No more invitations", URL: d.UnsubscribeURL},
	}
}

func (english) invited() string {
	return "You get this email because somebody entered this address to invite you. " +
		"If you do not know them, you can ignore it: the invitation ends by itself."
}

func (english) activityReport(d ReportData) letter {
	const l = watchparty.English
	period, before := report.Period(l, d.Report), report.PreviousPeriod(l, d.Report)
	intro := fmt.Sprintf(
		"This is how WatchParty was used: %s, compared with the previous period, %s. Days are in UTC.", period, before,
	)
	if d.Report.Previous == nil {
		intro = fmt.Sprintf("This is how WatchParty was used: %s. Days are those of UTC. "+
			"Not everything is known about the period before, %s.", period, before)
	}
	paragraphs := []string{intro}
	if counted := report.Counted(l, d.Report); counted != "" {
		paragraphs = append(paragraphs, counted)
	}
	return letter{
		Subject:    fmt.Sprintf("WatchParty, %s: %s", period, report.ActivePeople(l, d.Report)),
		Preheader:  "How WatchParty was used, in figures and charts.",
		Greeting:   "Hello,",
		Paragraphs: paragraphs,
		Table:      table{Header: []string{"Figure", "Now", "Before", "Change"}, Rows: mainFigures(l, d.Report)},
		Button:     button{Label: "See the whole report", URL: d.URL},
		Footer: "You get this email because this address receives WatchParty's activity reports. " +
			"Anyone who has the link can read the report.",
	}
}

// partyTime is a time in the party's zone.
func (english) partyTime(p watchparty.Party) string {
	return fmt.Sprintf("%s (%s)", p.StartsAt.In(p.Zone()).Format("Monday, 2 January 2006, 15:04"), zoneOf(p))
}

// party says what takes place and where.
func (english) party(p watchparty.Party) string {
	what := "The watch party"
	if p.Title != "" {
		what += " " + isolate(p.Title)
	}
	what += " in the room " + isolate(p.RoomName)
	if p.Movie.Title != "" {
		what += ", with the movie " + isolate(p.Movie.Title) + ","
	}
	return what
}

// partyReminder says no more than is true of an email that comes late.
func (e english) partyReminder(d PartyData) letter {
	l := letter{
		Subject:   "Your watch party starts within a day",
		Preheader: "The movie starts by itself.",
		Greeting:  e.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s starts on %s. The movie starts automatically then.",
				e.party(d.Party), e.partyTime(d.Party)),
			"The room is open before that.",
		},
		Button: button{Label: "Open the room", URL: d.Link},
		Footer: e.comes(),
	}
	if d.Soon {
		l.Subject = "Your watch party starts within an hour"
	}
	return l
}

func (e english) partyChanged(d PartyData) letter {
	return letter{
		Subject:   "Your watch party was moved",
		Preheader: "It starts at another time.",
		Greeting:  e.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s was moved: it starts on %s. Your answer still stands; change it in the room if you cannot come.",
				e.party(d.Party), e.partyTime(d.Party)),
		},
		Button: button{Label: "Open the room", URL: d.Link},
		Footer: e.comes(),
	}
}

func (e english) partyCancelled(d PartyData) letter {
	return letter{
		Subject:   "Your watch party was cancelled",
		Preheader: "It does not take place.",
		Greeting:  e.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s was cancelled. It would have started on %s.", e.party(d.Party), e.partyTime(d.Party)),
		},
		Button: button{Label: "Open the room", URL: d.Link},
		Footer: e.answered(),
	}
}

func (english) answered() string {
	return "You get this email because you answered yes or maybe to this watch party."
}

func (e english) comes() string {
	return e.answered() + " Answer no in the room to stop these emails."
}
