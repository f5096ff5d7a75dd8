package worker

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestConcurrency(t *testing.T) {
	require.Equal(t, runtime.NumCPU(), RenderConcurrency(config.Avatar{}))
	require.Equal(t, 3, RenderConcurrency(config.Avatar{Concurrency: 3}))
}

func TestRunRefusesAnUnknownQueue(t *testing.T) {
	p := newWorkerFixture(t, "127.0.0.1", 1)
	err := p.startWorker(t, job.TaskQueueEmail, "emial").awaitEnd(t)
	require.ErrorContains(t, err, `unknown task queue emial`)
}

func TestRunWorks(t *testing.T) {
	p := newWorkerFixture(t, stacktest.SMTPHost(), stacktest.SMTPPort())
	for _, id := range job.ScheduleIDs() {
		deleteSchedule(t, p.client, id)
	}
	user, emailID := p.createUser(uniqueName("alice"))
	r := p.startWorker(t, job.ServableTaskQueues()...)
	p.wait(t, logRuns)

	t.Run("emails", func(t *testing.T) {
		start := outbox.Temporal(p.client)
		event := job.ResendEvent(emailID)
		require.NoError(t, start(t.Context(), event))
		require.NoError(t, start(t.Context(), event), "started already is started")
		var result job.EmailResult
		p.requireResult(event.WorkflowID, "", &result)
		require.Equal(t, watchparty.EmailSent, result.State)
		require.Equal(t, 1, countReceived(t, user.Email))
		requireNothingPersonal(t, p.client, event.WorkflowID, user)
	})

	t.Run("avatars", func(t *testing.T) {
		version, err := p.store.NextAvatarVersion(t.Context(), user.ID)
		require.NoError(t, err)
		upload := watchparty.Avatar{UserID: user.ID, Version: version}
		var picture bytes.Buffer
		require.NoError(t, png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 200, 200))))
		require.NoError(t, p.bucket.WriteAll(t.Context(), upload.OriginalObject(), picture.Bytes(), nil))
		_, err = p.store.CreateAvatar(t.Context(), user.ID, version)
		require.NoError(t, err)

		event := job.AvatarEvent(job.AvatarInput{UserID: user.ID, Version: version})
		require.NoError(t, outbox.Temporal(p.client)(t.Context(), event))
		var result job.AvatarResult
		p.requireResult(event.WorkflowID, "", &result)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarReady}, result)
		for name, want := range map[string]bool{
			upload.Object(watchparty.ThumbnailFile): true, upload.Object(watchparty.MediumFile): true, upload.Object(watchparty.JPEGFile): false,
			upload.Object(watchparty.PNGFile): true, upload.OriginalObject(): false,
		} {
			exists, err := p.bucket.Exists(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, want, exists, name)
		}
		value, err := p.client.QueryWorkflow(t.Context(), event.WorkflowID, "", job.QueryProgress)
		require.NoError(t, err)
		var progress job.AvatarProgress
		require.NoError(t, value.Get(&progress))
		require.Equal(t, job.AvatarProgress{Step: watchparty.AvatarDone}, progress)
		requireNothingPersonal(t, p.client, event.WorkflowID, user)
	})

	t.Run("clean-up by the schedule", func(t *testing.T) {
		schedule := p.client.ScheduleClient().GetHandle(t.Context(), job.ScheduleCleanup)
		require.NoError(t, schedule.Trigger(t.Context(), client.ScheduleTriggerOptions{}))
		started := firstAction(t, schedule)
		var result job.CleanupResult
		p.requireResult(started.WorkflowID, started.FirstExecutionRunID, &result)
		require.Equal(t, started.FirstExecutionRunID, result.RunID)
		require.Empty(t, result.Failed)
		run, err := p.store.Run(t.Context(), result.RunID)
		require.NoError(t, err)
		require.Equal(t, watchparty.RunCompleted, run.State)
		require.Equal(t, watchparty.TriggerSchedule, run.Trigger)
		require.Equal(t, started.WorkflowID, run.WorkflowID)
	})

	t.Run("a report of the week before the one that a schedule is told to make up for", func(t *testing.T) {
		schedule := p.client.ScheduleClient().GetHandle(t.Context(), job.ScheduleWeeklyReport)
		monday, _ := watchparty.ReportWeek.Last(time.Now().AddDate(0, 0, -21))
		end := monday.Add(3).Time()
		require.NoError(t, schedule.Backfill(t.Context(), client.ScheduleBackfillOptions{
			Backfill: []client.ScheduleBackfill{
				{Start: end.AddDate(0, 0, -7), End: end, Overlap: enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
			},
		}))
		started := firstAction(t, schedule)
		var result job.ReportResult
		p.requireResult(started.WorkflowID, started.FirstExecutionRunID, &result)
		report, err := p.store.ActivityReport(t.Context(), result.ReportID)
		require.NoError(t, err)
		require.Equal(t, [2]watchparty.Day{monday.Add(-7), monday.Add(-1)}, [2]watchparty.Day{report.From, report.To})
		require.Len(t, report.Days, 7)
		require.Equal(t, 1, result.Emails)
	})

	r.stop()
	require.NoError(t, r.awaitEnd(t))
}

// firstAction waits for what a schedule has started.
func firstAction(t *testing.T, schedule client.ScheduleHandle) *client.ScheduleWorkflowExecution {
	t.Helper()
	var started *client.ScheduleWorkflowExecution
	require.Eventually(t, func() bool {
		description, err := schedule.Describe(t.Context())
		if err != nil || len(description.Info.RecentActions) == 0 {
			return false
		}
		started = description.Info.RecentActions[0].StartWorkflowResult
		return true
	}, patience, 20*time.Millisecond)
	return started
}

