package avatar

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The most that a picture may take: processor time in relation to vipsthumbnail's for the same outputs, and memory.
const (
	maxRatioUpright = 1.5
	maxRatioRotated = 1.6
	maxPeak         = 100e6
)

// What the commands of yardsticks have in common: the picture, the folder for the outputs, and the squares.
const (
	in        = "{in}"
	out       = "{out}"
	crop1024  = "1024x1024"
	crop512   = "512x512"
	crop128   = "128x128"
	attention = "attention" // what to crop to
)

// yardsticks are command lines of vipsthumbnail that make the same outputs. Which is best depends
// on the picture.
var yardsticks = map[string]map[string][][]string{
	"two": {
		"each from the picture": {
			{in, "-s", crop512, "-m", attention, "-o", out + "/medium.webp[Q=80,strip]"},
			{in, "-s", crop128, "-m", attention, "-o", out + "/thumbnail.webp[Q=80,strip]"},
		},
		"one from the other": {
			{in, "-s", crop512, "-m", attention, "-o", out + "/medium.webp[Q=80,strip]"},
			{out + "/medium.webp", "-s", crop128, "-o", out + "/thumbnail.webp[Q=80,strip]"},
		},
		"both from one without compression": {
			{in, "-s", crop512, "-m", attention, "-o", out + "/base.v"},
			{out + "/base.v", "-s", crop512, "-o", out + "/medium.webp[Q=80,strip]"},
			{out + "/base.v", "-s", crop128, "-o", out + "/thumbnail.webp[Q=80,strip]"},
		},
	},
	"all": {
		"all from the largest": {
			{in, "-s", crop1024, "-m", attention, "-o", out + "/large.webp[Q=80,strip]"},
			{out + "/large.webp", "-s", crop512, "-o", out + "/medium.webp[Q=80,strip]"},
			{out + "/large.webp", "-s", crop512, "-o", out + "/medium.jpg[Q=80,optimize_coding,strip]"},
			{out + "/large.webp", "-s", crop128, "-o", out + "/thumbnail.webp[Q=80,strip]"},
		},
		"all from one without compression": {
			{in, "-s", crop1024, "-m", attention, "-o", out + "/base.v"},
			{out + "/base.v", "-s", crop1024, "-o", out + "/large.webp[Q=80,strip]"},
			{out + "/base.v", "-s", crop512, "-o", out + "/medium.webp[Q=80,strip]"},
			{out + "/base.v", "-s", crop512, "-o", out + "/medium.jpg[Q=80,optimize_coding,strip]"},
			{out + "/base.v", "-s", crop128, "-o", out + "/thumbnail.webp[Q=80,strip]"},
		},
	},
}

// BenchmarkAgainstVipsthumbnail compares the processor time of a picture with that of the best command line for the
// same outputs, in turn and each with one thread. A worker starts once and a command each time, so the bounds are for
// the ratio to the net time, without the starts.
func BenchmarkAgainstVipsthumbnail(b *testing.B) {
	if _, err := exec.LookPath("vipsthumbnail"); err != nil {
		b.Fatal("vipsthumbnail is missing: deploy/setup.sh bench")
	}
	for _, sizes := range []string{"two", "all"} {
		for _, orientation := range []string{"upright", "rotated"} {
			most := map[string]float64{"upright": maxRatioUpright, "rotated": maxRatioRotated}[orientation]
			file := filepath.Join(b.TempDir(), "photo.jpg")
			inChild(b, taskPhoto, file, orientation)
			b.Run(sizes+"/"+orientation, func(b *testing.B) { compare(b, file, sizes, most) })
		}
	}
}

func compare(b *testing.B, file, sizes string, most float64) {
	var ours []time.Duration
	theirs := map[string][]time.Duration{}
	starts := []time.Duration{}
	peak, theirPeak := 0, 0
	for range b.N {
		s := inChild(b, taskTime, file, sizes)
		ours, peak = append(ours, s.CPU), max(peak, s.Peak)
		for name, commands := range yardsticks[sizes] {
			took, memory := vipsthumbnail(b, file, commands)
			theirs[name] = append(theirs[name], took)
			theirPeak = max(theirPeak, memory)
		}
		start, _ := vipsthumbnail(b, file, [][]string{{"--vips-version"}})
		starts = append(starts, start)
	}
	best, bestNet := time.Hour, time.Hour
	for name, took := range theirs {
		best = min(best, median(took))
		bestNet = min(bestNet, median(took)-time.Duration(len(yardsticks[sizes][name]))*median(starts))
	}
	ratio := float64(median(ours)) / float64(bestNet)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(median(ours)), "cpu-ms")
	b.ReportMetric(milliseconds(best), "vipsthumbnail-cpu-ms")
	b.ReportMetric(milliseconds(bestNet), "vipsthumbnail-net-cpu-ms")
	b.ReportMetric(float64(median(ours))/float64(best), "cpu-ratio")
	b.ReportMetric(ratio, "net-cpu-ratio")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	b.ReportMetric(float64(theirPeak)/1e6, "vipsthumbnail-peak-MB")
	if ratio > most {
		b.Errorf(
			"a picture takes %.2f times the processor time that vipsthumbnail takes, its starts left out; %.1f is allowed",
			ratio,
			most,
		)
	}
	if float64(peak) > maxPeak {
		b.Errorf("a picture takes %.0f MB; %.0f MB are allowed", float64(peak)/1e6, maxPeak/1e6)
	}
}

// vipsthumbnail runs commands one after the other and sums up their processor time; memory is that of the largest.
func vipsthumbnail(b *testing.B, file string, commands [][]string) (took time.Duration, memory int) {
	b.Helper()
	dir := b.TempDir()
	for _, args := range commands {
		args = slices.Clone(args)
		for i, arg := range args {
			args[i] = strings.NewReplacer(in, file, out, dir).Replace(arg)
		}
		cmd := exec.CommandContext(b.Context(), "vipsthumbnail", args...)
		cmd.Env = append(cmd.Environ(), "VIPS_CONCURRENCY=1")
		said, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", said)
		took += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		memory = max(memory, int(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)<<10)
	}
	return took, memory
}

func median(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
