package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine is a bare machine: commands that note their calls, and nothing else but what any system has.
type machine struct{ root, bin, calls string }

func newMachine(t *testing.T, commands map[string]string) machine {
	t.Helper()
	root := t.TempDir()
	m := machine{root: root, bin: filepath.Join(root, "commands"), calls: filepath.Join(root, "calls")}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "deploy"), 0o750))
	require.NoError(t, os.Mkdir(m.bin, 0o750))
	script, err := os.ReadFile("setup.sh")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "deploy", "setup.sh"), script, 0o600))
	for _, tool := range []string{"sh", "dirname", "grep", "cat", "touch", "chmod"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(m.bin, tool)))
	}
	for name, body := range commands {
		m.add(t, name, body)
	}
	return m
}

func (m machine) add(t *testing.T, name, body string) {
	t.Helper()
	text := "#!/bin/sh\necho " + name + " \"$@\" >> " + m.calls + "\n" + body + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(m.bin, name), []byte(text), 0o700)) //nolint:gosec // a command
}

// setUp runs setup.sh run, and returns what it says and which commands it calls.
func (m machine) setUp(t *testing.T) (said, calls string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(m.bin, "sh"), filepath.Join(m.root, "deploy", "setup.sh"), "run")
	cmd.Env = []string{"PATH=" + m.bin}
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	made, err := os.ReadFile(m.calls)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return string(output), string(made)
}

// bareDebian has apt, which "installs" Redis, and is used by root.
func bareDebian() map[string]string {
	return map[string]string{
		"go":      "",
		"id":      "echo 0",
		"env":     `while [ "${1#*=}" != "$1" ]; do shift; done; exec "$@"`,
		"mkdir":   "",
		"tee":     "cat >/dev/null",
		"apt-get": `case "$*" in *redis-server*) printf '#!/bin/sh\n' > "${0%/*}/redis-server"; chmod +x "${0%/*}/redis-server" ;; esac`,
	}
}

func TestSetupSaysFirstWhatItWillDo(t *testing.T) {
	said, calls := newMachine(t, bareDebian()).setUp(t)
	plan, done, found := strings.Cut(said, "installing: ")
	require.True(t, found, said)
	for _, word := range []string{"libvips-dev", "redis-server", "build bin/temporal v", "minutes", ".watchparty/"} {
		require.Contains(t, plan, word)
	}
	require.Contains(t, done, "redis-server")
	require.NotContains(t, said, "[y/N]")
	require.Contains(t, calls, "apt-get -o DPkg::Lock::Timeout=300 install -q -y")
}

// TestSetupLeavesNoSecondRedis: the one that Debian starts is stopped, now and for later boots.
func TestSetupLeavesNoSecondRedis(t *testing.T) {
	t.Run("systemd", func(t *testing.T) {
		commands := bareDebian()
		commands["systemctl"] = ""
		_, calls := newMachine(t, commands).setUp(t)
		require.Contains(t, calls, "systemctl disable --now redis-server.service\n")
	})
	t.Run("without systemd", func(t *testing.T) {
		commands := bareDebian()
		commands["service"] = ""
		_, calls := newMachine(t, commands).setUp(t)
		require.Contains(t, calls, "service redis-server stop\n")
	})
	t.Run("a Redis of the user's own goes on", func(t *testing.T) {
		commands := bareDebian()
		commands["systemctl"], commands["redis-server"] = "", ""
		_, calls := newMachine(t, commands).setUp(t)
		require.NotContains(t, calls, "systemctl")
	})
}

func TestSetupIsSilentOnAMachineThatHasEverything(t *testing.T) {
	commands := bareDebian()
	for _, name := range []string{"pkg-config", "postgres", "redis-server", "temporal"} {
		commands[name] = ""
	}
	said, calls := newMachine(t, commands).setUp(t)
	require.Empty(t, said)
	require.NotContains(t, calls, "apt-get")
}
