package avatar

import (
	"slices"
	"strings"
)

// RequiredEnv is what the environment of a process that renders pictures should have when it starts: libvips and the C
// library read it during initialisation, which is before main.
var RequiredEnv = map[string]string{
	// Loaders that libvips does not trust are off from the first instruction on. New blocks them as well, and others.
	"VIPS_BLOCK_UNTRUSTED": "1",
	// Threads share their heaps, so that the next render can use memory that one render has freed, whichever thread runs
	// it.
	"MALLOC_ARENA_MAX": "2",
}

// Environment returns environ, which has the form of os.Environ, with the missing variables of RequiredEnv, and whether
// any was missing: then a command that is about to render should execute itself again. Variables that are set are kept;
// any value of VIPS_BLOCK_UNTRUSTED counts as set.
func Environment(environ []string) (env []string, changed bool) {
	env = slices.Clone(environ)
	for name, value := range RequiredEnv {
		isSet := func(s string) bool { return strings.HasPrefix(s, name+"=") }
		if !slices.ContainsFunc(env, isSet) {
			env, changed = append(env, name+"="+value), true
		}
	}
	return env, changed
}
