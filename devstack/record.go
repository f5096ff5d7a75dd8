package devstack

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// record is a pid file: the process ID in the first line, then one line for each text that the command line of the
// process must contain. The process ID alone proves nothing, since the system reuses IDs.
type record struct {
	pid   int
	marks []string
}

func (r record) write(path string) error {
	lines := append([]string{strconv.Itoa(r.pid)}, r.marks...)
	// The file is renamed into place: an incomplete record would hide an orphan.
	if err := os.WriteFile(path+".new", []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the pid file: %w", err)
	}
	return os.Rename(path+".new", path)
}

// readRecord returns false for a missing or useless file.
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

// alive reports whether the recorded process still runs.
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
