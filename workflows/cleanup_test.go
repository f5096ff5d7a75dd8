package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var (
	participantsBefore = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	messagesBefore     = time.Date(2025, 10, 5, 0, 0, 0, 0, time.UTC)
	roomsBefore        = time.Date(2025, 12, 4, 0, 0, 0, 0, time.UTC)

	thresholds = map[watchparty.Policy]time.Time{
		watchparty.PolicyParticipants: participantsBefore,
		watchparty.PolicyMessages:     messagesBefore,
		watchparty.PolicyRooms:        roomsBefore,
	}
	some  = []watchparty.Policy{watchparty.PolicyParticipants, watchparty.PolicyMessages, watchparty.PolicyRooms}
	begun = job.BeginCleanupResult{Policies: some, Thresholds: thresholds}
)

func cleanup(w *workflowFixture, in job.CleanupInput) (job.CleanupResult, error) {
	return run[job.CleanupResult](w, workflows.Cleanup, in)
}

func apply(policy watchparty.Policy) job.ApplyPolicyInput {
	return job.ApplyPolicyInput{RunID: runID, Policy: policy, Threshold: thresholds[policy]}
}

func TestCleanup(t *testing.T) {
	onDemand := job.CleanupInput{RunID: runID}

	t.Run("applies the policies in their order", func(t *testing.T) {
		w := newWorkflowFixture(t)
		want := job.CleanupResult{RunID: runID, Counts: map[watchparty.Policy]int64{watchparty.PolicyMessages: 7}}
		inOrder(w,
			w.expect(job.ActivityBeginCleanup, onDemand, begun, nil).Once(),
			w.tallies(nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyParticipants), nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyMessages), nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), nil).Once(),
			w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID}, want, nil).Once())
		result, err := cleanup(w, onDemand)
		require.NoError(t, err)
		require.Equal(t, want, result)
	})

	t.Run("goes on after a policy that fails, and reports it", func(t *testing.T) {
		w := newWorkflowFixture(t)
		failed := job.FinishCleanupInput{RunID: runID, Failed: map[watchparty.Policy]string{
			watchparty.PolicyMessages: "given up after 10 attempts",
		}}
		want := job.CleanupResult{RunID: runID, Failed: []watchparty.Policy{watchparty.PolicyMessages}}
		inOrder(w,
			w.expect(job.ActivityBeginCleanup, onDemand, begun, nil).Once(),
			w.tallies(nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyParticipants), nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyMessages), errors.New("canceling statement")).Times(10),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), nil).Once(),
			w.expect(job.ActivityFinishCleanup, failed, want, nil).Once())
		result, err := cleanup(w, onDemand)
		require.NoError(t, err)
		require.Equal(t, want.Failed, result.Failed)
	})

	t.Run("applies a policy that fails at first", func(t *testing.T) {
		w := newWorkflowFixture(t)
		one := job.CleanupInput{RunID: runID, Policies: []watchparty.Policy{watchparty.PolicyRooms}}
		inOrder(
			w,
			w.expect(job.ActivityBeginCleanup, one, job.BeginCleanupResult{Policies: one.Policies, Thresholds: thresholds}, nil).
				Once(),
			w.tallies(nil).Once(),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), errAway).Times(9),
			w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), nil).Once(),
			w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID}, job.CleanupResult{RunID: runID}, nil).
				Once(),
		)
		_, err := cleanup(w, one)
		require.NoError(t, err)
	})

	t.Run("waits for a database that is away before and after", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityBeginCleanup, onDemand, job.BeginCleanupResult{}, errAway).Times(30)
		w.expect(job.ActivityBeginCleanup, onDemand, job.BeginCleanupResult{}, nil).Once()
		w.tallies(nil).Once()
		finish := job.FinishCleanupInput{RunID: runID}
		w.expect(job.ActivityFinishCleanup, finish, job.CleanupResult{}, errAway).Times(30)
		w.expect(job.ActivityFinishCleanup, finish, job.CleanupResult{RunID: runID}, nil).Once()
		result, err := cleanup(w, onDemand)
		require.NoError(t, err)
		require.Equal(t, runID, result.RunID)
	})

	t.Run("passes on that it is a dry run", func(t *testing.T) {
		w := newWorkflowFixture(t)
		dry := job.CleanupInput{RunID: runID, DryRun: true}
		w.expect(job.ActivityBeginCleanup, dry, begun, nil).Once()
		for _, policy := range some {
			in := apply(policy)
			in.DryRun = true
			w.expect(job.ActivityApplyPolicy, in, nil).Once()
		}
		w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID}, job.CleanupResult{RunID: runID}, nil).Once()
		_, err := cleanup(w, dry)
		require.NoError(t, err)
	})

	t.Run("that is cancelled applies no further policy, and reports what was done", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID, Cancelled: true},
			job.CleanupResult{RunID: runID}, nil).
			Once()
		w.expect(job.ActivityBeginCleanup, onDemand, begun, nil).Once()
		w.tallies(nil).Once()
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyParticipants), nil).Once()
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyMessages), activity.ErrResultPending).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, 10*time.Second)
		_, err := cleanup(w, onDemand)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})

	t.Run("that is cancelled before it has begun, or at its end, is reported too", func(t *testing.T) {
		cancelled := job.FinishCleanupInput{RunID: runID, Cancelled: true}
		w := newWorkflowFixture(t)
		w.expect(job.ActivityBeginCleanup, onDemand, begun, activity.ErrResultPending).Once()
		w.expect(job.ActivityFinishCleanup, cancelled, job.CleanupResult{},
			temporal.NewNonRetryableApplicationError("gone", job.ErrorNotFound, nil)).
			Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, 10*time.Second)
		_, err := cleanup(w, onDemand)
		require.True(t, temporal.IsCanceledError(err), "%v", err)

		w = newWorkflowFixture(t)
		w.expect(job.ActivityBeginCleanup, onDemand, job.BeginCleanupResult{}, nil).Once()
		w.tallies(nil).Once()
		w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID}, job.CleanupResult{},
			activity.ErrResultPending).
			Once()
		w.expect(job.ActivityFinishCleanup, cancelled, job.CleanupResult{RunID: runID}, nil).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, 10*time.Second)
		result, err := cleanup(w, onDemand)
		require.NoError(t, err, "all was done")
		require.Equal(t, runID, result.RunID)
	})

	t.Run("says how far it is", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityBeginCleanup, onDemand, begun, nil).Once()
		w.tallies(nil).Once()
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyParticipants), nil).Once()
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyMessages), errAway).Times(10)
		w.expect(job.ActivityApplyPolicy, apply(watchparty.PolicyRooms), nil).Once().After(time.Hour)
		w.expect(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: runID, Failed: map[watchparty.Policy]string{
			watchparty.PolicyMessages: "given up after 10 attempts",
		}}, job.CleanupResult{RunID: runID}, nil).Once()
		progress := func() (p job.CleanupProgress) {
			answer, err := w.QueryWorkflow(job.QueryProgress)
			require.NoError(t, err)
			require.NoError(t, answer.Get(&p))
			return p
		}
		during := job.CleanupProgress{}
		w.RegisterDelayedCallback(func() { during = progress() }, 30*time.Minute)
		_, err := cleanup(w, onDemand)
		require.NoError(t, err)
		ended := job.CleanupProgress{
			Done: []watchparty.Policy{
				watchparty.PolicyParticipants,
				watchparty.PolicyRooms,
			},
			Failed: []watchparty.Policy{watchparty.PolicyMessages},
		}
		require.Equal(t, ended, progress())
		require.Equal(
			t, job.CleanupProgress{Policy: watchparty.PolicyRooms, Done: ended.Done[:1], Failed: ended.Failed}, during,
		)
	})
}
