package workflows_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var update = flag.Bool("update", false, "record the histories that testdata lacks, on a real Temporal server")

func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		goleak.VerifyTestMain(stacktest.With(m, devstack.Temporal))
	}
	goleak.VerifyTestMain(m)
	os.Exit(0)
}

const (
	emailID = "01900000-0000-7000-8000-000000000001"
	userID  = "01900000-0000-7000-8000-000000000002"
	runID   = "01900000-0000-7000-8000-000000000003"
	// subjectID is what an email is about: a verification or a reset.
	subjectID = "01900000-0000-7000-8000-000000000004"
	inviteID  = "01900000-0000-7000-8000-000000000005"
)

var discard = slog.New(slog.DiscardHandler)

// errAway is what a database or bucket that is down looks like.
var errAway = errors.New("connection refused")

// registered are the workflows by their names, as the worker registers them.
var registered = map[string]any{
	job.WorkflowWelcomeEmail:       workflows.WelcomeEmail,
	job.WorkflowVerificationEmail:  workflows.VerificationEmail,
	job.WorkflowPasswordResetEmail: workflows.PasswordResetEmail,
	job.WorkflowEmailChangedNotice: workflows.EmailChangedNotice,
	job.WorkflowProcessAvatar:      workflows.ProcessAvatar,
	job.WorkflowCleanup:            workflows.Cleanup,
	job.WorkflowDeleteAccount:      workflows.DeleteAccount,
	job.WorkflowRoomInvitation:     workflows.RoomInvitation,
	job.WorkflowResend:             workflows.Resend,
	job.WorkflowActivityReport:     workflows.ActivityReport,
	job.WorkflowReportEmail:        workflows.ReportEmail,

	job.WorkflowPasswordChangedNotice: workflows.PasswordChangedNotice,
	job.WorkflowWebhookDelivery:       workflows.WebhookDelivery,
	job.WorkflowScheduledParty:        workflows.ScheduledParty,
	job.WorkflowPartyEmail:            workflows.PartyEmail,
}

// workflowFixture runs one workflow on a clock that skips the waits. An activity that the test does not expect fails
// the test.
type workflowFixture struct {
	*testsuite.TestWorkflowEnvironment
	t       *testing.T
	started time.Time
	asked   map[string]workflow.ActivityOptions // the options of the latest call of each activity
}

// signalLog fails the test of a workflow that ends with signals which it has not consumed.
type signalLog struct {
	temporallog.Logger
	t *testing.T
}

func (l signalLog) Warn(message string, attributes ...any) {
	assert.NotContains(l.t, message, "unhandled signals", attributes...)
	l.Logger.Warn(message, attributes...)
}

func newWorkflowFixture(t *testing.T) *workflowFixture {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(signalLog{temporallog.NewStructuredLogger(discard), t})
	env := suite.NewTestWorkflowEnvironment()
	asked := map[string]workflow.ActivityOptions{}
	env.SetTestTimeout(2 * time.Minute)
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&unlimited{asked: asked}}})
	w := &workflowFixture{TestWorkflowEnvironment: env, t: t, asked: asked}
	registerResult[job.EmailInput, job.EmailResult](w, job.ActivitySendEmail)
	registerAction[job.EmailInput](w, job.ActivityFailEmail)
	registerResult[job.EmailInput, job.QueueReminderResult](w, job.ActivityQueueReminder)
	registerResult[job.RoomInvitationInput, job.ExpireInvitationResult](w, job.ActivityExpireInvitation)
	registerAction[job.AvatarInput](w, job.ActivityRenderAvatar)
	registerResult[job.AvatarInput, job.PublishResult](w, job.ActivityPublishAvatar)
	registerAction[job.FailAvatarInput](w, job.ActivityFailAvatar)
	registerAction[job.AvatarInput](w, job.ActivityRemoveAvatarFiles)
	registerAction[job.AvatarInput](w, job.ActivityRemoveOriginal)
	registerAction[job.AvatarInput](w, job.ActivityRemoveFormerAvatar)
	registerResult[job.CleanupInput, job.BeginCleanupResult](w, job.ActivityBeginCleanup)
	registerAction[job.ApplyPolicyInput](w, job.ActivityApplyPolicy)
	registerResult[job.FinishCleanupInput, job.CleanupResult](w, job.ActivityFinishCleanup)
	w.RegisterActivityWithOptions(
		func(context.Context) (out job.TallyResult, err error) { return out, w.unexpected(job.ActivityTally) },
		activity.RegisterOptions{Name: job.ActivityTally},
	)
	registerResult[job.CreateReportInput, string](w, job.ActivityCreateReport)
	registerResult[job.QueueReportEmailsInput, int](w, job.ActivityQueueReportEmails)
	registerAction[job.AccountInput](w, job.ActivityRemoveAccountFiles)
	registerResult[job.AccountInput, job.AccountResult](w, job.ActivityAnonymiseMessages)
	registerAction[job.AccountInput](w, job.ActivityRemoveAccount)
	registerResult[job.WebhookInput, job.WebhookResult](w, job.ActivityDeliverWebhook)
	registerResult[job.WebhookInput, job.WebhookResult](w, job.ActivityCancelDelivery)
	registerResult[job.PartyInput, job.PartyStatus](w, job.ActivityReadParty)
	registerResult[job.PartyNoticesInput, job.PartyNoticesResult](w, job.ActivityQueuePartyNotices)
	registerAction[job.PartyInput](w, job.ActivityArmParty)
	t.Cleanup(func() {
		env.AssertExpectations(t)
		if options, ok := asked[job.ActivityRenderAvatar]; ok {
			// The workflow counts crashes, so the server must not retry after timeouts. The test environment does not simulate
			// that, so the policy is checked.
			require.Equal(t, []string{"TemporalTimeout:Heartbeat", "TemporalTimeout:StartToClose"},
				options.RetryPolicy.NonRetryableErrorTypes)
		}
	})
	return w
}

