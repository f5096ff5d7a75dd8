package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/watchparty/watchparty/bench/cached"
	"github.com/watchparty/watchparty/bench/live"
)

// groups are the names of several sections at once: that of a group, a hyphen, and the part.
var groups = map[string]func() []string{"live": live.Parts, "cached": cached.Parts}

// plots is the folder of the pictures in RESULTS.md.
var plots = filepath.Join("bench", "plots")

// expand replaces the name of a group by those of its sections.
func expand(names []string) (all []string) {
	for _, name := range names {
		parts, ok := groups[name]
		if !ok {
			all = append(all, name)
			continue
		}
		for _, part := range parts() {
			all = append(all, name+"-"+part)
		}
	}
	return all
}

// environment returns the variables with which the measured program finds its commands: PATH, HOME and TMPDIR.
func environment() ([]string, error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	return []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
	}, nil
}

// cachedSection is a part of the measurement of the cache.
func cachedSection(part, title, about string) section {
	return section{
		name: "cached-" + part, title: title,
		about: strings.TrimSpace(about) + "\nWhat the figures mean is in [cached/README.md](cached/README.md).",
		program: func(ctx context.Context, log io.Writer) (string, error) {
			environ, err := environment()
			if err != nil {
				return "", err
			}
			m := &cached.Measurement{Log: log, Dir: plots, Environ: environ, Quick: quick, Profiles: profiles}
			return m.Run(ctx, part)
		},
	}
}
