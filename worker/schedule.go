package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/workflows/job"
)

// Windows: after an outage, a schedule starts the runs that it has missed within its window. One clean-up makes up for
// all missed ones. Each missed report is of another period, so that all of them are made, one after the other.
const (
	cleanupWindow = 12 * time.Hour
	reportWindow  = 30 * 24 * time.Hour
)

const scheduleJitter = time.Minute

// compareInterval is the pause between two comparisons of the schedules with this worker's settings.
const compareInterval = time.Minute

// schedule is one of the schedules that workers keep in Temporal. Its runs have no timeout: one that waits, because an
// admin has paused the queue or no worker is there, continues afterwards. The states of rows end by time nevertheless
// (store.EndOverdue).
type schedule struct {
	id       string
	setting  string // the variable that cron comes from
	cron     string // or config.OffSchedule
	settings map[string]string
	action   client.ScheduleWorkflowAction
	policies client.SchedulePolicies
}

// findPause returns whether an admin has paused a schedule, and the admin's note: store.SchedulePause.
type findPause func(ctx context.Context, schedule string) (note string, paused bool, err error)

func schedules(c config.Config) []schedule {
	report := func(id, setting, cron string, every watchparty.ReportPeriod) schedule {
		return schedule{
			id: id, setting: setting, cron: cron,
			settings: map[string]string{setting: cron, "REPORT_LANGUAGE": string(c.Report.Language)},
			action: client.ScheduleWorkflowAction{
				ID:            "activity-report/" + string(every),
				Workflow:      job.WorkflowActivityReport,
				Args:          []any{job.ReportInput{Every: every}},
				StaticSummary: reportSummary(every),
			},
			policies: client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL, CatchupWindow: reportWindow},
		}
	}
	return []schedule{
		{
			id: job.ScheduleCleanup, setting: "CLEANUP_SCHEDULE", cron: c.Cleanup.Schedule, settings: config.Values(c.Cleanup),
			action: client.ScheduleWorkflowAction{
				ID:            "cleanup/scheduled",
				Workflow:      job.WorkflowCleanup,
				Args:          []any{job.CleanupInput{}},
				StaticSummary: "Clean-up by schedule",
			},
			policies: client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: cleanupWindow},
		},
		report(job.ScheduleWeeklyReport, "REPORT_WEEKLY_SCHEDULE", c.Report.Weekly, watchparty.ReportWeek),
		report(job.ScheduleMonthlyReport, "REPORT_MONTHLY_SCHEDULE", c.Report.Monthly, watchparty.ReportMonth),
	}
}

// keepSchedules creates the schedules, or updates them to the settings. A schedule whose setting is off is paused with
// a note. A pause by an admin stays, even when Temporal has lost the schedule. Any number of workers may do this at the
// same time.
func keepSchedules(ctx context.Context, d Deps) error {
	for _, s := range schedules(d.Config) {
		for {
			err := keepSchedule(ctx, d, s)
			if err == nil {
				break
			}
			d.Log.WarnContext(ctx, "schedule not kept; trying again", slog.String("schedule", s.id), slog.Any("error", err))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(retryStart):
			}
		}
	}
	return nil
}

func keepSchedule(ctx context.Context, d Deps, s schedule) error {
	former, err := s.upsert(ctx, d.Client.ScheduleClient(), d.Cleanup.Store.SchedulePause)
	if changes := s.changes(former); err == nil && len(changes) > 0 {
		d.Log.WarnContext(
			ctx, "schedule takes this worker's settings", slog.String("schedule", s.id), slog.Any("changes", changes),
		)
	}
	return err
}

// watchSchedules logs when a schedule has the settings of another worker: the worker that started last sets them. It
// creates schedules again that Temporal has lost. It also pauses schedules again that an admin has paused: an update by
// a worker that has just started may have undone the pause, since Temporal's SDK does not notice a change in between.
// It ends with ctx.
func watchSchedules(ctx context.Context, d Deps) {
	tick := time.NewTicker(compareInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range schedules(d.Config) {
			if err := watchSchedule(ctx, d, s); err != nil && ctx.Err() == nil {
				d.Log.WarnContext(ctx, "schedule not compared", slog.String("schedule", s.id), slog.Any("error", err))
			}
		}
	}
}

