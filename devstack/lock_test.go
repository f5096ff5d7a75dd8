package devstack

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReleaseEndsTheLockInCopies: a child that is being started has a copy of the file.
func TestReleaseEndsTheLockInCopies(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := acquire(path)
	require.NoError(t, err)
	descriptor, err := syscall.Dup(int(lock.Fd()))
	require.NoError(t, err)
	copied := os.NewFile(uintptr(descriptor), path)
	defer copied.Close()
	_, err = acquire(path)
	require.ErrorContains(t, err, "is in use")
	require.NoError(t, release(lock))
	again, err := acquire(path)
	require.NoError(t, err)
	require.NoError(t, release(again))
}
