package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/calendar"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/web"
)

// compose loads the subject of the email and renders it. It returns ErrNotFound if the email is no longer needed.
func (e *Email) compose(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	switch row.Kind {
	case watchparty.EmailWelcome:
		return e.composeWelcome(ctx, row)
	case watchparty.EmailWelcomeReminder:
		v, err := e.Store.FirstVerification(ctx, row.SubjectID)
		if err == nil && !v.User.SuspendedAt.IsZero() {
			err = errVoidReminder
		}
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.VerifyEmail, auth.ForEmail, v.ID, v.User.Language)
		return composeLetter(row, v.User, v.Email, mail.WelcomeReminder, link)
	case watchparty.EmailVerification:
		v, err := e.Store.PendingVerification(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.VerifyEmail, auth.ForEmail, v.ID, v.User.Language)
		return composeLetter(row, v.User, v.Email, mail.Verification, link)
	case watchparty.EmailReset:
		user, err := e.Store.ResetUser(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.PasswordReset, auth.ForReset, row.SubjectID, user.Language)
		return composeLetter(row, user, user.Email, mail.Reset, link)
	case watchparty.EmailPasswordChanged:
		user, err := e.Store.User(ctx, row.UserID)
		if err != nil {
			return mail.Message{}, err
		}
		return composeLetter(row, user, user.Email, mail.PasswordChanged, e.home())
	case watchparty.EmailAddressChanged:
		v, err := e.Store.ReplacedAddress(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		return composeLetter(row, v.User, v.Former, mail.EmailChanged, e.home())
	case watchparty.EmailRoomInvitation:
		return e.composeInvitation(ctx, row, mail.Invitation)
	case watchparty.EmailInvitationReminder:
		return e.composeInvitation(ctx, row, mail.InvitationReminder)
	case watchparty.EmailPartyReminder, watchparty.EmailPartyChanged, watchparty.EmailPartyCancelled:
		return e.composeParty(ctx, row)
	case watchparty.EmailActivityReport:
		return e.composeReport(ctx, row)
	}
	return mail.Message{}, fmt.Errorf("activities: unknown kind of email %q", row.Kind)
}

func (e *Email) composeWelcome(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	user, err := e.Store.User(ctx, row.SubjectID)
	if err != nil {
		return mail.Message{}, err
	}
	data := mail.WelcomeData{AccountData: accountData(user, e.home())}
	v, err := e.Store.FirstVerification(ctx, user.ID)
	if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
		return mail.Message{}, err
	}
	if err == nil {
		data.ConfirmURL = e.link(web.VerifyEmail, auth.ForEmail, v.ID, user.Language)
	}
	content, err := mail.Welcome(user.Language, data)
	return mail.Message{ID: row.ID, To: user.Email, ToName: user.DisplayName, Content: content}, err
}

func accountData(user watchparty.User, link string) mail.AccountData {
	return mail.AccountData{DisplayName: user.DisplayName, Username: user.Username, Link: link}
}

func composeLetter(
	row watchparty.Email, user watchparty.User, to string,
	write func(watchparty.Language, mail.AccountData) (mail.Content, error), link string,
) (mail.Message, error) {
	content, err := write(user.Language, accountData(user, link))
	return mail.Message{ID: row.ID, To: to, ToName: user.DisplayName, Content: content}, err
}

// composeReport composes the email of a report to a recipient in the settings. An address that has left the settings
// gets none.
func (e *Email) composeReport(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	recipients, err := e.Report.Addresses()
	if err != nil {
		return mail.Message{}, err
	}
	report, to, err := e.Store.ReportEmail(ctx, row.SubjectID, recipients)
	if err != nil {
		return mail.Message{}, err
	}
	link := e.PublicURL + web.Reports + "#token=" + e.OneTime.Token(auth.ForReport, report.ID)
	content, err := mail.ActivityReport(e.Report.Language, mail.ReportData{Report: report, URL: link})
	return mail.Message{ID: row.ID, To: to.String(), Content: content}, err
}

