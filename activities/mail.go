package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxAmbiguous is how often a server may take a mail without saying so before it is not tried again.
const maxAmbiguous = 4

// Mail sends mails.
type Mail struct {
	Store   *store.Store
	Sender  *mail.Sender
	OneTime *auth.OneTime
	// FrontendURL is where the links lead that people follow; PublicURL, the one for mail programs.
	FrontendURL, PublicURL string
	// LaterDelay is how long to leave a server alone that asks for it (421, 4.7.x) or refuses this service.
	LaterDelay time.Duration
	// Report says to whom reports go, and in which language.
	Report config.Report
	// Alarm says how often it is logged that the SMTP server refuses this service: for as long as it does, each attempt
	// at each email meets the same.
	Alarm rate.Sometimes
}

// The pages that links lead to. They find the token behind the #, where no server and no log sees it.
const (
	verifyPage      = "/verify-email"
	resetPage       = "/password-reset"
	invitationPage  = "/invitations"
	unsubscribePage = "/unsubscribe"
)

// SendMail hands a mail to the SMTP server. Its row is the dedup key: one that has ended is not sent again, and every
// attempt carries the same Message-ID. A mail that is of no use is cancelled: what it is about is used up, expired or
// gone with its account, or never was.
func (m *Mail) SendMail(ctx context.Context, in job.EmailInput) (job.EmailResult, error) {
	row, err := m.Store.Mail(ctx, in.EmailID)
	if err != nil || row.Ended() {
		return job.EmailResult{State: row.State}, missing(err)
	}
	message, err := m.compose(ctx, row)
	void := watchparty.IsKind(err, watchparty.KindNotFound)
	unwanted := errors.Is(err, errUnwanted)
	if err == nil {
		err = m.admit(ctx, row, message)
	}
	if err != nil && !void {
		return job.EmailResult{}, err
	}
	attempt, err := m.Store.BeginMail(ctx, in.EmailID)
	switch {
	case err != nil:
		return job.EmailResult{}, err
	case attempt == 0: // it has ended meanwhile
		row, err = m.Store.Mail(ctx, in.EmailID)
		return job.EmailResult{State: row.State}, missing(err)
	case void:
		why := watchparty.ReasonCancelled
		if unwanted {
			why = watchparty.ReasonOptedOut
		}
		return job.EmailResult{State: watchparty.MailCancelled}, m.Store.DropMail(ctx, in.EmailID, attempt, why)
	}
	if err := m.Sender.Send(ctx, message); err != nil {
		return job.EmailResult{}, m.refused(ctx, in.EmailID, attempt, err)
	}
	return job.EmailResult{State: watchparty.MailSent}, m.noteSent(ctx, in.EmailID, attempt)
}

// admit lets a mail wait whose recipient has had too many: Temporal tries it again then, and what waits is no attempt
// at it. Whatever is sent passes here.
func (m *Mail) admit(ctx context.Context, row watchparty.Mail, message mail.Message) error {
	to, err := watchparty.ParseAddress(message.To)
	if err != nil {
		return nil //nolint:nilerr // the sender refuses it, and says so
	}
	wait, err := m.Store.AdmitMail(ctx, row.ID, to)
	if err != nil || wait == 0 {
		return err
	}
	return temporal.NewApplicationErrorWithOptions("the recipient has had too many emails for now", job.ErrorRecipientLimit,
		temporal.ApplicationErrorOptions{NextRetryDelay: wait})
}

// noteTime is what an activity of 60 s has left after the longest SMTP session, twice 25 s.
const (
	noteTime  = 9 * time.Second
	notePause = 500 * time.Millisecond
)

// noteSent notes that the server has the mail, even if this worker is told to stop now, and if the database is away for
// a moment: otherwise the mail would be sent again.
func (m *Mail) noteSent(ctx context.Context, id string, attempt int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	for {
		err := m.Store.SentMail(ctx, id, attempt)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(notePause):
		}
	}
}

