package devstack

import "syscall"

// memoryFolder is a folder in memory with room for the data of tests, whose thousands of small files a disk makes
// slowly, and a full disk much more so. It is empty if there is none.
func memoryFolder() string {
	const folder, room = "/dev/shm", 4 << 30
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil || s.Bavail*uint64(s.Bsize) < room { //nolint:gosec // is positive
		return ""
	}
	return folder
}
