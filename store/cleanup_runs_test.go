package store

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestRunsAndReports(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")

	t.Run("an admin's run comes with its event", func(t *testing.T) {
		drain(s.Events())
		policies := []watchparty.Policy{watchparty.PolicyMessages}
		run, err := s.CreateRun(t.Context(), admin.ID, watchparty.NewRun{Policies: policies, DryRun: true}, IdempotencyKey{})
		require.NoError(t, err)
		require.Len(t, s.Events(), 1)
		require.Equal(t, watchparty.TriggerAdmin, run.Trigger)
		require.Equal(t, admin.Person(), run.StartedBy)
		require.Equal(t, policies, run.Policies)
		require.True(t, run.DryRun)
		require.Equal(t, watchparty.RunQueued, run.State)
		require.Equal(t, "cleanup/"+run.ID, run.WorkflowID)
		require.True(t, run.StartedAt.IsZero() && run.FinishedAt.IsZero())
		stored, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, run, stored)
		input := readValue[string](t, s, "SELECT input::text FROM outbox WHERE workflow_id = ?", run.WorkflowID)
		require.JSONEq(t, fmt.Sprintf(`{"run_id": %q, "policies": ["old_messages"], "dry_run": true}`, run.ID), input)
	})

	t.Run("beginning a run twice begins it once", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		before, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.RunRunning, before.State)
		require.WithinDuration(t, time.Now(), before.StartedAt, time.Minute)
		require.NoError(t, s.BeginRun(t.Context(), job.CleanupInput{RunID: run.ID,
			Policies: []watchparty.Policy{watchparty.PolicyRooms}, DryRun: true}, "another"))
		after, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Equal(t, watchparty.TriggerAdmin, after.Trigger)
	})

	t.Run("the schedule's run has a row from its beginning", func(t *testing.T) {
		before := countRows(t, s, "outbox")
		in := job.CleanupInput{RunID: newID(), Policies: watchparty.Policies()}
		for range 2 {
			require.NoError(t, s.BeginRun(t.Context(), in, "cleanup-schedule-2026"))
		}
		run, err := s.Run(t.Context(), in.RunID)
		require.NoError(t, err)
		require.Equal(t, watchparty.TriggerSchedule, run.Trigger)
		require.Empty(t, run.StartedBy)
		require.Equal(t, watchparty.Policies(), run.Policies)
		require.Equal(t, watchparty.RunRunning, run.State)
		require.Equal(t, "cleanup-schedule-2026", run.WorkflowID)
		require.Equal(t, before, countRows(t, s, "outbox"), "the workflow runs already")
	})

	t.Run("finishing twice makes one report", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		postMessage(t, s, newRoom(t, s, admin, nil), admin, "old")
		applyPolicy(t, s, run.ID, watchparty.PolicyMessages, time.Now().Add(time.Hour), 10)

		finished, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
		require.Equal(t, watchparty.RunCompleted, finished.State)
		require.False(t, finished.FinishedAt.Before(finished.StartedAt))
		stored, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, finished, stored)

		again, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID,
			Failed: map[watchparty.Policy]string{watchparty.PolicyRooms: "too late"}})
		require.NoError(t, err)
		require.Equal(t, finished, again)

		reports := readValue[[]string](t, s, "SELECT array_agg(id::text) FROM reports WHERE run_id = ?", run.ID)
		require.Len(t, reports, 1)
		report, err := s.Report(t.Context(), reports[0])
		require.NoError(t, err)
		require.Equal(t, "cleanup", report.Kind)
		require.Equal(t, run.ID, report.RunID)
		require.Equal(t, finished.StartedAt, report.PeriodStart)
		require.Equal(t, finished.FinishedAt, report.PeriodEnd)
		require.JSONEq(
			t,
			`{"trigger": "admin", "dry_run": false, "state": "completed", "errors": {}, "counts": {"old_messages": 1},
			"samples": {}, "older_than_seconds": null, "policies": `+everyPolicy(t)+`}`,
			string(report.Data),
		)
	})

	t.Run("a policy that failed makes the run failed", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		failures := map[watchparty.Policy]string{watchparty.PolicyRooms: "the database went away"}
		finished, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID, Failed: failures})
		require.NoError(t, err)
		require.Equal(t, watchparty.RunFailed, finished.State)
		stored, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, failures, stored.Errors)
		var data struct {
			State  watchparty.RunState
			Errors map[watchparty.Policy]string
		}
		text := readValue[string](t, s, "SELECT data::text FROM reports WHERE run_id = ?", run.ID)
		require.NoError(t, json.Unmarshal([]byte(text), &data))
		require.Equal(t, watchparty.RunFailed, data.State)
		require.Equal(t, failures, data.Errors)
	})

	t.Run("an ended run does not begin again", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		finished, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
		require.NoError(t, s.BeginRun(t.Context(), job.CleanupInput{RunID: run.ID, Policies: run.Policies}, run.WorkflowID))
		stored, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, finished, stored)
	})

	t.Run("parallel ends make one report", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID}) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM reports WHERE run_id = ?", run.ID))
	})

	t.Run("unknown", func(t *testing.T) {
		_, err := s.Run(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.Report(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: newID()})
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}

func TestListRunsAndReports(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	var runs []string
	for range 7 {
		run := newRun(t, s, admin, true)
		_, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
		runs = append([]string{run.ID}, runs...)
	}
	// Runs that were stored at one moment have an order too.
	execute(t, s, "UPDATE cleanup_runs SET created_at = (SELECT min(created_at) FROM cleanup_runs) WHERE id IN (?)",
		bun.List(runs[3:]))
	listRuns := func(p Page) ([]watchparty.CleanupRun, error) { return s.Runs(t.Context(), p) }
	listReports := func(p Page) ([]watchparty.Report, error) { return s.Reports(t.Context(), "", p) }

	for _, limit := range []int{1, 2, 3, 7, 50} {
		t.Run(fmt.Sprintf("%d a page", limit), func(t *testing.T) {
			require.Equal(t, runs, pagesBy(t, limit, listRuns, func(r watchparty.CleanupRun) string { return r.ID },
				func(r watchparty.CleanupRun) Keys { return Keys{r.CreatedAt, r.ID} }))
			about := pages(t, limit, listReports, func(r watchparty.Report) string { return r.ID })
			require.Len(t, about, len(runs))
			for i, id := range about {
				report, err := s.Report(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, runs[i], report.RunID)
			}
		})
	}
}

func TestCancelRun(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	for range 5 {
		postMessage(t, s, room, admin, "old")
	}
	soon := time.Now().Add(time.Hour)

	t.Run("stops between batches, and the report says what was done", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		applyPolicy(t, s, run.ID, watchparty.PolicyMessages, soon, 2)
		running, err := s.Run(t.Context(), run.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.PolicyMessages, running.Policy)
		for range 2 { // the second changes nothing
			cancelled, err := s.CancelRun(t.Context(), admin.ID, run.ID)
			require.NoError(t, err)
			require.Equal(t, watchparty.RunRunning, cancelled.State)
			require.False(t, cancelled.CancelledAt.IsZero())
		}
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM audit WHERE action = 'cleanup_cancelled'"))
		b, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, soon, 2, Cursor{})
		require.NoError(t, err)
		require.Zero(t, b)
		require.NoError(t, s.CountCleanup(t.Context(), run.ID, watchparty.PolicyRooms, soon))
		finished, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
		require.Equal(t, watchparty.RunCancelled, finished.State)
		require.Empty(t, finished.Policy)
		require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: 2}, finished.Counts)
		require.Equal(t, 3, countRows(t, s, "messages"))
		_, err = s.CancelRun(t.Context(), admin.ID, run.ID)
		require.ErrorIs(t, err, watchparty.ErrRunEnded)
	})

	// Whoever has been answered sees nothing more go.
	t.Run("waits for the batch", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		b := raiseBarrier(t, s, "DELETE", "messages")
		var wg sync.WaitGroup
		var errBatch, errCancel error
		wg.Go(func() {
			_, errBatch = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, soon, 1, Cursor{})
		})
		b.awaitStopped(t, 1, nil)
		wg.Go(func() { _, errCancel = s.CancelRun(t.Context(), admin.ID, run.ID) })
		b.awaitStopped(t, 2, nil)
		b.release(t)
		wg.Wait()
		require.NoError(t, errBatch)
		require.NoError(t, errCancel)
		require.EqualValues(t, 1, readRunCounts(t, s, run.ID)[watchparty.PolicyMessages])
		require.Equal(t, 2, countRows(t, s, "messages"))
	})

	t.Run("in Temporal", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		finished, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID, Cancelled: true})
		require.NoError(t, err)
		require.Equal(t, watchparty.RunCancelled, finished.State)
		require.Equal(t, finished.FinishedAt, finished.CancelledAt)
	})

	t.Run("a late attempt changes nothing after the end", func(t *testing.T) {
		run := newRun(t, s, admin, false)
		_, err := s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
		require.NoError(t, err)
		require.Zero(t, drainPolicy(t, s, run.ID, watchparty.PolicyMessages, soon))
		require.Equal(t, 2, countRows(t, s, "messages"))
	})

	_, err := s.CancelRun(t.Context(), admin.ID, newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}