// compose loads what the mail is about and renders it. It returns ErrNotFound when there is nothing to say.
func (m *Mail) compose(ctx context.Context, row watchparty.Mail) (mail.Message, error) {
	switch row.Kind {
	case watchparty.MailWelcome:
		return m.welcome(ctx, row)
	case watchparty.MailWelcomeReminder:
		v, err := m.Store.FirstVerification(ctx, row.SubjectID)
		if err == nil && !v.User.SuspendedAt.IsZero() {
			err = errVoidReminder
		}
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, v.User, v.Email, mail.WelcomeReminder, m.link(verifyPage, auth.ForEmail, v.ID))
	case watchparty.MailVerification:
		v, err := m.Store.PendingVerification(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, v.User, v.Email, mail.Verification, m.link(verifyPage, auth.ForEmail, v.ID))
	case watchparty.MailReset:
		user, err := m.Store.ResetUser(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, user, user.Email, mail.Reset, m.link(resetPage, auth.ForReset, row.SubjectID))
	case watchparty.MailPasswordChanged:
		user, err := m.Store.User(ctx, row.UserID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, user, user.Email, mail.PasswordChanged, m.FrontendURL)
	case watchparty.MailEmailChanged:
		v, err := m.Store.ReplacedAddress(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, v.User, v.Former, mail.EmailChanged, m.FrontendURL)
	case watchparty.MailRoomInvitation:
		return m.invitation(ctx, row, mail.Invitation)
	case watchparty.MailInvitationReminder:
		return m.invitation(ctx, row, mail.InvitationReminder)
	case watchparty.MailActivityReport:
		return m.report(ctx, row)
	}
	return mail.Message{}, fmt.Errorf("activities: unknown kind of mail %q", row.Kind)
}

func (m *Mail) welcome(ctx context.Context, row watchparty.Mail) (mail.Message, error) {
	user, err := m.Store.User(ctx, row.SubjectID)
	if err != nil {
		return mail.Message{}, err
	}
	data := mail.WelcomeData{AccountData: account(user, m.FrontendURL)}
	v, err := m.Store.FirstVerification(ctx, user.ID)
	if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
		return mail.Message{}, err
	}
	if err == nil {
		data.ConfirmURL = m.link(verifyPage, auth.ForEmail, v.ID)
	}
	content, err := mail.Welcome(user.Language, data)
	return mail.Message{ID: row.ID, To: user.Email, ToName: user.DisplayName, Content: content}, err
}

func account(user watchparty.User, link string) mail.AccountData {
	return mail.AccountData{DisplayName: user.DisplayName, Username: user.Username, Link: link}
}

func letter(
	row watchparty.Mail, user watchparty.User, to string,
	write func(watchparty.Language, mail.AccountData) (mail.Content, error), link string,
) (mail.Message, error) {
	content, err := write(user.Language, account(user, link))
	return mail.Message{ID: row.ID, To: to, ToName: user.DisplayName, Content: content}, err
}

// report is a mail to one of those whom the settings name. Whoever was taken out of them meanwhile gets none.
func (m *Mail) report(ctx context.Context, row watchparty.Mail) (mail.Message, error) {
	recipients, err := m.Report.Addresses()
	if err != nil {
		return mail.Message{}, err
	}
	report, to, err := m.Store.ReportMail(ctx, row.SubjectID, recipients)
	if err != nil {
		return mail.Message{}, err
	}
	link := m.PublicURL + web.Reports + "#token=" + m.OneTime.Token(auth.ForReport, report.ID)
	content, err := mail.ActivityReport(m.Report.Language, mail.ReportData{Report: report, URL: link})
	return mail.Message{ID: row.ID, To: to.String(), Content: content}, err
}

func (m *Mail) link(page string, purpose auth.Purpose, id string) string {
	return m.FrontendURL + page + "#token=" + m.OneTime.Token(purpose, id)
}

var errVoidReminder = fmt.Errorf("activities: the mail's account is suspended: %w", watchparty.ErrNotFound)

var errUnwanted = fmt.Errorf("activities: a mail that its address does not want: %w", watchparty.ErrNotFound)

var errVoidInvitation = fmt.Errorf("activities: the mail's invitation: %w", watchparty.ErrNotFound)

