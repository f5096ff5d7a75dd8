package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

// partyStage is a party as the activities see it.
type partyStage struct {
	*workflowFixture
	in     job.PartyInput
	status job.PartyStatus
	told   []job.PartyNoticesInput
	at     []time.Duration // of told, since the start of the workflow
	armed  time.Duration
}

func newPartyStage(t *testing.T, after time.Duration) *partyStage {
	t.Helper()
	s := &partyStage{workflowFixture: newWorkflowFixture(t)}
	s.in = job.PartyInput{PartyID: subjectID, StartsAt: s.Now().Add(after).UTC()}
	s.status = job.PartyStatus{State: watchparty.PartyScheduled, StartsAt: s.in.StartsAt}
	s.OnActivity(job.ActivityReadParty, mock.Anything, s.in).Return(
		func(context.Context, job.PartyInput) (job.PartyStatus, error) { return s.status, nil }).Maybe()
	s.OnActivity(job.ActivityQueuePartyNotices, mock.Anything, mock.Anything).Return(
		func(_ context.Context, in job.PartyNoticesInput) (job.PartyNoticesResult, error) {
			s.told, s.at = append(s.told, in), append(s.at, s.Now().Sub(s.started))
			return job.PartyNoticesResult{Emails: 1}, nil
		}).Maybe()
	s.OnActivity(job.ActivityArmParty, mock.Anything, mock.Anything).Return(func(context.Context, job.PartyInput) error {
		s.armed = s.Now().Sub(s.started)
		return nil
	}).Maybe()
	return s
}

func (s *partyStage) becomes(after time.Duration, status job.PartyStatus, signal string) {
	s.RegisterDelayedCallback(func() {
		s.status = status
		if signal != "" {
			s.SignalWorkflow(signal, nil)
		}
	}, after)
}

func (s *partyStage) run() job.PartyResult {
	s.t.Helper()
	result, err := run[job.PartyResult](s.workflowFixture, workflows.ScheduledParty, s.in)
	require.NoError(s.t, err)
	return result
}

func notice(kind watchparty.PartyNotice, moves int) job.PartyNoticesInput {
	return job.PartyNoticesInput{PartyID: subjectID, Kind: kind, Moves: moves}
}

