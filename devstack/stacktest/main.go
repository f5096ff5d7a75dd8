package stacktest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/watchparty/watchparty/devstack"
)

// settings has, for each service, the variable that says that it runs already.
var settings = map[devstack.Service]string{
	devstack.Postgres: "DATABASE_URL",
	devstack.Redis:    "REDIS_URL",
	devstack.Temporal: "TEMPORAL_ADDRESS",
	devstack.Inbox:    "SMTP_HOST",
}

// current is the stack that Main has started. It is global because TestMain cannot pass anything to tests.
var current *devstack.Stack

// Main is a TestMain: it starts the services that the environment does not name, runs the tests, stops the services and
// exits with the tests' code.
func Main(m *testing.M, services ...devstack.Service) {
	os.Exit(With(m, services...).run())
}

// Runner runs tests with servers around them, for goleak.VerifyTestMain.
type Runner struct {
	tests    interface{ Run() int }
	services []devstack.Service
}

// With is like Main, without the exit.
func With(m interface{ Run() int }, services ...devstack.Service) Runner {
	return Runner{tests: m, services: services}
}

// Run returns the exit code of the tests, or 1 if the servers do not start or stop.
func (r Runner) Run() int {
	code := r.run()
	if code == 0 {
		settle()
	}
	return code
}

// settle gives goroutines that are about to end more time than the half second of goleak, which reports those that are
// left.
func settle() {
	left, end := goleak.Find(), time.Now().Add(10*time.Second)
	for left != nil && time.Now().Before(end) {
		left = goleak.Find()
	}
}

func (r Runner) run() int {
	debug.SetGCPercent(400) // the heap of a test is small, and collecting it a seventh of a test's CPU
	missing := slices.DeleteFunc(slices.Clone(r.services), func(s devstack.Service) bool {
		return os.Getenv(settings[s]) != ""
	})
	if len(missing) == 0 {
		return runTests(r.tests)
	}
	stack, err := devstack.Start(context.Background(), devstack.Options{Services: missing, Ephemeral: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "stacktest:", err)
		return 1
	}
	current = stack
	defer func() { current = nil }()
	return runWith(stack, r.tests)
}

func runTests(tests interface{ Run() int }) int {
	code := tests.Run()
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if err := dropTemplate(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stacktest: drop the template:", err)
		return max(code, 1)
	}
	return code
}

func runWith(stack *devstack.Stack, tests interface{ Run() int }) int {
	var watching sync.WaitGroup
	watching.Go(func() { reportUnexpectedEnds(stack) })
	stopWatching := closeOnSignal(stack, &watching)

	code := runTests(tests)
	stopWatching()
	if err := stack.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "stacktest:", err)
		code = max(code, 1)
	}
	watching.Wait()
	return code
}

// reportUnexpectedEnds says why tests fail when a server has crashed.
func reportUnexpectedEnds(stack *devstack.Stack) {
	for {
		err := stack.Wait(context.Background())
		if err == nil {
			return
		}
		fmt.Fprintln(os.Stderr, "stacktest:", err)
	}
}

// closeOnSignal stops the servers when the tests are interrupted. On Linux they would stop by themselves.
func closeOnSignal(stack *devstack.Stack, watching *sync.WaitGroup) (stop func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	watching.Go(func() {
		select {
		case <-signals:
			_ = stack.Close()
			os.Exit(130)
		case <-done:
		}
	})
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// Redialing ignores what a Redis client that is closed while its server is down leaves for up to a second: go-redis
// sleeps before it looks whether it is closed.
func Redialing() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial")
}
