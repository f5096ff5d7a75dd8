package devstack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	temporaryPrefix  = "watchparty-stack-"
	temporaryPattern = temporaryPrefix + "*"
)

// stopOrphans stops the servers that a killed process left running on these folders. The caller holds the lock.
func stopOrphans(ctx context.Context, f folders, progress func(string, ...any)) error {
	var group errgroup.Group
	for _, service := range []Service{Postgres, Redis, Temporal} {
		group.Go(func() error { return stopOrphan(ctx, f, service, progress) })
	}
	return group.Wait()
}

func stopOrphan(ctx context.Context, f folders, service Service, progress func(string, ...any)) error {
	path := f.pidFile(service)
	found, ok := readRecord(path)
	if ok && found.alive(ctx) {
		progress("stopping %s left over from an earlier run (process %d)", service.title(), found.pid)
		if err := endForeign(ctx, found.pid, orderlySignal(service)); err != nil {
			return fmt.Errorf("stop %s left over from an earlier run: %w", service.title(), err)
		}
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}

// orderlySignal asks for an end that loses nothing. To Postgres, SIGTERM would mean to wait for its clients first.
func orderlySignal(service Service) syscall.Signal {
	if service == Postgres {
		return syscall.SIGINT
	}
	return syscall.SIGTERM
}

// sweep removes what killed tests left in temporary folders, servers included. It is best effort: the stack that
// is being started does not depend on it.
func sweep() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPattern))
	inMemory, _ := filepath.Glob(filepath.Join(memoryFolder(), temporaryPattern))
	for _, dir := range slices.Concat(found, inMemory) {
		// A new folder may be about to be locked by the process that made it.
		if info, err := os.Stat(dir); err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		f := folders{dir}
		lock, err := acquire(f.lock())
		if err != nil {
			continue
		}
		if stopOrphans(ctx, f, func(string, ...any) {}) == nil {
			_ = f.remove()
		}
		_ = lock.Close()
	}
}
