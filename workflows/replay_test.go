package workflows_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// TestReplay runs today's workflows over histories of earlier ones. When it fails, workflows that are running now
// would break: use workflow.GetVersion. With -update it first records those that there is no file of yet.
func TestReplay(t *testing.T) {
	if *update {
		record(t)
	}
	for name, saved := range histories(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, replay(t, saved.path, registered))
		})
	}
}

func replay(t *testing.T, path string, registered map[string]any) error {
	t.Helper()
	replayer := worker.NewWorkflowReplayer()
	for name, fn := range registered {
		replayer.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	return replayer.ReplayWorkflowHistoryFromJSONFile(temporallog.NewStructuredLogger(discard), path)
}

// saved is a history as it is kept.
type saved struct {
	path   string
	bytes  []byte
	events []*history.HistoryEvent
}

func (s saved) started() *history.WorkflowExecutionStartedEventAttributes {
	return s.events[0].GetWorkflowExecutionStartedEventAttributes()
}

// scheduled are the activities of that name, in order.
func (s saved) scheduled(name string) []*history.HistoryEvent {
	var found []*history.HistoryEvent
	for _, event := range s.events {
		if event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == name {
			found = append(found, event)
		}
	}
	return found
}

func histories(t *testing.T) map[string]saved {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "no saved histories: go test ./workflows -run TestReplay -update")
	all := map[string]saved{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		decoded, err := client.HistoryFromJSON(bytes.NewReader(content), client.HistoryJSONOptions{})
		require.NoError(t, err, path)
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = saved{path, content, decoded.Events}
	}
	return all
}

func TestEveryWorkflowHasHistories(t *testing.T) {
	recorded := map[string]bool{}
	for _, saved := range histories(t) {
		recorded[saved.started().GetWorkflowType().GetName()] = true
	}
	for name := range registered {
		require.Contains(t, recorded, name,
			"this workflow has no history: add a run to recordings, then go test ./workflows -run TestReplay -update")
	}
	for name := range recorded {
		require.Contains(t, registered, name, "this history is of no workflow that there is")
	}
	for _, name := range exportedWorkflows(t) {
		require.Contains(
			t, registered, name, "add this workflow to registered in main_test.go, and a run to recordings in record_test.go",
		)
	}
}

// exportedWorkflows are the functions of this package that take a workflow.Context first.
func exportedWorkflows(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			fn, ok := declaration.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Recv != nil || fn.Type.Params.NumFields() == 0 {
				continue
			}
			first, ok := fn.Type.Params.List[0].Type.(*ast.SelectorExpr)
			if ok && first.Sel.Name == "Context" && first.X.(*ast.Ident).Name == "workflow" {
				names = append(names, fn.Name.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

func TestReplayNoticesAnotherOrder(t *testing.T) {
	publishFirst := func(ctx workflow.Context, in job.AvatarInput) (job.AvatarResult, error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 1})
		for _, name := range []string{job.ActivityPublishAvatar, job.ActivityRenderAvatar, job.ActivityRemoveFormerAvatar} {
			if err := workflow.ExecuteActivity(ctx, name, in).Get(ctx, nil); err != nil {
				return job.AvatarResult{}, err
			}
		}
		return job.AvatarResult{}, nil
	}
	err := replay(t, histories(t)["avatar-ready"].path, map[string]any{job.WorkflowProcessAvatar: publishFirst})
	require.ErrorContains(t, err, "nondeterministic")
}

// tokenLike is what a one-time token, a refresh token or an access token looks like; an identifier is shorter.
var tokenLike = regexp.MustCompile(`[0-9A-Za-z_-]{40,}`)

// Operators see histories: no address, no name, no token, no machine.
func TestHistoriesHoldNothingPersonal(t *testing.T) {
	for name, saved := range histories(t) {
		for _, word := range []string{"@", ".test", ".go:", "goroutine"} {
			requireWithout(t, name, saved.bytes, word)
		}
		for _, payload := range payloads(t, saved) {
			for _, word := range []string{"@", "http", "bearer", "token", "password", "display", "username", "subject", "body"} {
				requireWithout(t, name, payload, word)
			}
			require.NotRegexp(t, tokenLike, string(payload), name)
		}
		for _, event := range saved.events {
			if queue := event.GetWorkflowTaskScheduledEventAttributes().
				GetTaskQueue(); queue.GetKind() == enums.TASK_QUEUE_KIND_STICKY {
				require.Equal(t, stickyQueue, queue.GetName(), name)
			}
		}
	}
}

func requireWithout(t *testing.T, name string, content []byte, word string) {
	t.Helper()
	at := strings.Index(strings.ToLower(string(content)), word)
	require.Negative(t, at, "%s holds %q at byte %d", name, word, at)
}

// payloads are all inputs, results, details and summaries, decoded from what the file may hold as base64.
func payloads(t *testing.T, s saved) (all [][]byte) {
	t.Helper()
	err := proxy.VisitPayloads(t.Context(), &history.History{Events: s.events}, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, found []*common.Payload) ([]*common.Payload, error) {
			for _, payload := range found {
				all = append(all, payload.Data)
			}
			return found, nil
		},
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func TestHistoriesReadWell(t *testing.T) {
	for name, saved := range histories(t) {
		for _, event := range saved.events {
			if event.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED {
				require.NotEmpty(
					t, event.GetUserMetadata().GetSummary().GetData(), "%s: event %d has no summary", name, event.EventId,
				)
			}
		}
	}
}

// The test environment of the SDK knows neither of what follows, so a real server has to show it.

func TestScheduledRunTakesItsExecutionsID(t *testing.T) {
	saved := histories(t)["cleanup-by-schedule"]
	want := saved.started().GetFirstExecutionRunId()
	require.NotEmpty(t, want)
	for _, name := range []string{job.ActivityBeginCleanup, job.ActivityApplyPolicy, job.ActivityFinishCleanup} {
		scheduled := saved.scheduled(name)
		require.NotEmpty(t, scheduled, name)
		for _, event := range scheduled {
			var in struct {
				RunID string `json:"run_id"`
			}
			data := event.GetActivityTaskScheduledEventAttributes().Input.Payloads[0].Data
			require.NoError(t, json.Unmarshal(data, &in))
			require.Equal(t, want, in.RunID, name)
		}
	}
}

func TestServerLeavesCrashesToTheWorkflow(t *testing.T) {
	all := histories(t)
	for _, name := range []string{"avatar-crashed", "avatar-crashed-with-pauses"} {
		t.Run(name, func(t *testing.T) { requireFiveCrashes(t, all[name]) })
	}
}

func requireFiveCrashes(t *testing.T, saved saved) {
	t.Helper()
	require.Len(t, saved.scheduled(job.ActivityRenderAvatar), 5)
	timeouts := 0
	for _, event := range saved.events {
		if timeout := event.GetActivityTaskTimedOutEventAttributes(); timeout != nil {
			timeouts++
			require.Equal(t, enums.TIMEOUT_TYPE_HEARTBEAT, timeout.Failure.GetTimeoutFailureInfo().TimeoutType)
			require.Equal(t, enums.RETRY_STATE_NON_RETRYABLE_FAILURE, timeout.RetryState)
		}
	}
	require.Equal(t, 5, timeouts)
	require.Len(t, saved.scheduled(job.ActivityFailAvatar), 1)
	require.Len(t, saved.scheduled(job.ActivityRemoveAvatarFiles), 1)
	require.Equal(t, enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, saved.events[len(saved.events)-1].EventType)
}
