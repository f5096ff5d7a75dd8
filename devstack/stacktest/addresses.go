package stacktest

import (
	"os"
	"strconv"
	"testing"

	"github.com/watchparty/watchparty/devstack"
)

// Stack returns the stack that Main has started; nil if the environment names all servers.
func Stack() *devstack.Stack { return current }

// New starts a stack for one test, which may stop and kill its servers. It is closed in t.Cleanup.
func New(t testing.TB, services ...devstack.Service) *devstack.Stack {
	t.Helper()
	stack, err := devstack.Start(t.Context(), devstack.Options{Services: services, Ephemeral: true})
	if err != nil {
		t.Fatalf("start a stack: %v", err)
	}
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Errorf("close the stack: %v", err)
		}
	})
	return stack
}

// RedisURL is shared by all tests: use KeyPrefix.
func RedisURL() string {
	return named("REDIS_URL", devstack.Redis, (*devstack.Stack).RedisURL)
}

// TemporalAddress is shared by all tests: use a task queue and workflow IDs of the test's own.
func TemporalAddress() string {
	return named("TEMPORAL_ADDRESS", devstack.Temporal, (*devstack.Stack).TemporalAddress)
}

// SMTPHost and SMTPPort are shared by all tests: use addresses of the test's own.
func SMTPHost() string {
	return named("SMTP_HOST", devstack.Inbox, (*devstack.Stack).SMTPHost)
}

// SMTPPort is 1025 when the environment has SMTP_HOST alone.
func SMTPPort() int {
	if os.Getenv("SMTP_HOST") == "" {
		return started(devstack.Inbox).SMTPPort()
	}
	port, err := strconv.Atoi(os.Getenv("SMTP_PORT"))
	if err != nil {
		return devstack.DefaultPorts(0).SMTP
	}
	return port
}

// InboxURL is empty when the environment has SMTP_HOST without INBOX_URL.
func InboxURL() string {
	if os.Getenv("SMTP_HOST") != "" {
		return os.Getenv("INBOX_URL")
	}
	return started(devstack.Inbox).InboxURL()
}

func named(setting string, service devstack.Service, address func(*devstack.Stack) string) string {
	if value := os.Getenv(setting); value != "" {
		return value
	}
	return address(started(service))
}

// started panics for a stack that TestMain did not start.
func started(service devstack.Service) *devstack.Stack {
	if current == nil || !current.Has(service) {
		panic("stacktest: pass devstack's " + string(service) + " to Main or With in TestMain")
	}
	return current
}
