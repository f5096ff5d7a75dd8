package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Temporal))
}

// patience is for what takes milliseconds on an idle machine. Lists of the development server are a second behind.
const patience = 2 * time.Minute

// jobsFixture is the jobs of a real Temporal, with a task queue of the test's own.
type jobsFixture struct {
	*Jobs
	t      *testing.T
	client client.Client
	queue  string
	user   string // all jobs of the test are about this account
}

var registered sync.Once

// awaitAttributes waits until workflows can begin with the search attributes, which Temporal knows a moment after they
// were registered.
func awaitAttributes(t *testing.T, c client.Client) {
	t.Helper()
	options := client.StartWorkflowOptions{
		ID: "probe/" + uuid.NewString(), TaskQueue: "probe",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(job.AttributeUser).ValueSet("nobody"),
			temporal.NewSearchAttributeKeyKeyword(job.AttributeRoom).ValueSet("none"),
		),
	}
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		_, err := c.ExecuteWorkflow(t.Context(), options, "Probe")
		require.NoError(collect, err)
	}, patience, 20*time.Millisecond)
}

func newJobsFixture(t *testing.T) *jobsFixture {
	t.Helper()
	b := newJobsFixtureAt(t, stacktest.TemporalAddress())
	registered.Do(b.register)
	return b
}

// newJobsFixtureAt returns the jobs of the Temporal at an address, which has no search attributes yet.
func newJobsFixtureAt(t *testing.T, address string) *jobsFixture {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{
		HostPort: address, Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &jobsFixture{
		Jobs: New(c, "default", noPauses), t: t, client: c, queue: "test-" + uuid.NewString(), user: uuid.NewString(),
	}
}

// register registers the search attributes.
func (b *jobsFixture) register() {
	b.t.Helper()
	RegisterSearchAttributes(b.t.Context(), b.client, "default", slog.New(slog.DiscardHandler))
	awaitAttributes(b.t, b.client)
}

// noPauses is for jobs of queues that no admin has paused.
func noPauses(context.Context) (map[string]watchparty.QueuePause, error) { return nil, nil }

// start starts a job as the outbox does, and waits until Temporal's lists have it.
func (b *jobsFixture) start(kind, room string) string {
	b.t.Helper()
	id := "test/" + uuid.NewString()
	event := job.Event{WorkflowID: id, Workflow: kind, TaskQueue: b.queue, Summary: "A test", Input: job.EmailInput{}}
	start := outbox.Temporal(b.client)
	require.NoError(b.t, start(b.t.Context(), event.About(b.user, room)))
	b.awaitListed(Filter{WorkflowID: id}, 1)
	return id
}

func (b *jobsFixture) awaitListed(f Filter, n int) {
	b.t.Helper()
	require.EventuallyWithT(b.t, func(c *assert.CollectT) {
		found, _, err := b.Select(b.t.Context(), f, 100, nil)
		require.NoError(c, err)
		require.Len(c, found, n)
		count, err := b.Count(b.t.Context(), f)
		require.NoError(c, err)
		require.EqualValues(c, n, count)
	}, patience, 50*time.Millisecond)
}

// work runs a worker with the workflows by name, and the activity Step.
func (b *jobsFixture) work(workflows map[string]any, step func(ctx context.Context) error) {
	b.t.Helper()
	w := worker.New(b.client, b.queue, worker.Options{})
	for name, f := range workflows {
		w.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	w.RegisterActivityWithOptions(step, registerStep)
	require.NoError(b.t, w.Start())
	b.t.Cleanup(w.Stop)
}

// eventually waits until the job is as wanted.
func (b *jobsFixture) eventually(id string, wanted func(Detail) bool) Detail {
	b.t.Helper()
	var d Detail
	require.EventuallyWithT(b.t, func(c *assert.CollectT) {
		var err error
		d, err = b.Get(b.t.Context(), id, "")
		require.NoError(c, err)
		require.True(c, wanted(d), "%+v", d)
	}, patience, 20*time.Millisecond)
	return d
}

var (
	errStep      = errors.New("the disk is full")
	registerStep = activityNamed("Step")
)

// oneStep runs one activity with these options.
func oneStep(policy temporal.RetryPolicy) any {
	return func(ctx workflow.Context, _ job.EmailInput) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: time.Minute, RetryPolicy: &policy, Summary: "The only step",
		})
		return workflow.ExecuteActivity(ctx, "Step").Get(ctx, nil)
	}
}
