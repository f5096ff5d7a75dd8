package avatar

import (
	"slices"
	"strings"
)

// RequiredEnv is what the environment of a process that renders pictures should hold before it starts: libvips
// and the C library read it while they initialise, which is before main.
var RequiredEnv = map[string]string{
	// Loaders that libvips does not trust stay off from the first instruction on. New blocks them, and more, too.
	"VIPS_BLOCK_UNTRUSTED": "1",
	// Threads share their heaps, so that memory freed by one render serves the next, whichever thread runs it.
	"MALLOC_ARENA_MAX": "2",
}

// Environment returns environ, which has the form of os.Environ, with what it lacks of RequiredEnv, and whether
// it lacked any: then a command that is about to render should execute itself anew. Values that are set are
// kept; VIPS_BLOCK_UNTRUSTED counts whatever its value.
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
