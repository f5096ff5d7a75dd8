package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/calendar"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxAmbiguous is the number of attempts after which an email is given up when the SMTP server may have it but has
// never confirmed it.
const maxAmbiguous = 4

// defaultLaterDelay is Email.LaterDelay unless set.
const defaultLaterDelay = 10 * time.Minute

// Email sends emails.
type Email struct {
	Store   *store.Store
	Sender  *mail.Sender
	OneTime *auth.OneTime
	// FrontendURL is the base of the links that people follow, PublicURL the base of the links for mail programs.
	FrontendURL, PublicURL string
	// LaterDelay is the pause before the next attempt when the SMTP server asks for one (421, 4.7.x) or refuses this
	// service. Zero means 10 minutes.
	LaterDelay time.Duration
	// Report has the recipients and the language of reports.
	Report config.Report
	// Alarm limits how often the log says that the SMTP server refuses this service, since each attempt meets the same
	// refusal.
	Alarm   rate.Sometimes
	Metrics *Metrics
}

// Activities returns the methods by their activity types.
func (e *Email) Activities() map[string]any {
	return map[string]any{
		job.ActivitySendEmail:        e.SendEmail,
		job.ActivityFailEmail:        e.FailEmail,
		job.ActivityQueueReminder:    e.QueueReminder,
		job.ActivityExpireInvitation: e.ExpireInvitation,
	}
}

// SendEmail hands an email to the SMTP server. The email's row is the dedup key: an email that has ended is not sent
// again, and every attempt carries the same Message-ID. An email that is of no use is cancelled: its subject is used
// up, expired, removed with its account, or never existed.
func (e *Email) SendEmail(ctx context.Context, in job.EmailInput) (job.EmailResult, error) {
	row, err := e.Store.Email(ctx, in.EmailID)
	if err != nil || row.Ended() {
		return job.EmailResult{State: row.State}, missing(err)
	}
	message, err := e.compose(ctx, row)
	void := watchparty.IsKind(err, watchparty.KindNotFound)
	unwanted := errors.Is(err, errUnwanted)
	if err == nil {
		err = e.admit(ctx, row, message)
	}
	if err != nil && !void {
		return job.EmailResult{}, err
	}
	attempt, err := e.Store.BeginEmailAttempt(ctx, in.EmailID)
	switch {
	case err != nil:
		return job.EmailResult{}, err
	case attempt == 0: // it has ended meanwhile
		row, err = e.Store.Email(ctx, in.EmailID)
		return job.EmailResult{State: row.State}, missing(err)
	case void:
		var why watchparty.EmailReason // the store finds out
		if unwanted {
			why = watchparty.ReasonOptedOut
		}
		if err := e.Store.DropEmail(ctx, in.EmailID, attempt, why); err != nil {
			return job.EmailResult{}, err
		}
		e.Metrics.countAttempt(row.Kind, watchparty.AttemptCancelled)
		e.Metrics.countEmail(row.Kind, watchparty.EmailCancelled)
		return job.EmailResult{State: watchparty.EmailCancelled}, nil
	}
	if err := e.Sender.Send(ctx, message); err != nil {
		return job.EmailResult{}, e.refused(ctx, row, attempt, err)
	}
	e.Metrics.countAttempt(row.Kind, watchparty.AttemptSent)
	e.Metrics.countEmail(row.Kind, watchparty.EmailSent)
	e.Metrics.observeDelivery(row.Kind, store.Now().Sub(row.CreatedAt))
	return job.EmailResult{State: watchparty.EmailSent}, e.noteSent(ctx, in.EmailID, attempt)
}

// admit makes an email wait if its recipient has had too many. Temporal tries it again later, and the wait is not an
// attempt. Every email passes here before it is sent.
func (e *Email) admit(ctx context.Context, row watchparty.Email, message mail.Message) error {
	to, err := watchparty.ParseAddress(message.To)
	if err != nil {
		return nil //nolint:nilerr // the sender refuses it, and says so
	}
	wait, err := e.Store.AdmitEmail(ctx, row.ID, to)
	if err != nil || wait == 0 {
		return err
	}
	return temporal.NewApplicationErrorWithOptions("the recipient has had too many emails for now",
		job.ErrorRecipientLimit, temporal.ApplicationErrorOptions{NextRetryDelay: wait})
}

