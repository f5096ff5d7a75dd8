package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"
)

const (
	// maxHistories is how many workflows of one type are replayed, the newest first.
	maxHistories = 2000
	// replays is how many are replayed at a time.
	replays = 4
)

// Histories is what a replay of running workflows has found.
type Histories struct {
	Replayed map[string]int // by type
	// Left says of which types more run than were replayed.
	Left []string
	// Broken has the reason for each workflow, by its ID, that this program cannot continue.
	Broken map[string]error
}

// CheckHistories replays the histories of the running workflows of the queues with the code of this program. A workflow
// that ends meanwhile is left out. It changes nothing.
func CheckHistories(ctx context.Context, c client.Client, namespace string, queues []string) (Histories, error) {
	return checkHistories(ctx, c, namespace, queues, workflowsOf)
}

func checkHistories(
	ctx context.Context, c client.Client, namespace string, queues []string, of func(queue string) map[string]any,
) (Histories, error) {
	found := Histories{Replayed: map[string]int{}, Broken: map[string]error{}}
	for _, queue := range queues {
		registered := of(queue)
		for _, name := range slices.Sorted(maps.Keys(registered)) {
			check := historyCheck{client: c, namespace: namespace, name: name, fn: registered[name]}
			if err := check.run(ctx, &found); err != nil {
				return Histories{}, fmt.Errorf("worker: histories of %s: %w", name, err)
			}
		}
	}
	return found, nil
}

// historyCheck replays workflows of one type.
type historyCheck struct {
	client    client.Client
	namespace string
	name      string
	fn        any
	mu        sync.Mutex
}

func (h *historyCheck) run(ctx context.Context, found *Histories) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(replays)
	listed := 0
	var token []byte
	for {
		page, err := h.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: h.namespace, NextPageToken: token,
			Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", h.name),
		})
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		for _, execution := range page.GetExecutions() {
			if listed == maxHistories {
				found.Left = append(found.Left, h.name)
				return g.Wait()
			}
			listed++
			id, run := execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()
			g.Go(func() error { return h.replay(ctx, id, run, found) })
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return g.Wait()
		}
	}
}

func (h *historyCheck) replay(ctx context.Context, id, run string, found *Histories) error {
	events := h.client.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var recorded history.History
	for events.HasNext() {
		event, err := events.Next()
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			return nil // retention has removed it meanwhile
		}
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", id, err)
		}
		recorded.Events = append(recorded.Events, event)
	}
	replayer := worker.NewWorkflowReplayer()
	registerWorkflow(replayer, h.name, h.fn)
	err := replayer.ReplayWorkflowHistory(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)), &recorded)
	h.mu.Lock()
	defer h.mu.Unlock()
	found.Replayed[h.name]++
	if err != nil {
		found.Broken[id] = err
	}
	return nil
}
