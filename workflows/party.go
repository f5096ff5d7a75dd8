package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// ScheduledParty lives as long as a party. It reminds the guests a day and an hour before the start, and has the room
// load the movie 5 minutes before; the movie starts without the workflow. A signal job.PartyChangedSignal says that the
// party was moved or cancelled. The workflow then reads the party, so that a signal that it has missed does no harm.
func ScheduledParty(ctx workflow.Context, in job.PartyInput) (job.PartyResult, error) {
	known, since := in, workflow.Now(ctx)
	var moved time.Time // when the party was last moved; zero if it was not
	defer func() {
		for moves := range known.Moves + 1 {
			dropSignals(ctx, job.PartyChangedSignal(moves+1))
		}
	}()
	for first := true; ; first = false {
		status, err := readParty(ctx, in)
		if err != nil || status.State == "" {
			return job.PartyResult{}, err
		}
		if first && !status.ScheduledAt.IsZero() {
			since = status.ScheduledAt // Temporal or the workers may have been away since then
		}
		if status.Moves != known.Moves {
			since = workflow.Now(ctx)
			known.Moves, known.StartsAt, moved = status.Moves, status.StartsAt, since
			if status.State == watchparty.PartyCancelled {
				if err := queueNotices(ctx, known, watchparty.NoticeCancelled); err != nil {
					return job.PartyResult{}, err
				}
			}
		}
		steps := stepsAfter(since, known, moved)
		if status.State != watchparty.PartyScheduled || len(steps) == 0 {
			return job.PartyResult{State: status.State}, nil
		}
		changed, err := awaitChange(ctx, known, steps[0])
		if err != nil {
			return job.PartyResult{}, err
		}
		if changed {
			continue
		}
		since = workflow.Now(ctx)
		for _, step := range dueSteps(steps, since) {
			if err := step.take(ctx, known); err != nil {
				return job.PartyResult{}, err
			}
		}
	}
}

// partySettles is how long after a move the guests are told: a person who corrects a time twice sends them one email.
const partySettles = time.Minute

// partyStep is something to be done at a time.
type partyStep struct {
	at      time.Time
	notice  watchparty.PartyNotice // empty for a step that tells nobody
	arms    bool
	summary string
}

// stepsAfter returns the steps of a party after a time, in their order.
func stepsAfter(since time.Time, p job.PartyInput, moved time.Time) []partyStep {
	steps := []partyStep{
		{at: p.StartsAt.Add(-watchparty.PartyDayBefore), notice: watchparty.NoticeDay, summary: "Until a day before"},
		{at: p.StartsAt.Add(-watchparty.PartyHourBefore), notice: watchparty.NoticeHour, summary: "Until an hour before"},
		{at: p.StartsAt.Add(-watchparty.PartyArming), arms: true, summary: "Until the room loads the movie"},
		{at: p.StartsAt.Add(watchparty.PartyLate + time.Minute), summary: "Until the party has started"},
	}
	if !moved.IsZero() {
		steps = append(steps, partyStep{
			at: moved.Add(partySettles), notice: watchparty.NoticeMoved, summary: "Until the guests are told the new time",
		})
	}
	slices.SortStableFunc(steps, func(a, b partyStep) int { return a.at.Compare(b.at) })
	return slices.DeleteFunc(steps, func(s partyStep) bool { return !s.at.After(since) })
}

// dueSteps returns the steps that are due. After a long absence, a worker sends the last notice alone.
func dueSteps(steps []partyStep, now time.Time) (due []partyStep) {
	for _, step := range steps {
		if step.at.After(now) {
			break
		}
		if step.notice != "" {
			due = slices.DeleteFunc(due, func(s partyStep) bool { return s.notice != "" })
		}
		due = append(due, step)
	}
	return due
}

func (s partyStep) take(ctx workflow.Context, p job.PartyInput) error {
	switch {
	case s.notice != "":
		return queueNotices(ctx, p, s.notice)
	case s.arms:
		return run(ctx, stepOptions, "Have the room load the movie", job.ActivityArmParty, p, nil)
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
	err = run(ctx, stepOptions, "Read the party", job.ActivityReadParty, in, &status)
	return status, err
}

func queueNotices(ctx workflow.Context, p job.PartyInput, kind watchparty.PartyNotice) error {
	in := job.PartyNoticesInput{PartyID: p.PartyID, Kind: kind, Moves: p.Moves}
	return run(ctx, noticeOptions, "Queue the emails to the guests", job.ActivityQueuePartyNotices, in, nil)
}

// PartyEmail sends an email to a guest of a party.
func PartyEmail(ctx workflow.Context, in job.EmailInput) (job.EmailResult, error) {
	return sendEmail(ctx, emailOptions, in)
}
