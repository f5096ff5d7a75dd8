// Package e2e drives the built program over HTTP, as users and operators would, on real servers that it stops and
// kills.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Waits that are shorter in the program under test than in the one that operators run.
const (
	keepFormer = 2 * time.Second // of the files of a former avatar
	healthAge  = time.Second     // of what /health knows
	laterDelay = 2 * time.Second // of the next attempt at an email when the SMTP server asks for a pause
	cleaning   = 2 * time.Second // of the next attempt at a policy of the clean-up, at most
)

// binary is the program under test, built once by TestMain.
var binary string

// clockSkew is the environment variable that makes the clock of a process wrong.
const clockSkew = "TEST_CLOCK_SKEW"

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "watchparty-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "watchparty")
	if err := buildProgram(binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Most of a test's time it waits, for Temporal as a rule.
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// buildProgram builds the program, with more arguments for go build.
func buildProgram(path string, args ...string) error {
	settings := fmt.Sprintf(
		"-s -w -X main.keepFormer=%s -X main.laterDelay=%s -X main.healthAge=%s "+
			"-X github.com/watchparty/watchparty/workflows.cleaningPause=%s "+
			"-X github.com/watchparty/watchparty/store.skewVariable=%s",
		keepFormer, laterDelay, healthAge, cleaning, clockSkew,
	)
	args = append([]string{"build", "-ldflags", settings, "-o", path}, args...)
	if out, err := exec.Command("go", append(args, "../cmd/watchparty")...).CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}
