//go:build !linux

package coherence

import "time"

var started = time.Now()

// now counts from an arbitrary moment. Whether it goes on while the machine sleeps depends on the system.
func now() time.Duration { return time.Since(started) }
