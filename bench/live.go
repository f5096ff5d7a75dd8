package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/watchparty/watchparty/bench/live"
)

// livePrefix is before the parts of live that are to be measured alone.
const livePrefix = "live:"

// plots is the folder of the pictures in RESULTS.md.
var plots = filepath.Join("bench", "plots")

// measureLive builds the program and measures live rooms with it.
func measureLive(ctx context.Context, log io.Writer, parts ...string) (string, error) {
	return measureLiveInto(ctx, plots, log, parts...)
}

func measureLiveInto(ctx context.Context, dir string, log io.Writer, parts ...string) (string, error) {
	folder, err := os.MkdirTemp("", "watchparty-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is temporary
	binary := filepath.Join(folder, "watchparty")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/watchparty")
	build.Stdout, build.Stderr = log, log
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build the program: %w", err)
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return "", err
	}
	m := &live.Measurement{Log: log, Dir: dir, Binary: binary, Environ: []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
	}}
	return m.Run(ctx, parts...)
}

// printLive measures some parts alone, and prints what RESULTS.md would have of them.
func printLive(ctx context.Context, parts string, log io.Writer) error {
	dir, err := os.MkdirTemp("", "watchparty-plots-")
	if err != nil {
		return err
	}
	table, err := measureLiveInto(ctx, dir, log, strings.Split(parts, ",")...)
	fmt.Fprintf(log, "\n%s\n\nplots are in %s\n", table, dir)
	return err
}
