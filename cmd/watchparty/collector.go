package main

import (
	"math"
	"runtime"
	"runtime/debug"
)

// spareHeap is how much the heap may grow at least before garbage is collected, in bytes.
const spareHeap = 64 << 20

// collectSeldom has a process with a small heap collect its garbage as seldom as one with a large heap does. Go
// collects when the heap has doubled: the API's is some megabytes, and requests would fill as much again many times a
// second, each of which costs as much as hundreds of cached answers. What counts as heap here is never touched, so it
// takes no memory. The process takes up to twice spareHeap more. GOGC and GOMEMLIMIT work as always. Call release at
// the end.
func collectSeldom() (release func()) {
	untouched := make([]byte, spareHeap)
	limit := debug.SetMemoryLimit(-1)
	if limit < math.MaxInt64-spareHeap {
		debug.SetMemoryLimit(limit + spareHeap)
	}
	return func() {
		debug.SetMemoryLimit(limit)
		runtime.KeepAlive(untouched)
	}
}
