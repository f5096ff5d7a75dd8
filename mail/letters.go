package mail

import (
	"slices"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/calendar"
	"github.com/watchparty/watchparty/report"
)

// AccountData is the data of emails about an account.
type AccountData struct {
	// DisplayName may be empty; then the username is used.
	DisplayName string
	Username    string
	// Link is the address of the button.
	Link string
}

func (d AccountData) name() string {
	if plainName(d.DisplayName) == "" {
		return isolate(d.Username)
	}
	return isolate(d.DisplayName)
}

// WelcomeData is the data of the welcome email.
type WelcomeData struct {
	AccountData // whose link leads to WatchParty
	// ConfirmURL is the link that confirms the user's address; empty if nothing needs to be confirmed any more.
	ConfirmURL string
}

// InvitationData is the data of an invitation's email.
type InvitationData struct {
	Inviter string // a display name
	Room    string
	Expires time.Time
	// URL is the link to accept or decline, with its token.
	URL string
	// UnsubscribeURL is the link that ends all emails about invitations.
	UnsubscribeURL string
}

// ReportData is the data of an activity report's email.
type ReportData struct {
	Report watchparty.ActivityReport
	// URL is the link to the whole report, with its token.
	URL string
}

// PartyData is the data of emails about a party.
type PartyData struct {
	AccountData // whose link leads to the room
	Party       watchparty.Party
	// Soon says that the reminder is the one an hour before; otherwise it is the one a day before.
	Soon bool
	// Calendar is the party as an event of a calendar.
	Calendar calendar.Event
}

// tongue has the texts of all emails in one language. Names go through isolate. Subjects contain nothing that a user
// wrote.
type tongue interface {
	welcome(d WelcomeData) letter
	welcomeReminder(d AccountData) letter
	verification(d AccountData) letter
	reset(d AccountData) letter
	emailChanged(d AccountData) letter
	passwordChanged(d AccountData) letter
	invitation(d InvitationData) letter
	invitationReminder(d InvitationData) letter
	activityReport(d ReportData) letter
	partyReminder(d PartyData) letter
	partyChanged(d PartyData) letter
	partyCancelled(d PartyData) letter
}

func in(l watchparty.Language) tongue {
	if l == watchparty.German {
		return german{}
	}
	return english{}
}

// Welcome greets a new user and asks them to confirm their address.
func Welcome(l watchparty.Language, d WelcomeData) (Content, error) {
	return in(l).welcome(d).render(l)
}

// WelcomeReminder asks once more to confirm the address, some days after the welcome.
func WelcomeReminder(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).welcomeReminder(d).render(l)
}

// Verification asks a user to confirm an address.
func Verification(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).verification(d).render(l)
}

// Reset has the link to choose a new password.
func Reset(l watchparty.Language, d AccountData) (Content, error) { return in(l).reset(d).render(l) }

// PasswordChanged tells a user that their password was changed.
func PasswordChanged(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).passwordChanged(d).render(l)
}

// EmailChanged tells a former address that it was replaced.
func EmailChanged(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).emailChanged(d).render(l)
}

// Invitation invites somebody, who may have no account, to a room.
func Invitation(l watchparty.Language, d InvitationData) (Content, error) {
	return in(l).invitation(d).render(l)
}

// InvitationReminder says that an invitation expires soon.
func InvitationReminder(l watchparty.Language, d InvitationData) (Content, error) {
	return in(l).invitationReminder(d).render(l)
}

// PartyReminder says when a party starts to somebody who comes.
func PartyReminder(l watchparty.Language, d PartyData) (Content, error) {
	return in(l).partyReminder(d).withCalendar(l, d)
}

// PartyChanged says that a party was moved.
func PartyChanged(l watchparty.Language, d PartyData) (Content, error) {
	return in(l).partyChanged(d).withCalendar(l, d)
}

// PartyCancelled says that a party does not take place.
func PartyCancelled(l watchparty.Language, d PartyData) (Content, error) {
	return in(l).partyCancelled(d).withCalendar(l, d)
}

func (l letter) withCalendar(language watchparty.Language, d PartyData) (Content, error) {
	content, err := l.render(language)
	content.Calendar = &d.Calendar
	return content, err
}

// zoneOf names the party's zone at its start, with its distance from UTC: names such as CET are known to few.
func zoneOf(p watchparty.Party) string {
	return p.TimeZone + ", UTC" + p.StartsAt.In(p.Zone()).Format("-07:00")
}

// ActivityReport shows how the service was used: the main figures, and charts of them.
func ActivityReport(l watchparty.Language, d ReportData) (Content, error) {
	pictures, err := report.Pictures(l, d.Report)
	if err != nil {
		return Content{}, err
	}
	letter := in(l).activityReport(d)
	for _, p := range pictures {
		letter.Images = append(letter.Images, Image{Name: p.Name, Title: p.Title, Alt: p.Alt, PNG: p.PNG})
	}
	return letter.render(l)
}

// mainFigures are the rows of the report that the email has.
func mainFigures(l watchparty.Language, r watchparty.ActivityReport) [][]string {
	var rows [][]string
	for _, row := range report.Table(l, r) {
		if slices.Contains([]string{
			"new_users",
			"active_users",
			"returning_users",
			"rooms_opened",
			"minutes_together",
			"messages",
			"invitations_accepted",
			"emails_failed",
		}, row.Key) {
			rows = append(rows, []string{row.Name, row.Value, row.Previous, row.Percent})
		}
	}
	return rows
}
