package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCollectLessOften(t *testing.T) { //nolint:paralleltest // it looks at the whole process
	goal := func() uint64 {
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := goal()
	release := collectLessOften()
	require.Greater(t, goal(), before+ballastBytes)
	require.EqualValues(t, math.MaxInt64, debug.SetMemoryLimit(-1))
	release()
	require.Less(t, goal(), before+ballastBytes)

	debug.SetMemoryLimit(1 << 30)
	defer debug.SetMemoryLimit(math.MaxInt64)
	release = collectLessOften()
	require.EqualValues(t, 1<<30+ballastBytes, debug.SetMemoryLimit(-1))
	release()
	require.EqualValues(t, 1<<30, debug.SetMemoryLimit(-1))
}
