package worker

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// The task queues and the schedule have fixed names, so that tests here do not run in parallel.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		stacktest.With(m, devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox), stacktest.Redialing())
}

// signals is a log whose messages can be waited for.
type signals struct {
	mu   sync.Mutex
	seen map[string]chan struct{}
}

func (s *signals) channelOf(message string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]chan struct{}{}
	}
	if s.seen[message] == nil {
		s.seen[message] = make(chan struct{}, 1)
	}
	return s.seen[message]
}

func (s *signals) Enabled(context.Context, slog.Level) bool { return true }
func (s *signals) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *signals) WithGroup(string) slog.Handler            { return s }
func (s *signals) Handle(_ context.Context, r slog.Record) error {
	select {
	case s.channelOf(r.Message) <- struct{}{}:
	default:
	}
	return nil
}

const (
	logRuns   = "worker runs"
	logWaits  = "worker waits for Temporal"
	logServes = "queue is served"
	logPauses = "queue is paused"
)

// patience is for what takes moments on an idle machine.
const patience = 2 * time.Minute

func (s *signals) wait(t *testing.T, message string) {
	t.Helper()
	select {
	case <-s.channelOf(message):
	case <-time.After(patience):
		t.Fatalf("the worker does not say: %s", message)
	}
}

// workerFixture is a worker with all that it works with.
type workerFixture struct {
	Deps
	*signals
	t      *testing.T
	store  *store.Store
	bucket *blob.Bucket
	client client.Client
}

func newWorkerFixture(t *testing.T, smtpHost string, smtpPort int) *workerFixture {
	t.Helper()
	p := &workerFixture{t: t, signals: &signals{}, client: dialTemporal(t, stacktest.TemporalAddress())}
	p.Config = testConfig()
	var err error
	p.store, err = store.Open(
		config.Database{URL: stacktest.MigratedURL(t), MaxConns: 10, StatementTimeout: 10 * time.Second},
		auth.NewDigests("a secret of the tests"),
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.store.Close()) })
	p.bucket, err = fileblob.OpenBucket(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.bucket.Close()) })
	log := slog.New(p.signals)
	sender, err := mail.New(config.Email{
		Host: smtpHost, Port: smtpPort, TLS: "none", From: "WatchParty <no-reply@watchparty.test>", Timeout: 20 * time.Second,
	})
	require.NoError(t, err)
	p.Deps = Deps{
		Config: p.Config, Log: log, Client: p.client,
		Email: &activities.Email{
			Store: p.store, Sender: sender, OneTime: auth.NewOneTime("a secret of the tests"), Report: p.Config.Report,
			FrontendURL: "http://watchparty.test", PublicURL: "https://api.watchparty.test",
		},
		Avatar: &activities.Avatar{
			Store: p.store, Bucket: p.bucket, Renderer: avatar.New(1, probe.Limits{}), KeepFormer: time.Second,
		},
		Cleanup: &activities.Cleanup{Store: p.store, Bucket: p.bucket, Settings: p.Config.Cleanup, BatchSize: 10},
		Account: &activities.Account{Store: p.store, Bucket: p.bucket},
		Report:  &activities.Report{Store: p.store, Settings: p.Config.Report},
		Webhook: p.newWebhookActivities(t),
		Party:   &activities.Party{Store: p.store},
	}
	return p
}

func testConfig() config.Config {
	return config.Config{
		Email:  config.Email{PerSecond: 100},
		Worker: config.Worker{StopTimeout: 20 * time.Second},
		Cleanup: config.Cleanup{
			Schedule:            "0 4 * * *",
			ParticipantInactive: config.Age(time.Hour),
			MessageAge:          config.Age(time.Hour),
			RoomInactive:        config.Age(time.Hour),
			UnverifiedAge:       config.Off,
			ActivityAge:         config.Off,
			FileAge:             config.Age(time.Hour),
		},
		Report: config.Report{
			Recipients: []string{"ops@watchparty.test"},
			Weekly:     "0 5 * * 1",
			Monthly:    "0 5 1 * *",
			Language:   watchparty.English,
		},
	}
}

func dialTemporal(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{
		HostPort: address, Identity: "test", Logger: temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// running is a Run that has been called.
type running struct {
	stop   context.CancelFunc
	result chan error
}

// startWorker calls Run, and sees to it that it ends with the test.
func (p *workerFixture) startWorker(t *testing.T, queues ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, result: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.result <- Run(ctx, p.Deps, queues)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

// awaitEnd waits for Run's result.
func (r *running) awaitEnd(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		t.Fatal("the worker does not end")
		return nil
	}
}

// resetSignals begins a new log, so that what was said before does not count.
func (p *workerFixture) resetSignals() {
	p.signals = &signals{}
	p.Log = slog.New(p.signals)
}

// uniqueName returns a username that no other test has, since all tests share one inbox.
func uniqueName(name string) string { return name + uuid.NewString()[:8] }

// createUser makes an account and returns the ID of its welcome email.
func (p *workerFixture) createUser(username string) (watchparty.User, string) {
	p.t.Helper()
	user, err := p.store.CreateUser(p.t.Context(), watchparty.Registration{
		Username: username, Email: username + "@watchparty.test", DisplayName: "Dear " + username,
	}, "hash")
	require.NoError(p.t, err)
	var emailID string
	err = p.store.DB().NewSelect().Table("emails").Column("id").Where("user_id = ?", user.ID).Scan(p.t.Context(), &emailID)
	require.NoError(p.t, err)
	return user, emailID
}

// createAdmin returns a new account with a confirmed address and an admin's rights.
func (p *workerFixture) createAdmin() watchparty.User {
	p.t.Helper()
	user, _ := p.createUser(uniqueName("root"))
	_, err := p.store.DB().
		NewUpdate().
		Table("users").
		Set("email_verified_at = now()").
		Where("id = ?", user.ID).
		Exec(p.t.Context())
	require.NoError(p.t, err)
	admin, err := p.store.GrantAdmin(p.t.Context(), user.Email)
	require.NoError(p.t, err)
	return admin
}

func (p *workerFixture) requireEmail(id string, want watchparty.EmailState) {
	p.t.Helper()
	row, err := p.store.Email(p.t.Context(), id)
	require.NoError(p.t, err)
	require.Equal(p.t, want, row.State)
}

// startEmail starts a workflow that ends with its email.
func (p *workerFixture) startEmail(emailID string) client.WorkflowRun {
	p.t.Helper()
	event := job.ResendEvent(emailID)
	started, err := p.client.ExecuteWorkflow(p.t.Context(),
		client.StartWorkflowOptions{ID: event.WorkflowID, TaskQueue: event.TaskQueue}, event.Workflow, event.Input)
	require.NoError(p.t, err)
	return started
}

// requireResult waits for a workflow that is to succeed.
func (p *workerFixture) requireResult(workflowID, runID string, result any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	require.NoError(p.t, p.client.GetWorkflow(ctx, workflowID, runID).Get(ctx, result))
}

// slowSMTP is a mail server that greets nobody before its release. reached hears of each connection.
type slowSMTP struct {
	*smtptest.Server
	reached, released chan struct{}
	once              sync.Once
}

func (s *slowSMTP) release() { s.once.Do(func() { close(s.released) }) }

func serveSlowly(t *testing.T) *slowSMTP {
	t.Helper()
	s := &slowSMTP{reached: make(chan struct{}, 10), released: make(chan struct{})}
	s.Server = smtptest.Serve(t, smtptest.Script{Before: map[string]func(){"greeting": func() {
		s.reached <- struct{}{}
		<-s.released
	}}})
	t.Cleanup(s.release)
	return s
}
