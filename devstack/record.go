package devstack

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// record is a pid file: the process ID in the first line, then one line for each text that the process's command
// line must contain to be ours. Process IDs are used again by the system, so the ID alone proves nothing.
type record struct {
	pid   int
	marks []string
}

func (r record) write(path string) error {
	lines := append([]string{strconv.Itoa(r.pid)}, r.marks...)
	// Renamed into place: a half-written record would hide an orphan.
	if err := os.WriteFile(path+".new", []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the pid file: %w", err)
	}
	return os.Rename(path+".new", path)
}

// readRecord answers false for a file that is missing or says nothing useful.
func readRecord(path string) (record, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return record{}, false
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	pid, err := strconv.Atoi(lines[0])
	if err != nil || pid <= 1 || len(lines) < 2 {
		return record{}, false
	}
	return record{pid: pid, marks: lines[1:]}, true
}

// alive tells whether the recorded process still runs.
func (r record) alive(ctx context.Context) bool {
	command := commandLine(ctx, r.pid)
	if command == "" {
		return false
	}
	for _, mark := range r.marks {
		if !strings.Contains(command, mark) {
			return false
		}
	}
	return true
}
