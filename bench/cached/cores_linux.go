package cached

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// cores are those that this process could use when it started.
var cores = allowed()

func allowed() (set unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &set)
	return set
}

// divide reserves the first core for the measured processes. This process and the processes that it starts use the
// other cores, except those of startMeasured.
func divide() error {
	measured, others := divided()
	if others.Count() == 0 || measured.Count() == 0 {
		return errors.New("what is measured and the load need a core each: this machine has one")
	}
	return pin(os.Getpid(), others)
}

// unite gives all cores back to this process.
func unite() error { return pin(os.Getpid(), cores) }

// divided returns the two sets of cores.
func divided() (measured, others unix.CPUSet) {
	for core := range len(cores) * 64 {
		switch {
		case !cores.IsSet(core):
		case measured.Count() == 0:
			measured.Set(core)
		default:
			others.Set(core)
		}
	}
	return measured, others
}

// pin keeps all threads of a process to a set. Threads that it makes later inherit it, so it looks again until none is
// new.
func pin(process int, set unix.CPUSet) error {
	pinned := map[int]bool{}
	for {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
		if err != nil {
			return err
		}
		found := false
		for _, task := range tasks {
			thread, err := strconv.Atoi(task.Name())
			if err != nil || pinned[thread] {
				continue
			}
			pinned[thread], found = true, true
			if err := unix.SchedSetaffinity(thread, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("keep a thread to its core: %w", err)
			}
		}
		if !found {
			return nil
		}
	}
}

// startMeasured calls start on a thread that is pinned to the reserved core. A process that it starts inherits that.
func startMeasured(start func() error) error {
	runtime.LockOSThread()
	measured, others := divided()
	if err := unix.SchedSetaffinity(0, &measured); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("take the core of what is measured: %w", err)
	}
	err := start()
	if back := unix.SchedSetaffinity(0, &others); back != nil {
		return errors.Join(err, back) // the thread ends with its goroutine, since it stays locked
	}
	runtime.UnlockOSThread()
	return err
}
