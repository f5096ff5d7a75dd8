package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// ScheduledParty lives as long as a party. It reminds the guests a day and an hour before the start, and has the room load
// the movie 5 minutes before; the movie starts without the workflow. A signal job.PartyChangedSignal says that the party
// was moved or cancelled. The workflow then reads the party, so that a signal that it has missed does no harm.
func ScheduledParty(ctx workflow.Context, in job.PartyInput) (job.PartyResult, error) {
	known, since := in, workflow.Now(ctx)
	defer func() {
		for moves := range known.Moves + 1 {
			dropSignals(ctx, job.PartyChangedSignal(moves+1))
		}
	}()
	for {
		status, err := readParty(ctx, in)
		if err != nil || status.State == "" {
			return job.PartyResult{}, err
		}
		if status.Moves != known.Moves {
			known.Moves, known.StartsAt, since = status.Moves, status.StartsAt, workflow.Now(ctx)
			if err := tellChange(ctx, known, status.State); err != nil {
				return job.PartyResult{}, err
			}
		}
		step, ok := stepAfter(known, since)
		if status.State != watchparty.PartyScheduled || !ok {
			return job.PartyResult{State: status.State}, nil
		}
		changed, err := awaitChange(ctx, known, step)
		if err != nil {
			return job.PartyResult{}, err
		}
		if changed {
			continue
		}
		step = latestStep(known, since, workflow.Now(ctx))
		since = step.at
		if err := step.take(ctx, known); err != nil {
			return job.PartyResult{}, err
		}
	}
}

// partyStep is something to be done at a time before or after the start of a party.
type partyStep struct {
	at      time.Time
	notice  watchparty.PartyNotice // empty for a step that tells nobody
	arms    bool
	summary string
}

func stepsOf(p job.PartyInput) []partyStep {
	return []partyStep{
		{at: p.StartsAt.Add(-watchparty.PartyDayBefore), notice: watchparty.NoticeDay, summary: "Until a day before"},
		{at: p.StartsAt.Add(-watchparty.PartyHourBefore), notice: watchparty.NoticeHour, summary: "Until an hour before"},
		{at: p.StartsAt.Add(-watchparty.PartyArming), arms: true, summary: "Until the room loads the movie"},
		{at: p.StartsAt.Add(watchparty.PartyLate + time.Minute), summary: "Until the party has started"},
	}
}

// stepAfter returns the next step after a time, and false if none is left.
func stepAfter(p job.PartyInput, since time.Time) (partyStep, bool) {
	for _, step := range stepsOf(p) {
		if step.at.After(since) {
			return step, true
		}
	}
	return partyStep{}, false
}

// latestStep returns the last step between two times: after a long absence, a worker sends one reminder and not two.
func latestStep(p job.PartyInput, since, now time.Time) (latest partyStep) {
	for _, step := range stepsOf(p) {
		if step.at.After(since) && !step.at.After(now) {
			latest = step
		}
	}
	return latest
}

func (s partyStep) take(ctx workflow.Context, p job.PartyInput) error {
	switch {
	case s.notice != "":
		return queueNotices(ctx, p, s.notice)
	case s.arms:
		arm := with(ctx, patient, "Have the room load the movie")
		return workflow.ExecuteActivity(arm, job.ActivityArmParty, p).Get(ctx, nil)
	}
	return nil
}

// awaitChange waits for the time of a step, and reports whether the party was moved or cancelled before.
func awaitChange(ctx workflow.Context, p job.PartyInput, step partyStep) (changed bool, err error) {
	workflow.SetCurrentDetails(ctx, step.summary)
	timed, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timed, step.at.Sub(workflow.Now(ctx)),
		workflow.TimerOptions{Summary: step.summary})
	signal := workflow.GetSignalChannel(ctx, job.PartyChangedSignal(p.Moves+1))
	workflow.NewSelector(ctx).
		AddReceive(signal, func(workflow.ReceiveChannel, bool) { changed = signal.ReceiveAsync(nil) }).
		AddFuture(timer, func(f workflow.Future) { err = f.Get(ctx, nil) }).
		Select(ctx)
	return changed, err
}

func readParty(ctx workflow.Context, in job.PartyInput) (status job.PartyStatus, err error) {
	read := with(ctx, patient, "See how the party stands")
	err = workflow.ExecuteActivity(read, job.ActivityReadParty, in).Get(ctx, &status)
	return status, err
}

// tellChange tells the guests that the party was moved or cancelled.
func tellChange(ctx workflow.Context, p job.PartyInput, state watchparty.PartyState) error {
	switch state {
	case watchparty.PartyScheduled:
		return queueNotices(ctx, p, watchparty.NoticeMoved)
	case watchparty.PartyCancelled:
		return queueNotices(ctx, p, watchparty.NoticeCancelled)
	default:
		return nil
	}
}

func queueNotices(ctx workflow.Context, p job.PartyInput, kind watchparty.PartyNotice) error {
	queue := with(ctx, telling, "Queue the emails to the guests")
	in := job.PartyNoticesInput{PartyID: p.PartyID, Kind: kind, Moves: p.Moves}
	return workflow.ExecuteActivity(queue, job.ActivityQueuePartyNotices, in).Get(ctx, nil)
}

// PartyEmail sends an email to a guest of a party.
func PartyEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, mailing, in)
}
