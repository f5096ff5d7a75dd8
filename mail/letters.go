package mail

import (
	"slices"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/report"
)

// AccountData is what the emails about an account need.
type AccountData struct {
	// DisplayName may be empty; the username then stands for it.
	DisplayName string
	Username    string
	// Link is where the button leads.
	Link string
}

func (d AccountData) name() string {
	if plainName(d.DisplayName) == "" {
		return isolate(d.Username)
	}
	return isolate(d.DisplayName)
}

// WelcomeData is what a new user's first email needs.
type WelcomeData struct {
	AccountData // whose link is where people find WatchParty
	// ConfirmURL is the link that confirms the user's address; empty when there is nothing to confirm any more.
	ConfirmURL string
}

// InvitationData is what an email needs that asks somebody into a room.
type InvitationData struct {
	Inviter string // a display name
	Room    string
	Expires time.Time
	// URL holds the token with which to accept or decline.
	URL string
	// UnsubscribeURL is where its reader ends invitations for good.
	UnsubscribeURL string
}

// ReportData is what the email about an activity report needs.
type ReportData struct {
	Report watchparty.ActivityReport
	// URL is where the whole report is; it holds the token with which to read it.
	URL string
}

// tongue is one language: all that is said in it is in its methods. Names go through isolate; a subject holds nothing
// that a user wrote.
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
}

func in(l watchparty.Language) tongue {
	if l == watchparty.German {
		return german{}
	}
	return english{}
}

// Welcome greets somebody who has signed up, and asks them to confirm their address.
func Welcome(l watchparty.Language, d WelcomeData) (Content, error) {
	return in(l).welcome(d).render(l)
}

// WelcomeReminder asks once more for an address to be confirmed, some days after the welcome.
func WelcomeReminder(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).welcomeReminder(d).render(l)
}

// Verification asks somebody to confirm an address of theirs.
func Verification(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).verification(d).render(l)
}

// Reset lets somebody choose a new password.
func Reset(l watchparty.Language, d AccountData) (Content, error) { return in(l).reset(d).render(l) }

// PasswordChanged tells somebody that their password was changed.
func PasswordChanged(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).passwordChanged(d).render(l)
}

// EmailChanged tells a former address that it was replaced.
func EmailChanged(l watchparty.Language, d AccountData) (Content, error) {
	return in(l).emailChanged(d).render(l)
}

// Invitation asks somebody, who may have no account, into a room.
func Invitation(l watchparty.Language, d InvitationData) (Content, error) {
	return in(l).invitation(d).render(l)
}

// InvitationReminder tells somebody that their invitation ends soon.
func InvitationReminder(l watchparty.Language, d InvitationData) (Content, error) {
	return in(l).invitationReminder(d).render(l)
}

// ActivityReport says how the service was used, with the figures that matter most and charts of them.
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

// mainFigures are the rows of the report's table that are in the email.
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