// registerAction registers an activity without a result, gives one with a result; what is called is what the test
// expects.
func registerAction[In any](w *workflowFixture, name string) {
	w.RegisterActivityWithOptions(func(context.Context, In) error { return w.unexpected(name) },
		activity.RegisterOptions{Name: name})
}

func registerResult[In, Out any](w *workflowFixture, name string) {
	w.RegisterActivityWithOptions(func(context.Context, In) (out Out, err error) { return out, w.unexpected(name) },
		activity.RegisterOptions{Name: name})
}

func (w *workflowFixture) unexpected(name string) error {
	w.t.Errorf("activity %s was not expected", name)
	return temporal.NewNonRetryableApplicationError("not expected", "Unexpected", nil)
}

// run executes the workflow and returns how it ended.
func run[Result any](w *workflowFixture, fn, in any) (Result, error) {
	w.started = w.Now()
	w.ExecuteWorkflow(fn, in)
	var result Result
	if err := w.GetWorkflowError(); err != nil {
		return result, err
	}
	return result, w.GetWorkflowResult(&result)
}

// expect says what the activity answers to this input, how often.
func (w *workflowFixture) expect(name string, in any, answers ...any) *testsuite.MockCallWrapper {
	return w.OnActivity(name, mock.Anything, in).Return(answers...)
}

// tallies expects the days to be tallied.
func (w *workflowFixture) tallies(err error) *testsuite.MockCallWrapper {
	return w.OnActivity(job.ActivityTally, mock.Anything).Return(job.TallyResult{Days: 1}, err)
}

// crashes is an activity whose worker ends in the middle of it: no result and no heartbeat comes.
func (w *workflowFixture) crashes(name string, in any, after time.Duration, timeout error) *testsuite.MockCallWrapper {
	return w.OnActivity(name, mock.Anything, in).Return(func(ctx context.Context, _ job.AvatarInput) error {
		token := activity.GetInfo(ctx).TaskToken
		w.RegisterDelayedCallback(func() { _ = w.CompleteActivity(token, nil, timeout) }, after)
		return activity.ErrResultPending
	})
}

func heartbeatTimeout() error { return temporal.NewHeartbeatTimeoutError() }

// manyAttempts stands for no limit.
const manyAttempts = 1000

// unlimited undoes a limit of the test environment's own: it takes a policy without a maximum for one of ten
// attempts.
type unlimited struct {
	interceptor.WorkerInterceptorBase
	asked map[string]workflow.ActivityOptions
}

func (u *unlimited) InterceptWorkflow(
	_ workflow.Context,
	next interceptor.WorkflowInboundInterceptor,
) interceptor.WorkflowInboundInterceptor {
	in := &unlimitedInbound{asked: u.asked}
	in.Next = next
	return in
}

type unlimitedInbound struct {
	interceptor.WorkflowInboundInterceptorBase
	asked map[string]workflow.ActivityOptions
}

func (in *unlimitedInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &unlimitedOutbound{asked: in.asked}
	out.Next = next
	return in.Next.Init(out)
}

type unlimitedOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	asked map[string]workflow.ActivityOptions
}

func (out *unlimitedOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	out.asked[name] = options
	if options.RetryPolicy != nil && options.RetryPolicy.MaximumAttempts == 0 {
		policy := *options.RetryPolicy
		policy.MaximumAttempts = manyAttempts
		options.RetryPolicy = &policy
		ctx = workflow.WithActivityOptions(ctx, options)
	}
	return out.Next.ExecuteActivity(ctx, name, args...)
}
