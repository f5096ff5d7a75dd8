package cached

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/watchparty/watchparty/devstack/mutant"
)

// variant is the program, or the program with some edits of its source, or a former one. The program itself has no
// switches for such comparisons.
type variant struct {
	name   string
	edits  []mutant.Edit
	commit string // of the former program
}

var (
	// program is the unchanged program.
	program = variant{name: "program"}
	// uncached never uses its cache, like a process that gets no lease: each read comes from Postgres.
	uncached = variant{name: "uncached", edits: []mutant.Edit{{
		"coherence/member.go",
		"return now() < time.Duration(l.member.end.Load()) && l.member.term.Load() == l.term",
		"return false",
	}}}
	// undurable does not announce what a transaction changes: it stores no row for it, and sends no message before the
	// commit.
	undurable = variant{name: "undurable", edits: []mutant.Edit{{
		"store/store.go", "return s.announceTags(ctx, tx, tags)", "return nil",
	}}}
	// former is the program before it had leases: its entries are only in Redis, whose breaker opens when the machine
	// is busy.
	former = variant{name: "former", commit: "930f2cccc6df"}
)

// build builds a variant, once, and returns its path.
func (m *Measurement) build(ctx context.Context, v variant) (string, error) {
	if path, ok := m.built[v.name]; ok {
		return path, nil
	}
	path := filepath.Join(m.scratch, "watchparty-"+v.name)
	args := []string{"build", "-o", path}
	source := filepath.Join(m.scratch, v.name)
	if len(v.edits) > 0 || v.commit != "" {
		if err := os.Mkdir(source, 0o700); err != nil {
			return "", err
		}
	}
	if len(v.edits) > 0 {
		overlay, err := mutant.Overlay(source, ".", v.edits)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	m.logf("building: %s", v.name)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/watchparty")...) //nolint:gosec // the variants above
	if v.commit != "" {
		if err := checkOut(ctx, v.commit, source); err != nil {
			return "", err
		}
		cmd.Dir = source
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", v.name, err, out)
	}
	m.built[v.name] = path
	return path, nil
}

// checkOut writes the files of a commit into a folder.
func checkOut(ctx context.Context, commit, folder string) error {
	archive := exec.CommandContext(ctx, "git", "archive", commit)
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", folder)
	files, err := archive.StdoutPipe()
	if err != nil {
		return err
	}
	unpack.Stdin = files
	archive.Stderr, unpack.Stderr = os.Stderr, os.Stderr
	if err := archive.Start(); err != nil {
		return err
	}
	unpacked := unpack.Run()
	_ = files.Close() // or git would wait for a reader
	if err := errors.Join(unpacked, archive.Wait()); err != nil {
		return fmt.Errorf("check out %s: %w", commit, err)
	}
	return nil
}
