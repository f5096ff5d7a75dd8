package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Options say what Start starts, and where.
type Options struct {
	// Dir is the data folder; it is made if missing. Ephemeral stacks may leave it empty for a new temporary folder,
	// in memory if there is room.
	Dir      string
	Ports    Ports
	Services []Service
	// Progress receives messages for people, one at a time; nil is silent.
	Progress func(format string, args ...any)
	// TemporalBinary is the temporal command. Empty: bin/temporal here or in a parent folder up to the module's root,
	// then PATH.
	TemporalBinary string
	// Prometheus are the files of Prometheus' settings, by name: prometheus.yml and what it names.
	Prometheus map[string]string
	// Ephemeral makes a stack for tests: nothing is synced to disk (data survives killed servers, not a crash of the
	// machine), Redis does not persist, Close stops at once and removes the data, and on Linux the servers cannot
	// outlive this process.
	Ephemeral bool
}

// normalise checks o, makes its folder and sets defaults.
func (o *Options) normalise() error {
	if len(o.Services) == 0 {
		return errors.New("no service to start")
	}
	for _, s := range o.Services {
		if s != Postgres && s != Redis && s != Temporal && s != Inbox && s != Prometheus {
			return fmt.Errorf("unknown service %q", s)
		}
	}
	o.Progress = oneAtATime(o.Progress)
	return o.makeDir()
}

func (o *Options) makeDir() error {
	if o.Dir == "" {
		return o.makeTemporaryDir()
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	o.Dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return nil
}

func (o *Options) makeTemporaryDir() error {
	if !o.Ephemeral {
		return errors.New("no data folder given")
	}
	dir, err := os.MkdirTemp(memoryFolder(), temporaryPattern)
	if err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	o.Dir = dir
	// The user postgres must be able to pass through it.
	return os.Chmod(dir, 0o711)
}

// temporalUI reports whether Temporal serves its UI.
func (o *Options) temporalUI() bool { return !o.Ephemeral || o.Ports.TemporalUI != 0 }

func oneAtATime(progress func(string, ...any)) func(string, ...any) {
	if progress == nil {
		return func(string, ...any) {}
	}
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		progress(format, args...)
	}
}
