package devstack

import "runtime"

// localeArguments select byte order for sorting, and Unicode for letters, so that lower() knows é. macOS has C.UTF-8
// only since version 15.
func localeArguments() []string {
	if runtime.GOOS == "darwin" {
		return []string{"--locale=C", "--lc-ctype=en_US.UTF-8"}
	}
	return []string{"--locale=C.UTF-8"}
}
