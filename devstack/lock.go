package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// acquire locks a data folder for this process. The system releases the lock when the process ends in any way, and
// children do not inherit it.
func acquire(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(inUse(path), file.Close())
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.WriteString(strconv.Itoa(os.Getpid()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), file.Close())
	}
	return file, nil
}

// release unlocks the folder. Closing the file would not be enough: a child that is being started at this moment has the
// file as well, until it executes its program.
func release(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

func inUse(path string) error {
	holder, _ := os.ReadFile(path)
	return fmt.Errorf("%s is in use by process %s: stop it first, or choose another folder",
		filepath.Dir(filepath.Dir(path)), strings.TrimSpace(string(holder)))
}
