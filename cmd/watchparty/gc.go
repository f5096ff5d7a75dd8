package main

import (
	"math"
	"runtime"
	"runtime/debug"
)

// ballastBytes is how much the heap may grow at least before garbage is collected, in bytes.
const ballastBytes = 64 << 20

// collectLessOften makes Go collect garbage less often in a process with a small heap. Go collects when the heap has
// doubled. The API's heap is some megabytes, which requests allocate many times a second, and each collection costs as
// much as hundreds of cached answers. The ballast that enlarges the heap is never touched, so it takes no memory. The
// heap may grow by up to twice ballastBytes more. GOGC and GOMEMLIMIT work as always. Call release at the end.
func collectLessOften() (release func()) {
	ballast := make([]byte, ballastBytes)
	limit := debug.SetMemoryLimit(-1)
	if limit < math.MaxInt64-ballastBytes {
		debug.SetMemoryLimit(limit + ballastBytes)
	}
	return func() {
		debug.SetMemoryLimit(limit)
		runtime.KeepAlive(ballast)
	}
}
