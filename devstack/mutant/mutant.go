// Package mutant edits the code, so that a test can show what a rule of the code is for: without the rule, some test
// fails. The edited files are given to go build and go test as an overlay; the repository stays as it is.
package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Edit is a file, by its path in the repository, a text that is in it once, and what replaces the text.
type Edit [3]string

// Apply returns the edited files by their paths in the repository, which is at root.
func Apply(root string, edits []Edit) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range edits {
		path, old, replacement := e[0], e[1], e[2]
		text, seen := files[path]
		if !seen {
			content, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				return nil, fmt.Errorf("mutant: %w", err)
			}
			text = string(content)
		}
		if times := strings.Count(text, old); times != 1 {
			return nil, fmt.Errorf("mutant: %s has this text %d times, not once: %s", path, times, old)
		}
		files[path] = strings.Replace(text, old, replacement, 1)
	}
	return files, nil
}

// Overlay writes the edited files into a folder. It returns the path of the file that the option -overlay of go build
// and go test takes.
func Overlay(dir, root string, edits []Edit) (string, error) {
	files, err := Apply(root, edits)
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for path, text := range files {
		original, err := filepath.Abs(filepath.Join(root, path))
		if err != nil {
			return "", fmt.Errorf("mutant: %w", err)
		}
		edited := filepath.Join(dir, strconv.Itoa(len(replaced))+"-"+filepath.Base(path))
		if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("mutant: %w", err)
		}
		replaced[original] = edited
	}
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", fmt.Errorf("mutant: %w", err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, content, 0o600); err != nil {
		return "", fmt.Errorf("mutant: %w", err)
	}
	return overlay, nil
}
