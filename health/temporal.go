package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// PollerAge is the longest time since the last poll of a running worker. A poll ends within a minute.
	PollerAge = 90 * time.Second
	// lateness is how long after its time a schedule may start its run: the jitter, and time for a busy server.
	lateness = 5 * time.Minute
)

// CheckNamespace checks the namespace: without it Temporal answers, but takes no work.
func CheckNamespace(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		return Trouble{What: "namespace is missing", Err: fmt.Errorf("TEMPORAL_NAMESPACE %q does not exist", namespace)}
	}
	if err != nil {
		return fmt.Errorf("describe the namespace: %w", err)
	}
	return nil
}

// polled is a task queue and the kind of tasks that somebody has to poll there.
type polled struct {
	queue string
	kind  enums.TaskQueueType
}

// polledQueues returns the queues that workers poll, and those that an admin has paused. Nobody polls for the
// activities of a paused queue.
func polledQueues(pauses map[string]watchparty.QueuePause) (queues []polled, paused []string) {
	queues = []polled{{job.TaskQueueAvatarSteps, enums.TASK_QUEUE_TYPE_ACTIVITY}}
	for _, queue := range job.ServableTaskQueues() {
		queues = append(queues, polled{queue, enums.TASK_QUEUE_TYPE_WORKFLOW})
		if _, ok := pauses[queue]; ok {
			paused = append(paused, queue)
			continue
		}
		queues = append(queues, polled{queue, enums.TASK_QUEUE_TYPE_ACTIVITY})
	}
	return queues, paused
}

