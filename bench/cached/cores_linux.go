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
	runtime.GOMAXPROCS(others.Count()) // more threads than cores would only take turns
	return pin(os.Getpid(), others)
}

// unite gives all cores back to this process.
func unite() error {
	runtime.GOMAXPROCS(cores.Count())
	return pin(os.Getpid(), cores)
}

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

// pin keeps all threads of a process to a set.
func pin(process int, set unix.CPUSet) error {
	return eachThread(process, func(thread int) error { return unix.SchedSetaffinity(thread, &set) })
}

// giveWay lets Postgres and Redis go first on the core that they share with the load, which is this process: a Redis
// that waits for the load would be slow for a reason that no installation has. It takes privileges to undo it.
func giveWay() error {
	return eachThread(os.Getpid(), func(thread int) error { return unix.Setpriority(unix.PRIO_PROCESS, thread, 10) })
}

// eachThread changes all threads of a process. Those that it makes later inherit that, so it looks again until none is
// new.
func eachThread(process int, change func(thread int) error) error {
	changed := map[int]bool{}
	for {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
		if err != nil {
			return err
		}
		found := false
		for _, task := range tasks {
			thread, err := strconv.Atoi(task.Name())
			if err != nil || changed[thread] {
				continue
			}
			changed[thread], found = true, true
			if err := change(thread); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("change a thread: %w", err)
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
