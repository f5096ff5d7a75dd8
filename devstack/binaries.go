package devstack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// postgresBinaries finds the folder that has initdb and postgres. It prefers the wanted major version (empty: any),
// since no other version can read the data.
func postgresBinaries(version string) (string, error) {
	candidates := postgresFolders()
	if version != "" {
		slices.SortStableFunc(candidates, func(a, b string) int {
			return boolOrder(namesVersion(b, version), namesVersion(a, version))
		})
	}
	for _, dir := range candidates {
		if executable(filepath.Join(dir, "postgres")) && executable(filepath.Join(dir, "initdb")) {
			return dir, nil
		}
	}
	return "", missing("Postgres", "apt-get install postgresql", "brew install postgresql@17")
}

// postgresFolders lists PATH, then the folders of Debian and Homebrew, newest version first.
func postgresFolders() []string {
	found := filepath.SplitList(os.Getenv("PATH"))
	var versioned []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/usr/pgsql-*/bin",
	} {
		matches, _ := filepath.Glob(pattern)
		versioned = append(versioned, matches...)
	}
	slices.SortStableFunc(versioned, func(a, b string) int { return versionIn(b) - versionIn(a) })
	found = append(found, versioned...)
	return append(found, "/opt/homebrew/opt/postgresql/bin", "/usr/local/opt/postgresql/bin", "/usr/local/pgsql/bin")
}

// versionIn returns the major version in the name of a folder like /usr/lib/postgresql/15/bin, or 0.
func versionIn(dir string) int {
	name := filepath.Base(filepath.Dir(dir))
	version, err := strconv.Atoi(name[strings.LastIndexAny(name, "@-")+1:])
	if err != nil {
		return 0
	}
	return version
}

func namesVersion(dir, version string) bool { return strconv.Itoa(versionIn(dir)) == version }

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func redisBinary() (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/opt/homebrew/bin", "/usr/local/bin") {
		if path := filepath.Join(dir, "redis-server"); executable(path) {
			return path, nil
		}
	}
	return "", missing("Redis", "apt-get install redis-server", "brew install redis")
}

func temporalBinary(given string) (string, error) {
	if given != "" {
		if !executable(given) {
			return "", fmt.Errorf("Temporal: %s is not a program", given)
		}
		return filepath.Abs(given)
	}
	if path, ok := builtTemporal(); ok {
		return path, nil
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return filepath.Abs(path)
	}
	return "", missing("Temporal", "make setup", "go install github.com/temporalio/cli/cmd/temporal@v1.5.1")
}

// builtTemporal looks for bin/temporal from here up to the module's root: tests run in their package's folder.
func builtTemporal() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if path := filepath.Join(dir, "bin", "temporal"); executable(path) {
			return path, true
		}
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		parent := filepath.Dir(dir)
		if err == nil || parent == dir {
			return "", false
		}
		dir = parent
	}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func missing(name, first, second string) error {
	return fmt.Errorf("%s is not installed: %s, or %s", name, first, second)
}