// CheckWorkers checks that a worker polls each task queue, and names those without one. It returns Paused if only the
// activities of paused queues have none. readPauses is store.Store's QueuePauses.
func CheckWorkers(
	ctx context.Context, c client.Client, readPauses func(context.Context) (map[string]watchparty.QueuePause, error),
) error {
	pauses, err := readPauses(ctx)
	if err != nil {
		return err
	}
	queues, paused := polledQueues(pauses)
	missing := make([]bool, len(queues))
	g, ctx := errgroup.WithContext(ctx)
	for i, p := range queues {
		g.Go(func() error {
			described, err := c.DescribeTaskQueue(ctx, p.queue, p.kind)
			if err != nil {
				return fmt.Errorf("describe task queue %s: %w", p.queue, err)
			}
			missing[i] = !polls(described.GetPollers(), store.Now())
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if names := unpolled(queues, missing); len(names) > 0 {
		return Trouble{What: "no worker for " + strings.Join(names, ", ")}
	}
	if len(paused) > 0 {
		return Paused{What: paused}
	}
	return nil
}

// unpolled names the queues that are missing a worker. One whose workers decide only is named with what they lack.
func unpolled(queues []polled, missing []bool) (names []string) {
	lacking := map[string]bool{} // queues that have no worker at all
	for i, p := range queues {
		switch {
		case !missing[i]:
		case p.kind == enums.TASK_QUEUE_TYPE_ACTIVITY && lacking[p.queue]:
		case p.kind == enums.TASK_QUEUE_TYPE_ACTIVITY && p.queue != job.TaskQueueAvatarSteps:
			names = append(names, p.queue+" (activities)")
		default:
			lacking[p.queue] = true
			names = append(names, p.queue)
		}
	}
	return names
}

// polls reports whether somebody has polled a moment ago.
func polls(pollers []*taskqueue.PollerInfo, now time.Time) bool {
	for _, p := range pollers {
		if now.Sub(p.GetLastAccessTime().AsTime()) < PollerAge {
			return true
		}
	}
	return false
}

func present(texts []string) (found []string) {
	for _, text := range texts {
		if text != "" {
			found = append(found, text)
		}
	}
	return found
}

// SchedulePauses returns the pauses of a schedule's work by admins that lasted at that time or later.
type SchedulePauses func(ctx context.Context, schedule string, since time.Time) ([]watchparty.SchedulePause, error)

// CheckSchedules checks that each schedule exists and has run when it should have, and names the others. A schedule
// that is paused is as somebody wants it, and so is a run that was due during a pause. It returns Paused if nothing is
// wrong and an admin has paused schedules. pauses is store.Store's SchedulePauses. While the database is down, the
// check does not look for skipped runs, and does not know who has paused a schedule.
func CheckSchedules(
	ctx context.Context,
	c client.Client,
	namespace string,
	pauses SchedulePauses,
	now time.Time,
) error {
	return scheduleCheck{c, namespace, pauses, now, lateness}.run(ctx)
}

// scheduleCheck checks all schedules.
type scheduleCheck struct {
	client    client.Client
	namespace string
	pauses    SchedulePauses
	now       time.Time
	slack     time.Duration // the age from which a run that was due counts as skipped
}

func (s scheduleCheck) run(ctx context.Context) error {
	ids := job.ScheduleIDs()
	wrong, paused := make([]string, len(ids)), make([]string, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range ids {
		g.Go(func() error {
			fault, isPaused, err := s.check(ctx, id)
			if fault != "" {
				wrong[i] = id + " " + fault
			}
			if isPaused {
				paused[i] = id
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if names := present(wrong); len(names) > 0 {
		return Trouble{What: strings.Join(names, ", ")}
	}
	if names := present(paused); len(names) > 0 {
		return Paused{What: names}
	}
	return nil
}

// check returns what is wrong with a schedule, and whether an admin has paused it.
func (s scheduleCheck) check(ctx context.Context, id string) (fault string, paused bool, err error) {
	described, err := s.client.ScheduleClient().GetHandle(ctx, id).Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return "is missing", false, nil
	case err != nil:
		return "", false, fmt.Errorf("describe schedule %s: %w", id, err)
	case !isPaused(described) && late(described, s.now):
		return "is late", false, nil
	}
	begin := begun(described)
	pauses, err := s.pauses(ctx, id, begin)
	if store.Unavailable(err) || errors.Is(err, watchparty.ErrBusy) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if isPaused(described) {
		return "", slices.ContainsFunc(pauses, watchparty.SchedulePause.Holds), nil
	}
	skipped, err := s.skips(ctx, id, begin, pauses)
	if skipped {
		fault = "has skipped a run"
	}
	return fault, false, err
}

// late reports whether a run that was due has not been started. Temporal moves the next time on when it starts a run,
// or decides to skip one; so a next time in the past means that nobody has decided.
func late(d *client.ScheduleDescription, now time.Time) bool {
	next := d.Info.NextActionTimes
	return len(next) == 0 || now.Sub(next[0]) > lateness
}

func isPaused(d *client.ScheduleDescription) bool {
	return d.Schedule.State != nil && d.Schedule.State.Paused
}

// begun returns the time from which on runs can be missing: the latest run, or the last time that a worker set the
// schedule, which may have changed its times.
func begun(d *client.ScheduleDescription) time.Time {
	since := d.Info.CreatedAt
	for _, at := range append(runTimes(d), d.Info.LastUpdateAt) {
		if at.After(since) {
			since = at
		}
	}
	return since
}

// skips reports whether a run was due that Temporal did not start: the former run was still in progress, or Temporal
// was down for longer than the schedule's window. Runs that were due during a pause do not count. The slack is more
// than the jitter.
func (s scheduleCheck) skips(
	ctx context.Context, id string, since time.Time, pauses []watchparty.SchedulePause,
) (bool, error) {
	since, before := since.Add(s.slack), s.now.Add(-s.slack)
	if !since.Before(before) {
		return false, nil
	}
	due, err := s.client.WorkflowService().
		ListScheduleMatchingTimes(ctx, &workflowservice.ListScheduleMatchingTimesRequest{
			Namespace: s.namespace, ScheduleId: id, StartTime: timestamppb.New(since), EndTime: timestamppb.New(before),
		})
	if err != nil {
		return false, fmt.Errorf("list the runs of schedule %s: %w", id, err)
	}
	for _, at := range due.GetStartTime() {
		excused := func(p watchparty.SchedulePause) bool { return p.Covers(at.AsTime(), s.slack) }
		if !slices.ContainsFunc(pauses, excused) {
			return true, nil
		}
	}
	return false, nil
}

// runTimes are when the latest runs were due, or triggered by hand.
func runTimes(d *client.ScheduleDescription) (times []time.Time) {
	for _, run := range d.Info.RecentActions {
		times = append(times, run.ScheduleTime)
	}
	return times
}
