package coherence

import (
	"time"

	"golang.org/x/sys/unix"
)

// now counts from an arbitrary moment, and goes on while the machine sleeps.
func now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // every Linux that Go runs on has this clock
	}
	return time.Duration(t.Nano())
}
