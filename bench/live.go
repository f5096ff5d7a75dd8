package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/watchparty/watchparty/bench/live"
)

// liveSection is a part of the measurement of live rooms.
func liveSection(part, title, about string) section {
	return section{
		name: "live-" + part, title: title,
		about:   about + "\nWhat the figures mean is in [live/README.md](live/README.md). Everything shares this machine.",
		program: func(ctx context.Context, log io.Writer) (string, error) { return measureLive(ctx, log, part) },
	}
}

// measureLive builds the program, and measures live rooms with it.
func measureLive(ctx context.Context, log io.Writer, part string) (string, error) {
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
	environ, err := environment()
	if err != nil {
		return "", err
	}
	m := &live.Measurement{Log: log, Dir: plots, Binary: binary, Environ: environ}
	return m.Run(ctx, part)
}
