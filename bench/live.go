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

// livePrefix begins the names of the sections of live rooms. Without its hyphen it names all of them.
const livePrefix = "live-"

// plots is the folder of the pictures in RESULTS.md.
var plots = filepath.Join("bench", "plots")

// liveSection is a part of the measurement of live rooms.
func liveSection(part, title, about string) section {
	return section{
		name: livePrefix + part, title: title,
		about:   about + "\nWhat the figures mean is in [live/README.md](live/README.md). Everything shares this machine.",
		program: func(ctx context.Context, log io.Writer) (string, error) { return measureLive(ctx, log, part) },
	}
}

// expand replaces the name of all sections of live rooms by theirs.
func expand(names []string) (all []string) {
	for _, name := range names {
		if name+"-" != livePrefix {
			all = append(all, name)
			continue
		}
		for _, part := range live.Parts() {
			all = append(all, livePrefix+part)
		}
	}
	return all
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
	bin, err := filepath.Abs("bin")
	if err != nil {
		return "", err
	}
	m := &live.Measurement{Log: log, Dir: plots, Binary: binary, Environ: []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
	}}
	return m.Run(ctx, part)
}