// countReceived is how many emails the inbox has for an address.
func countReceived(t *testing.T, address string) (n int) {
	t.Helper()
	require.NotEmpty(t, stacktest.InboxURL(), "with SMTP_HOST, INBOX_URL has to be set too")
	r, err := http.NewRequestWithContext(
		t.Context(), http.MethodGet, stacktest.InboxURL()+"/api/v1/messages?limit=1000", nil,
	)
	require.NoError(t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read to its end
	var list struct {
		Messages []struct{ To []struct{ Address string } }
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	for _, m := range list.Messages {
		if len(m.To) == 1 && m.To[0].Address == address {
			n++
		}
	}
	return n
}

// requireNothingPersonal looks through what operators see of a workflow.
func requireNothingPersonal(t *testing.T, c client.Client, workflowID string, user watchparty.User) {
	t.Helper()
	seen := &history.History{}
	for events := c.GetWorkflowHistory(t.Context(), workflowID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		require.NoError(t, err)
		seen.Events = append(seen.Events, event)
	}
	require.NotEmpty(t, seen.Events)
	text := strings.ToLower(seen.String())
	require.Contains(t, text, workflowID)
	for _, word := range []string{user.Email, user.Username, user.DisplayName, "@"} {
		require.False(t, strings.Contains(text, strings.ToLower(word)), "the history of %s holds %q", workflowID, word)
	}
}

func TestRunLetsActivitiesFinish(t *testing.T) {
	smtp := serveSlowly(t)
	p := newWorkerFixture(t, "127.0.0.1", smtp.Port)
	_, emailID := p.createUser("bob")
	r := p.startWorker(t, job.TaskQueueEmail)
	p.wait(t, logRuns)
	started := p.startEmail(emailID)
	<-smtp.reached
	p.requireEmail(emailID, watchparty.EmailSending)

	r.stop()
	smtp.release()
	require.NoError(t, r.awaitEnd(t))
	p.requireEmail(emailID, watchparty.EmailSent)

	// Its result has reached Temporal too: another worker ends the workflow without sending anything.
	p.startWorker(t, job.TaskQueueEmail)
	p.requireResult(started.GetID(), started.GetRunID(), nil)
	row, err := p.store.Email(t.Context(), emailID)
	require.NoError(t, err)
	require.Equal(t, 1, row.Attempts)
}

// Each queue waits for its activities, but not one queue after the other.
func TestRunStopsQueuesTogether(t *testing.T) {
	smtp := serveSlowly(t)
	p := newWorkerFixture(t, "127.0.0.1", smtp.Port)
	const timeout = 4 * time.Second
	p.Config.Worker.StopTimeout = timeout
	user, emailID := p.createUser("carol")
	lock, err := p.store.DB().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer lock.Rollback() //nolint:errcheck // its connection ends with the store's
	_, err = lock.ExecContext(t.Context(), "LOCK TABLE cleanup_runs")
	require.NoError(t, err)

	r := p.startWorker(t, job.TaskQueueEmail, job.TaskQueueMaintenance)
	p.wait(t, logRuns)
	mailing := p.startEmail(emailID)
	<-smtp.reached
	cleaning, err := p.client.ExecuteWorkflow(
		t.Context(),
		client.StartWorkflowOptions{
			ID:        job.CleanupID(user.ID),
			TaskQueue: job.TaskQueueMaintenance,
		},
		job.WorkflowCleanup,
		job.CleanupInput{},
	)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		var waiting int
		err := lock.NewRaw("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'cleanup_runs'::regclass").
			Scan(t.Context(), &waiting)
		return err == nil && waiting == 1
	}, patience, 10*time.Millisecond)

	stopped := time.Now()
	r.stop()
	require.NoError(t, r.awaitEnd(t))
	took := time.Since(stopped)
	require.GreaterOrEqual(t, took, timeout-500*time.Millisecond)
	require.Less(t, took, 2*timeout, "one after the other would take as long")
	for _, unfinished := range []client.WorkflowRun{mailing, cleaning} {
		require.NoError(
			t, p.client.TerminateWorkflow(t.Context(), unfinished.GetID(), unfinished.GetRunID(), "the test ends"),
		)
	}
}

func TestRunWaitsForTemporal(t *testing.T) {
	stack := stacktest.New(t, devstack.Temporal)
	require.NoError(t, stack.Stop(devstack.Temporal))
	p := newWorkerFixture(t, "127.0.0.1", 1)
	p.Client = dialTemporal(t, stack.TemporalAddress())

	t.Run("until it is told to stop", func(t *testing.T) {
		p.resetSignals()
		r := p.startWorker(t, job.ServableTaskQueues()...)
		p.wait(t, logWaits)
		r.stop()
		require.NoError(t, r.awaitEnd(t))
	})

	t.Run("until it is there", func(t *testing.T) {
		p.resetSignals()
		r := p.startWorker(t, job.ServableTaskQueues()...)
		p.wait(t, logWaits)
		require.NoError(t, stack.Restart(t.Context(), devstack.Temporal))
		p.wait(t, logRuns)
		_, err := p.Client.ScheduleClient().GetHandle(t.Context(), job.ScheduleCleanup).Describe(t.Context())
		require.NoError(t, err)
		r.stop()
		require.NoError(t, r.awaitEnd(t))
	})
}
