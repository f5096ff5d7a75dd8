package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	stopTimeout  = 10 * time.Second // after the orderly signal
	killTimeout  = 5 * time.Second  // after SIGKILL
	pollInterval = 25 * time.Millisecond
)

// commandLine returns the command line of a running process of any user; empty if there is none.
func commandLine(ctx context.Context, pid int) string {
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		return commandLineFromProc(pid)
	}
	return commandLineFromPS(ctx, pid)
}

// commandLineFromProc avoids ps, which small Linux images do not have. The command line of a zombie is empty.
func commandLineFromProc(pid int) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(content), "\x00", " "))
}

func commandLineFromPS(ctx context.Context, pid int) string {
	output, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "stat=", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	state, command, _ := strings.Cut(strings.TrimSpace(string(output)), " ")
	if strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(command)
}

// endForeign ends a process that is not a child: first in the orderly way, then by force.
func endForeign(ctx context.Context, pid int, orderly syscall.Signal) error {
	steps := []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{{orderly, stopTimeout}, {syscall.SIGKILL, killTimeout}}
	for _, step := range steps {
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal process %d: %w", pid, err)
		}
		if awaitEnd(ctx, pid, step.timeout) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

func awaitEnd(ctx context.Context, pid int, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for commandLine(ctx, pid) != "" {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}
