package devstack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
)

var postgresOnly = []devstack.Service{devstack.Postgres}

func TestUnfinishedDatabaseIsReplaced(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	home := filepath.Join(dir, "postgres")
	for _, name := range []string{"unfinished-1", "data"} {
		require.NoError(t, os.MkdirAll(filepath.Join(home, name, "base"), 0o700))
	}
	s := start(t, devstack.Options{Dir: dir, Services: postgresOnly, Ephemeral: true})
	require.Zero(t, count(t, s.DatabaseURL(), "pg_tables WHERE schemaname = 'public'"))
	require.NoDirExists(t, filepath.Join(home, "unfinished-1"))
}

func TestPidFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	options := devstack.Options{Dir: dir, Services: postgresOnly}
	require.NoError(t, start(t, options).Close())

	// A program of the same user, as Postgres ignores those of others.
	stranger := devstack.Bystander(t, func(cmd *exec.Cmd) { asPostgres(t, cmd) })
	data := filepath.Join(dir, "postgres", "data")
	pidFile := fmt.Sprintf("%d\n%s\n1\n1\n\n127.0.0.1\n", stranger.Pid, data)
	require.NoError(t, os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(pidFile), 0o600))

	start(t, options)
	require.True(t, running(stranger.Pid))
}

func TestFolderThatPostgresCannotReach(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs Postgres as another user")
	}
	t.Parallel()
	var progress lines
	closed := filepath.Join(reachable(t), "home")
	require.NoError(t, os.Mkdir(closed, 0o700))
	options := devstack.Options{
		Dir:       filepath.Join(closed, "data"),
		Services:  postgresOnly,
		Progress:  progress.add,
		Ephemeral: true,
	}

	s := start(t, options)
	require.Contains(t, progress.String(), "cannot reach "+options.Dir)
	execute(t, s.DatabaseURL(), "CREATE TABLE kept (id int)")
	require.NoError(t, s.Kill(devstack.Postgres))
	require.NoError(t, s.Restart(t.Context(), devstack.Postgres))
	require.Zero(t, count(t, s.DatabaseURL(), "kept"))
	require.NoError(t, s.Close())
	require.NoDirExists(t, options.Dir)
}
