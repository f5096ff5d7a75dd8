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
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
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
		return job.EmailResult{State: row.State}, notFoundIsFinal(err)
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
		return job.EmailResult{State: row.State}, notFoundIsFinal(err)
	case void:
		var why watchparty.EmailReason // the store finds out
		if unwanted {
			why = watchparty.ReasonOptedOut
		}
		if err := e.Store.CancelUndeliverableEmail(ctx, in.EmailID, attempt, why); err != nil {
			return job.EmailResult{}, err
		}
		e.Metrics.countAttempt(row.Kind, watchparty.EmailOutcomeCancelled)
		e.Metrics.countEmail(row.Kind, watchparty.EmailCancelled)
		return job.EmailResult{State: watchparty.EmailCancelled}, nil
	}
	if err := e.Sender.Send(ctx, message); err != nil {
		return job.EmailResult{}, e.refused(ctx, row, attempt, err)
	}
	e.Metrics.countAttempt(row.Kind, watchparty.EmailOutcomeSent)
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

// noteSent stores that the server has the email, even if this worker is told to stop now, and if the database is down
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

// remaining computes from the workflow's retry policy, as Temporal does, the time until the next attempt and about the
// time until the last one. Both are 0 if no attempt follows.
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
	return job.QueueReminderResult{EmailID: id}, notFoundIsFinal(err)
}

// ExpireInvitation ends an invitation whose time is over, or returns how it has ended before.
func (e *Email) ExpireInvitation(ctx context.Context, in job.RoomInvitationInput) (job.ExpireInvitationResult, error) {
	state, err := e.Store.ExpireInvitation(ctx, in.InvitationID)
	if err == nil && state == watchparty.InvitationOpen {
		err = errors.New("the database's clock is behind: the invitation has not expired yet")
	}
	return job.ExpireInvitationResult{State: state}, notFoundIsFinal(err)
}