// noteTime is the time that an activity of 60 s has left after the longest SMTP session of 2 × 25 s.
const (
	noteTime  = 9 * time.Second
	notePause = 500 * time.Millisecond
)

// noteSent stores that the server has the email, even if this worker is told to stop now, and if the database is away
// for a moment: otherwise the email would be sent again.
func (e *Email) noteSent(ctx context.Context, id string, attempt int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	for {
		err := e.Store.MarkEmailSent(ctx, id, attempt)
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

// compose loads what the email is about and renders it. It returns ErrNotFound when there is nothing to say.
func (e *Email) compose(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	switch row.Kind {
	case watchparty.EmailWelcome:
		return e.welcome(ctx, row)
	case watchparty.EmailWelcomeReminder:
		v, err := e.Store.FirstVerification(ctx, row.SubjectID)
		if err == nil && !v.User.SuspendedAt.IsZero() {
			err = errVoidReminder
		}
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.VerifyEmail, auth.ForEmail, v.ID, v.User.Language)
		return letter(row, v.User, v.Email, mail.WelcomeReminder, link)
	case watchparty.EmailVerification:
		v, err := e.Store.PendingVerification(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.VerifyEmail, auth.ForEmail, v.ID, v.User.Language)
		return letter(row, v.User, v.Email, mail.Verification, link)
	case watchparty.EmailReset:
		user, err := e.Store.ResetUser(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		link := e.link(web.PasswordReset, auth.ForReset, row.SubjectID, user.Language)
		return letter(row, user, user.Email, mail.Reset, link)
	case watchparty.EmailPasswordChanged:
		user, err := e.Store.User(ctx, row.UserID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, user, user.Email, mail.PasswordChanged, e.home())
	case watchparty.EmailAddressChanged:
		v, err := e.Store.ReplacedAddress(ctx, row.SubjectID)
		if err != nil {
			return mail.Message{}, err
		}
		return letter(row, v.User, v.Former, mail.EmailChanged, e.home())
	case watchparty.EmailRoomInvitation:
		return e.invitation(ctx, row, mail.Invitation)
	case watchparty.EmailInvitationReminder:
		return e.invitation(ctx, row, mail.InvitationReminder)
	case watchparty.EmailPartyReminder, watchparty.EmailPartyChanged, watchparty.EmailPartyCancelled:
		return e.party(ctx, row)
	case watchparty.EmailActivityReport:
		return e.report(ctx, row)
	}
	return mail.Message{}, fmt.Errorf("activities: unknown kind of email %q", row.Kind)
}

func (e *Email) welcome(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	user, err := e.Store.User(ctx, row.SubjectID)
	if err != nil {
		return mail.Message{}, err
	}
	data := mail.WelcomeData{AccountData: account(user, e.home())}
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

func account(user watchparty.User, link string) mail.AccountData {
	return mail.AccountData{DisplayName: user.DisplayName, Username: user.Username, Link: link}
}

func letter(
	row watchparty.Email, user watchparty.User, to string,
	write func(watchparty.Language, mail.AccountData) (mail.Content, error), link string,
) (mail.Message, error) {
	content, err := write(user.Language, account(user, link))
	return mail.Message{ID: row.ID, To: to, ToName: user.DisplayName, Content: content}, err
}

// report composes the email of a report to a recipient in the settings. An address that has left the settings gets
// none.
func (e *Email) report(ctx context.Context, row watchparty.Email) (mail.Message, error) {
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

// invitation composes an email to an address that may have no account. It is not sent if the invitation cannot be
// accepted any more, because the inviter may not invite now or the room is archived, and if the address wants no
// invitations.
func (e *Email) invitation(
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

// party composes an email to a guest of a party.
func (e *Email) party(ctx context.Context, row watchparty.Email) (mail.Message, error) {
	about, err := e.Store.PartyLetter(ctx, row.SubjectID)
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
		AccountData: account(about.Guest, link), Party: about.Party, Soon: about.Kind == watchparty.NoticeHour,
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

// refused stores the server's answer, and returns the error that says what to do. The error does not contain the
// answer, since it goes into the workflow's history.
func (e *Email) refused(ctx context.Context, row watchparty.Email, attempt int, err error) error {
	var refused *mail.SendError
	if !errors.As(err, &refused) {
		return err
	}
	if refused.About == mail.AboutService {
		e.Alarm.Do(func() { raiseAlarm(ctx, row.ID, refused) })
	}
	e.Metrics.countAttempt(row.Kind, watchparty.EmailOutcome(refused.Kind))
	answer := refused.Answer
	if refused.Code != 0 {
		answer = strings.TrimSpace(fmt.Sprintf("%d %s", refused.Code, answer)) // the answer may be a code alone
	}
	refusal := store.EmailRefusal{
		Outcome: watchparty.EmailOutcome(refused.Kind), Reason: refused.Reason(), Answer: answer,
	}
	if refused.Kind != mail.Permanent {
		refusal.Next, refusal.Deadline = e.remaining(activity.GetInfo(ctx), refused.Kind, store.Now())
	}
	ambiguous, err := e.Store.RecordEmailAttempt(context.WithoutCancel(ctx), row.ID, attempt, refusal)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s (code %d)", refused.Kind, refused.Code)
	switch {
	case refused.Kind == mail.Permanent,
		refused.Kind == mail.Ambiguous && ambiguous >= maxAmbiguous:
		return temporal.NewNonRetryableApplicationError(text, job.ErrorEmailRejected, nil)
	case refused.Kind == mail.Later:
		return temporal.NewApplicationErrorWithOptions(text, string(refused.Kind),
			temporal.ApplicationErrorOptions{NextRetryDelay: cmp.Or(e.LaterDelay, defaultLaterDelay)})
	default:
		return temporal.NewApplicationError(text, string(refused.Kind))
	}
}

// remaining returns the time to the next attempt at an email and, about, to the last one: Temporal's own reckoning, by
// the retry policy of the workflow. Both are 0 if no attempt follows.
func (e *Email) remaining(info activity.Info, kind mail.Kind, now time.Time) (next, deadline time.Duration) {
	policy := info.RetryPolicy
	if policy == nil {
		return 0, 0
	}
	wait := func(attempt int32) time.Duration {
		d := float64(policy.InitialInterval) * math.Pow(policy.BackoffCoefficient, float64(attempt-1))
		if limit := float64(policy.MaximumInterval); limit > 0 {
			d = min(d, limit)
		}
		return time.Duration(d)
	}
	if next = wait(info.Attempt); kind == mail.Later {
		next = cmp.Or(e.LaterDelay, defaultLaterDelay)
	}
	if policy.MaximumAttempts > 0 {
		if info.Attempt >= policy.MaximumAttempts {
			return 0, 0
		}
		deadline = next
		for attempt := info.Attempt + 1; attempt < policy.MaximumAttempts; attempt++ { // 150 at most
			deadline += wait(attempt)
		}
	}
	if info.ScheduleToCloseTimeout > 0 {
		if deadline = info.ScheduledTime.Add(info.ScheduleToCloseTimeout).Sub(now); next >= deadline {
			return 0, 0
		}
	}
	return next, deadline
}

// raiseAlarm logs that emails wait until an operator or the server ends the problem.
func raiseAlarm(ctx context.Context, id string, refused *mail.SendError) {
	about := []any{"email_id", id, "step", string(refused.Step), "code", refused.Code}
	if refused.Step != mail.StepEnd { // a server that has the content may quote it
		about = append(about, "answer", refused.Answer)
	}
	activity.GetLogger(ctx).Error("emails wait: the SMTP server refuses this service, or cannot be used", about...)
}

// FailEmail marks an email as failed. It keeps the server's last answer.
func (e *Email) FailEmail(ctx context.Context, in job.EmailInput) error {
	if err := e.Store.MarkEmailFailed(ctx, in.EmailID); err != nil {
		return err
	}
	if row, err := e.Store.Email(ctx, in.EmailID); err == nil && row.State == watchparty.EmailFailed {
		e.Metrics.countEmail(row.Kind, row.State)
	}
	return nil
}

// QueueReminder queues the reminder of an email, if it is of use.
func (e *Email) QueueReminder(ctx context.Context, in job.EmailInput) (job.QueueReminderResult, error) {
	id, err := e.Store.QueueReminder(ctx, in.EmailID)
	return job.QueueReminderResult{EmailID: id}, missing(err)
}

// ExpireInvitation ends an invitation whose time is over, or returns how it has ended before.
func (e *Email) ExpireInvitation(ctx context.Context, in job.RoomInvitationInput) (job.ExpireInvitationResult, error) {
	state, err := e.Store.ExpireInvitation(ctx, in.InvitationID)
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