func TestScheduledParty(t *testing.T) {
	started := func(s *partyStage) job.PartyStatus {
		return job.PartyStatus{State: watchparty.PartyStarted, StartsAt: s.in.StartsAt}
	}
	t.Run("reminds, loads the movie, and ends with the start", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		s.becomes(3*day, started(s), "")
		require.Equal(t, job.PartyResult{State: watchparty.PartyStarted}, s.run())
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeDay, 0), notice(watchparty.NoticeHour, 0)}, s.told)
		require.Equal(t, []time.Duration{2 * day, 3*day - time.Hour}, s.at)
		require.Equal(t, 3*day-5*time.Minute, s.armed)
	})
	t.Run("that is soon has no reminder a day before", func(t *testing.T) {
		s := newPartyStage(t, 2*time.Hour)
		s.becomes(2*time.Hour, started(s), "")
		s.run()
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeHour, 0)}, s.told)
	})
	t.Run("that is very soon has no reminder", func(t *testing.T) {
		s := newPartyStage(t, 10*time.Minute)
		s.becomes(10*time.Minute, started(s), "")
		s.run()
		require.Empty(t, s.told)
		require.Equal(t, 5*time.Minute, s.armed)
	})
	t.Run("whose workflow begins late reminds nevertheless", func(t *testing.T) {
		s := newPartyStage(t, 40*time.Minute)
		s.status.ScheduledAt = s.Now().Add(-25 * time.Minute)
		s.becomes(40*time.Minute, started(s), "")
		s.run()
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeHour, 0)}, s.told)
		require.Equal(t, []time.Duration{0}, s.at)
		require.Equal(t, 35*time.Minute, s.armed)
	})
	t.Run("that is moved reminds anew", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		moved := job.PartyStatus{State: watchparty.PartyScheduled, Moves: 1, StartsAt: s.in.StartsAt.Add(3 * day)}
		s.becomes(2*day+time.Hour, moved, job.PartyChangedSignal(1))
		moved.State = watchparty.PartyStarted
		s.becomes(6*day, moved, "")
		s.run()
		require.Equal(t, []job.PartyNoticesInput{
			notice(watchparty.NoticeDay, 0), notice(watchparty.NoticeMoved, 1), notice(watchparty.NoticeDay, 1),
			notice(watchparty.NoticeHour, 1),
		}, s.told)
		require.Equal(t, []time.Duration{2 * day, 2*day + time.Hour + time.Minute, 5 * day, 6*day - time.Hour}, s.at)
	})
	t.Run("that is moved three times within a minute is told once", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		moved := job.PartyStatus{State: watchparty.PartyScheduled, Moves: 1, StartsAt: s.in.StartsAt.Add(2 * day)}
		s.becomes(day-50*time.Second, moved, job.PartyChangedSignal(1))
		moved.Moves, moved.StartsAt = 3, s.in.StartsAt.Add(day)
		s.becomes(day, moved, job.PartyChangedSignal(2))
		s.becomes(day, moved, job.PartyChangedSignal(3))
		s.becomes(4*day, job.PartyStatus{State: watchparty.PartyStarted, Moves: 3, StartsAt: moved.StartsAt}, "")
		s.run()
		require.Equal(t, []job.PartyNoticesInput{
			notice(watchparty.NoticeMoved, 3), notice(watchparty.NoticeDay, 3), notice(watchparty.NoticeHour, 3),
		}, s.told)
		require.Equal(t, []time.Duration{day + time.Minute, 3 * day, 4*day - time.Hour}, s.at)
	})
	t.Run("that is cancelled soon after a move is told only that", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		s.becomes(day, job.PartyStatus{State: watchparty.PartyScheduled, Moves: 1, StartsAt: s.in.StartsAt.Add(day)},
			job.PartyChangedSignal(1))
		s.becomes(day+30*time.Second, job.PartyStatus{State: watchparty.PartyCancelled, Moves: 2, StartsAt: s.in.StartsAt},
			job.PartyChangedSignal(2))
		s.run()
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeCancelled, 2)}, s.told)
		require.Equal(t, []time.Duration{day + 30*time.Second}, s.at)
	})
	t.Run("that is moved twice at once, and cancelled after that was told", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		moved := job.PartyStatus{State: watchparty.PartyScheduled, Moves: 2, StartsAt: s.in.StartsAt.Add(day)}
		s.becomes(day, moved, job.PartyChangedSignal(1))
		s.becomes(day, moved, job.PartyChangedSignal(2))
		cancelled := job.PartyStatus{State: watchparty.PartyCancelled, Moves: 3, StartsAt: moved.StartsAt}
		s.becomes(day+time.Hour, cancelled, job.PartyChangedSignal(3))
		require.Equal(t, job.PartyResult{State: watchparty.PartyCancelled}, s.run())
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeMoved, 2), notice(watchparty.NoticeCancelled, 3)},
			s.told)
	})
	t.Run("whose signal is missed is told at the next step", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		s.becomes(day, job.PartyStatus{State: watchparty.PartyCancelled, Moves: 1, StartsAt: s.in.StartsAt}, "")
		require.Equal(t, job.PartyResult{State: watchparty.PartyCancelled}, s.run())
		require.Equal(t, watchparty.NoticeCancelled, s.told[len(s.told)-1].Kind)
	})
	t.Run("whose row is gone ends", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		s.becomes(day, job.PartyStatus{}, job.PartyChangedSignal(1))
		require.Equal(t, job.PartyResult{}, s.run())
	})
	t.Run("that starts with a signal makes up for it", func(t *testing.T) {
		s := newPartyStage(t, 3*day)
		s.status = job.PartyStatus{State: watchparty.PartyCancelled, Moves: 1, StartsAt: s.in.StartsAt}
		require.Equal(t, job.PartyResult{State: watchparty.PartyCancelled}, s.run())
		require.Equal(t, []job.PartyNoticesInput{notice(watchparty.NoticeCancelled, 1)}, s.told)
	})
}