func watchSchedule(ctx context.Context, d Deps, s schedule) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found, err := d.Client.ScheduleClient().GetHandle(ctx, s.id).Describe(ctx)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return keepSchedule(ctx, d, s)
	}
	if err != nil {
		return fmt.Errorf("worker: describe the schedule: %w", err)
	}
	note, held, err := d.Cleanup.Store.SchedulePause(ctx, s.id)
	if err != nil {
		return err
	}
	if held && !found.Schedule.State.Paused {
		d.Log.WarnContext(ctx, "schedule is paused again, as an admin has decided", slog.String("schedule", s.id))
		err := d.Client.ScheduleClient().GetHandle(ctx, s.id).Pause(ctx, client.SchedulePauseOptions{Note: note})
		if err != nil {
			return fmt.Errorf("worker: pause the schedule: %w", err)
		}
	}
	if changes := s.changes(settingsOf(found.Schedule)); len(changes) > 0 {
		d.Log.WarnContext(ctx, "schedule has another worker's settings; workers should have the same",
			slog.String("schedule", s.id), slog.Any("changes", changes))
	}
	return nil
}

// changes lists the differences between the schedule's settings and former ones. It is empty if those are not known.
func (s schedule) changes(former map[string]string) []string {
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		if before, known := former[name]; known && before != s.settings[name] {
			changes = append(changes, fmt.Sprintf("%s: %s in the schedule, %s here", name, before, s.settings[name]))
		}
	}
	return changes
}

// offNote is the note of a schedule that is paused because its setting is off.
func (s schedule) offNote() string { return "Paused because " + s.setting + " is off." }

// upsert creates or updates the schedule, and returns the settings that it had before.
func (s schedule) upsert(
	ctx context.Context, c client.ScheduleClient, find findPause,
) (former map[string]string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	note, held, err := find(ctx, s.id)
	if err != nil {
		return nil, err
	}
	if !held {
		note = s.offNote()
	}
	paused := held || s.off()
	_, err = c.Create(ctx, s.options(paused, note))
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil, fmt.Errorf("worker: make the schedule: %w", err)
	}
	err = c.GetHandle(ctx, s.id).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			former = settingsOf(in.Description.Schedule)
			return s.update(in.Description.Schedule, paused, note), nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("worker: update the schedule: %w", err)
	}
	return former, nil
}

// off reports whether the setting switches the schedule off.
func (s schedule) off() bool { return s.cron == config.OffSchedule }

// options returns the options that create the schedule.
func (s schedule) options(paused bool, note string) client.ScheduleOptions {
	options := client.ScheduleOptions{
		ID: s.id, Spec: s.spec(), Action: s.startAction(), Overlap: s.policies.Overlap,
		CatchupWindow: s.policies.CatchupWindow,
	}
	if paused {
		options.Paused, options.Note = true, note
	}
	return options
}

// update returns the update of a schedule that exists.
func (s schedule) update(existing client.Schedule, paused bool, note string) *client.ScheduleUpdate {
	existing.Action, existing.Policy = s.startAction(), &s.policies
	if !s.off() {
		spec := s.spec()
		existing.Spec = &spec
	}
	// A pause with another note is an admin's, or from Temporal's own UI: it stays.
	if state := existing.State; !state.Paused || state.Note == s.offNote() {
		if paused {
			state.Paused, state.Note = true, note
		} else if state.Paused {
			state.Paused, state.Note = false, ""
		}
	}
	return &client.ScheduleUpdate{Schedule: &existing}
}

// spec returns the times of the schedule. A schedule that is off has those of the default, because an admin may resume
// it nevertheless.
func (s schedule) spec() client.ScheduleSpec {
	cron := s.cron
	if s.off() {
		cron = config.Default(s.setting)
	}
	return client.ScheduleSpec{CronExpressions: []string{cron}, Jitter: scheduleJitter}
}

// startAction returns the action that starts the workflow, with the settings of this worker in its memo.
func (s schedule) startAction() *client.ScheduleWorkflowAction {
	action := s.action
	action.TaskQueue = job.TaskQueueMaintenance
	action.Memo = map[string]any{}
	for name, value := range s.settings {
		action.Memo[name] = value
	}
	return &action
}

// settingsOf returns the settings of the worker that has made or updated the schedule.
func settingsOf(s client.Schedule) map[string]string {
	settings := map[string]string{}
	action, ok := s.Action.(*client.ScheduleWorkflowAction)
	if !ok {
		return settings
	}
	for name, value := range action.Memo {
		payload, ok := value.(*common.Payload)
		var text string
		if ok && converter.GetDefaultDataConverter().FromPayload(payload, &text) == nil {
			settings[name] = text
		}
	}
	return settings
}

func reportSummary(every watchparty.ReportPeriod) string {
	return "Activity report of a " + string(every)
}
