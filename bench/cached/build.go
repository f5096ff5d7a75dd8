package cached

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// variant is the program, or the program with one line of its source replaced. The program itself has no switches for
// such comparisons.
type variant struct {
	name, file, line, replacement string
}

var (
	// program is the unchanged program.
	program = variant{name: "program"}
	// uncached never uses its cache, like a process that gets no lease: each read comes from Postgres.
	uncached = variant{
		name: "uncached", file: "coherence/member.go",
		line:        "return now() < time.Duration(l.member.end.Load()) && l.member.term.Load() == l.term",
		replacement: "return false",
	}
	// undurable does not announce what a transaction changes: it stores no row for it, and sends no message before the
	// commit.
	undurable = variant{
		name: "undurable", file: "store/store.go",
		line:        "return s.announceTags(ctx, tx, tags)",
		replacement: "return nil",
	}
)

// build builds a variant, once, and returns its path.
func (m *Measurement) build(ctx context.Context, v variant) (string, error) {
	if path, ok := m.built[v.name]; ok {
		return path, nil
	}
	path := filepath.Join(m.scratch, "watchparty-"+v.name)
	args := []string{"build", "-o", path}
	if v.file != "" {
		overlay, err := v.overlay(m.scratch)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	m.say("building: %s", v.name)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/watchparty")...) //nolint:gosec // the variants above
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", v.name, err, out)
	}
	m.built[v.name] = path
	return path, nil
}

// overlay writes what go build -overlay reads.
func (v variant) overlay(folder string) (string, error) {
	source, err := os.ReadFile(v.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), v.line); n != 1 {
		return "", fmt.Errorf("%s has %d times the line that the variant %s replaces", v.file, n, v.name)
	}
	original, err := filepath.Abs(v.file)
	if err != nil {
		return "", err
	}
	replaced := filepath.Join(folder, v.name+".go")
	changed := strings.Replace(string(source), v.line, v.replacement, 1)
	if err := os.WriteFile(replaced, []byte(changed), 0o600); err != nil {
		return "", err
	}
	content, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, v.name+".json")
	return file, os.WriteFile(file, content, 0o600)
}
