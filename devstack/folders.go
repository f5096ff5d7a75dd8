package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// folders has the paths below the data folder.
type folders struct{ dir string }

func (f folders) data(s Service) string    { return filepath.Join(f.dir, string(s)) }
func (f folders) log(s Service) string     { return filepath.Join(f.dir, "logs", string(s)+".log") }
func (f folders) pidFile(s Service) string { return filepath.Join(f.dir, "run", string(s)+".pid") }
func (f folders) lock() string             { return filepath.Join(f.dir, "run", "lock") }

// elsewhere lists the folders that replace dir if the user postgres cannot reach it, in order of preference. Their name
// depends on dir only, so that the data is found again.
func (f folders) elsewhere() []string {
	sum := sha256.Sum256([]byte(f.dir))
	name := "watchparty-" + hex.EncodeToString(sum[:6])
	return []string{filepath.Join(os.TempDir(), name), filepath.Join("/tmp", name)}
}

func (f folders) make() error {
	for _, name := range []string{"logs", "run"} {
		if err := os.MkdirAll(filepath.Join(f.dir, name), 0o755); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
	}
	return nil
}

// remove deletes what a stack makes, and dir itself if it is empty then.
func (f folders) remove() error {
	paths := f.elsewhere()
	for _, name := range []string{"logs", "run", string(Postgres), string(Redis), string(Temporal), string(Inbox)} {
		paths = append(paths, filepath.Join(f.dir, name))
	}
	var failed error
	for _, path := range paths {
		failed = errors.Join(failed, os.RemoveAll(path))
	}
	_ = os.Remove(f.dir)
	return failed
}
