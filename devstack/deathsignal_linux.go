package devstack

import "syscall"

// dieWithParent makes the kernel send s when the thread that starts the child ends.
func dieWithParent(attr *syscall.SysProcAttr, s syscall.Signal) { attr.Pdeathsig = s }
