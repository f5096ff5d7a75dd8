// Package lint has the tools that read the contract, and their settings.
package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is a Git repository with a contract.
type repository struct{ dir string }

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "api"), 0o750))
	r.git(t, "init", "--quiet")
	return r
}

func (r repository) git(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"-c", "user.name=test", "-c", "user.email=test@example.org"}, args...)
	command := exec.CommandContext(t.Context(), "git", args...) //nolint:gosec // the test's own
	command.Dir = r.dir
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func (r repository) write(t *testing.T, contract string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "api", "openapi.yaml"), []byte(contract), 0o600))
	r.git(t, "add", "--all")
	r.git(t, "commit", "--quiet", "--message", "contract")
}

// compare runs breaking.sh in the repository.
func (r repository) compare(t *testing.T) (said string, failed bool) {
	t.Helper()
	script, err := filepath.Abs("breaking.sh")
	require.NoError(t, err)
	oasdiff, err := filepath.Abs("../../bin/oasdiff")
	require.NoError(t, err)
	require.FileExists(t, oasdiff, "`deploy/setup.sh test` installs it")
	command := exec.CommandContext(t.Context(), "sh", script) //nolint:gosec // the test's own
	command.Dir = r.dir
	command.Env = append(os.Environ(), "OASDIFF="+oasdiff)
	out, err := command.CombinedOutput()
	return string(out), err != nil
}

func TestBreakingChanges(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	released := string(contract)
	change := func(from, to string) string {
		require.True(t, strings.Contains(released, from), from)
		return strings.Replace(released, from, to, 1)
	}
	r := newRepository(t)
	r.write(t, released)
	said, failed := r.compare(t)
	require.False(t, failed, said)
	require.Contains(t, said, "There is no tag yet")

	r.git(t, "tag", "v1.0.0")
	for name, c := range map[string]struct {
		contract string
		fails    string
	}{
		"nothing":       {released, ""},
		"a description": {change("summary: Create an account", "summary: Make an account"), ""},
		"a property fewer": {
			change("        access_token: {type: string,", "        token: {type: string,"), "access_token",
		},
		"a required property": {
			change("required: [username, email, password]", "required: [username, email, password, language]"), "language",
		},
		"another path": {change("  /auth/logout:\n", "  /auth/sign-out:\n"), "/auth/logout"},
	} {
		r.write(t, c.contract+"\n# "+name+"\n")
		said, failed := r.compare(t)
		require.Contains(t, said, "since v1.0.0", name)
		require.Equal(t, c.fails != "", failed, "%s: %s", name, said)
		require.Contains(t, said, c.fails, name)
	}

	r.git(t, "rm", "--quiet", "api/openapi.yaml")
	r.git(t, "commit", "--quiet", "--message", "no contract")
	r.git(t, "tag", "v2.0.0")
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "api"), 0o750))
	r.write(t, released)
	said, failed = r.compare(t)
	require.False(t, failed, said)
	require.Contains(t, said, "There is no contract in v2.0.0")
}
