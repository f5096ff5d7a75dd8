//go:build !linux

package devstack

import "syscall"

// dieWithParent does nothing, since only Linux can. The next Start finds the orphans instead.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