// invitation is a mail to an address that may have no account. One that cannot be accepted any more is not sent, be it
// that its inviter may not invite now or that the room is archived, nor one to somebody who wants none.
func (m *Mail) invitation(
	ctx context.Context, row watchparty.Mail, write func(watchparty.Language, mail.InvitationData) (mail.Content, error),
) (mail.Message, error) {
	invitation, room, err := m.Store.OpenInvitation(ctx, row.SubjectID)
	if errors.Is(err, watchparty.ErrBadToken) || err == nil && !room.ArchivedAt.IsZero() {
		return mail.Message{}, errVoidInvitation
	}
	if err != nil {
		return mail.Message{}, err
	}
	inviter, err := m.Store.User(ctx, invitation.Inviter.ID)
	if err != nil {
		return mail.Message{}, err
	}
	out, err := m.Store.OptedOut(ctx, invitation.Email)
	if err != nil {
		return mail.Message{}, err
	}
	if out {
		return mail.Message{}, errUnwanted
	}
	content, err := write(inviter.Language, mail.InvitationData{
		Inviter: inviter.DisplayName, Room: room.Name, Expires: invitation.ExpiresAt,
		URL:            m.link(invitationPage, auth.ForInvitation, invitation.ID),
		UnsubscribeURL: m.link(unsubscribePage, auth.ForOptOut, invitation.ID),
	})
	return mail.Message{
		ID: row.ID, To: invitation.Email, Content: content,
		UnsubscribeURL: m.PublicURL + unsubscribePage + "?token=" + m.OneTime.Token(auth.ForOptOut, invitation.ID),
	}, err
}

// refused stores the server's answer and says what to do about it. The answer stays out of the error, which ends up in
// the workflow's history.
func (m *Mail) refused(ctx context.Context, id string, attempt int, err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err
	}
	if refused.About == mail.AboutService {
		m.Alarm.Do(func() { raiseAlarm(ctx, id, refused) })
	}
	answer := refused.Answer
	if refused.Code != 0 {
		answer = strings.TrimSpace(fmt.Sprintf("%d %s", refused.Code, answer)) // which may be a code alone
	}
	ambiguous, err := m.Store.NoteMail(context.WithoutCancel(ctx), id, attempt, watchparty.MailOutcome(refused.Kind), refused.Reason(), answer)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s (code %d)", refused.Kind, refused.Code)
	switch {
	case refused.Kind == mail.Permanent,
		refused.Kind == mail.Ambiguous && ambiguous >= maxAmbiguous:
		return temporal.NewNonRetryableApplicationError(text, job.ErrorEmailRejected, nil)
	case refused.Kind == mail.Later:
		return temporal.NewApplicationErrorWithOptions(text, string(refused.Kind), temporal.ApplicationErrorOptions{NextRetryDelay: m.LaterDelay})
	default:
		return temporal.NewApplicationError(text, string(refused.Kind))
	}
}

// raiseAlarm tells operators that emails wait until they mend something, or the server does.
func raiseAlarm(ctx context.Context, id string, refused *mail.SendError) {
	about := []any{"email_id", id, "step", string(refused.Step), "code", refused.Code}
	if refused.Step != mail.StepEnd { // where a server that has the content may quote it
		about = append(about, "answer", refused.Answer)
	}
	activity.GetLogger(ctx).Error("emails wait: the SMTP server refuses this service, or cannot be used", about...)
}

// FailMail notes that a mail will not be sent. The server's last answer stays.
func (m *Mail) FailMail(ctx context.Context, in job.EmailInput) error {
	return m.Store.FailMail(ctx, in.EmailID)
}

// QueueReminder queues the mail that follows one, if it is of use.
func (m *Mail) QueueReminder(ctx context.Context, in job.EmailInput) (job.QueueReminderResult, error) {
	id, err := m.Store.QueueReminder(ctx, in.EmailID)
	return job.QueueReminderResult{EmailID: id}, missing(err)
}

// ExpireInvitation ends an invitation whose time is over, and says how it has ended if that was before.
func (m *Mail) ExpireInvitation(ctx context.Context, in job.RoomInvitationInput) (job.ExpireInvitationResult, error) {
	state, err := m.Store.ExpireInvitation(ctx, in.InvitationID)
	if err == nil && state == watchparty.InvitationOpen {
		err = errors.New("the database's clock is behind: the invitation has not expired yet")
	}
	return job.ExpireInvitationResult{State: state}, missing(err)
}

// missing makes the absence of a row final.
func missing(err error) error {
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)
	}
	return err
}
