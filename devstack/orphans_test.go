package devstack_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
)

// A test that needs a parent to be killed runs this test binary again with these settings.
const (
	helperDir       = "DEVSTACK_TEST_HELPER_DIR"
	helperEphemeral = "DEVSTACK_TEST_HELPER_EPHEMERAL"
)

var processes = []devstack.Service{devstack.Postgres, devstack.Redis, devstack.Temporal}

// runHelper starts a stack, prints its addresses and waits to be killed.
func runHelper(dir string) {
	stack, err := devstack.Start(context.Background(), devstack.Options{
		Dir: dir, Services: processes, Ephemeral: os.Getenv(helperEphemeral) != "",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(stack.DatabaseURL())
	_ = stack.Wait(context.Background())
	os.Exit(1)
}

// startHelper returns the helper, its database's URL and its children's process IDs.
func startHelper(t *testing.T, dir string, env ...string) (*exec.Cmd, string, []int) {
	t.Helper()
	helper := exec.Command(os.Args[0])
	helper.Env = append(append(os.Environ(), helperDir+"="+dir), env...)
	helper.Stderr = os.Stderr
	output, err := helper.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, helper.Start())
	t.Cleanup(func() {
		_ = helper.Process.Kill()
		_ = helper.Wait()
	})
	url, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)

	var children []int
	for _, service := range processes {
		content, err := os.ReadFile(filepath.Join(dir, "run", string(service)+".pid"))
		require.NoError(t, err)
		pid, err := strconv.Atoi(strings.SplitN(string(content), "\n", 2)[0])
		require.NoError(t, err)
		children = append(children, pid)
	}
	return helper, strings.TrimSpace(url), children
}

func killAndWait(t *testing.T, helper *exec.Cmd) {
	t.Helper()
	require.NoError(t, helper.Process.Kill())
	require.ErrorContains(t, helper.Wait(), "killed")
}

// running tells whether a process lives; an ended one that nobody has waited for does not.
func running(pid int) bool {
	output, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(output)), "Z")
}

func TestOrphansAreTakenOver(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	helper, url, children := startHelper(t, dir)
	execute(t, url, "CREATE TABLE kept AS SELECT 1 AS id")
	killAndWait(t, helper)
	for _, pid := range children {
		require.True(t, running(pid))
	}

	var progress lines
	s := start(t, devstack.Options{Dir: dir, Services: processes, Progress: progress.add})
	require.Equal(t, 1, count(t, s.DatabaseURL(), "kept"))
	for i, pid := range children {
		require.False(t, running(pid), processes[i])
	}
	require.Contains(
		t, progress.String(), fmt.Sprintf("stopping Postgres left over from an earlier run (process %d)", children[0]),
	)
}

func TestEphemeralServersDieWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can")
	}
	t.Parallel()
	helper, _, children := startHelper(t, reachable(t), helperEphemeral+"=1")
	killAndWait(t, helper)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, pid := range children {
			require.False(c, running(pid))
		}
	}, 2*time.Minute, 50*time.Millisecond)
}

func TestStrangersAreLeftAlone(t *testing.T) {
	t.Parallel()
	stranger := devstack.Bystander(t, nil)
	dir := reachable(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "run"), 0o755))
	pidFile := fmt.Sprintf("%d\nredis-server\n16379\n", stranger.Pid)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run", "redis.pid"), []byte(pidFile), 0o600))

	start(t, devstack.Options{Dir: dir, Services: []devstack.Service{devstack.Redis}})
	require.NoError(t, syscall.Kill(stranger.Pid, 0))
	require.True(t, running(stranger.Pid))
}