// link leads to a page, which is in the language of the email.
func (e *Email) link(page string, purpose auth.Purpose, id string, language watchparty.Language) string {
	link := e.FrontendURL + page + "#token=" + e.OneTime.Token(purpose, id)
	if language != watchparty.English && language != "" {
		link += "&lang=" + string(language)
	}
	return link
}

// home returns the address of the page where people watch: that of the front-end, or of this service.
func (e *Email) home() string {
	if e.FrontendURL == e.PublicURL {
		return e.PublicURL + web.Watch
	}
	return e.FrontendURL
}

var errVoidReminder = fmt.Errorf("activities: the account of the email is suspended: %w", watchparty.ErrNotFound)

var errUnwanted = fmt.Errorf("activities: the address wants no such emails: %w", watchparty.ErrNotFound)

var errVoidInvitation = fmt.Errorf("activities: the invitation of the email: %w", watchparty.ErrNotFound)

// composeInvitation composes an email to an address that may have no account. It is not sent if the invitation cannot
// be accepted any more, because the inviter may not invite now or the room is archived, and if the address wants no
// invitations.
func (e *Email) composeInvitation(
	ctx context.Context, row watchparty.Email, write func(watchparty.Language, mail.InvitationData) (mail.Content, error),
) (mail.Message, error) {
	invitation, room, err := e.Store.OpenInvitation(ctx, row.SubjectID)
	if errors.Is(err, watchparty.ErrBadToken) || err == nil && !room.ArchivedAt.IsZero() {
		return mail.Message{}, errVoidInvitation
	}
	if err != nil {
		return mail.Message{}, err
	}
	inviter, err := e.Store.User(ctx, invitation.Inviter.ID)
	if err != nil {
		return mail.Message{}, err
	}
	out, err := e.Store.OptedOut(ctx, invitation.Email)
	if err != nil {
		return mail.Message{}, err
	}
	if out {
		return mail.Message{}, errUnwanted
	}
	content, err := write(inviter.Language, mail.InvitationData{
		Inviter: inviter.DisplayName, Room: room.Name, Expires: invitation.ExpiresAt,
		URL:            e.link(web.Invitations, auth.ForInvitation, invitation.ID, inviter.Language),
		UnsubscribeURL: e.link(web.Unsubscribe, auth.ForOptOut, invitation.ID, inviter.Language),
	})
	return mail.Message{
		ID: row.ID, To: invitation.Email, Content: content,
		UnsubscribeURL: e.PublicURL + web.Unsubscribe + "?token=" + e.OneTime.Token(auth.ForOptOut, invitation.ID),
	}, err
}

// composeParty composes an email to a guest of a party.
func (e *Email) composeParty(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	about, err := e.Store.PartyEmail(ctx, row.SubjectID)
	if err != nil {
		return mail.Message{}, err
	}
	out, err := e.Store.OptedOut(ctx, about.Guest.Email)
	if err != nil {
		return mail.Message{}, err
	}
	if out {
		return mail.Message{}, errUnwanted
	}
	link := web.RoomURL(e.FrontendURL, about.Party.RoomID)
	data := mail.PartyData{
		AccountData: accountData(about.Guest, link), Party: about.Party, Soon: about.Kind == watchparty.NoticeHour,
		Calendar: calendar.OfParty(about.Party, e.PublicURL, link),
	}
	write := mail.PartyReminder
	switch about.Kind {
	case watchparty.NoticeMoved:
		write = mail.PartyChanged
	case watchparty.NoticeCancelled:
		write = mail.PartyCancelled
	case watchparty.NoticeDay, watchparty.NoticeHour:
	}
	content, err := write(about.Guest.Language, data)
	return mail.Message{ID: row.ID, To: about.Guest.Email, ToName: about.Guest.DisplayName, Content: content}, err
}
