//go:build !linux

package devstack

// memoryFolder is empty: only Linux has such a folder as a rule.
func memoryFolder() string { return "" }
