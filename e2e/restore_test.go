package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
)

// TestRestore does what docs/operations.md says of a backup: of Postgres, of the bucket and of Temporal, whose database
// is a file here. After a loss of all three, accounts and avatars are there, and an email that was waiting goes out.
func TestRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack, err := devstack.Start(t.Context(), devstack.Options{
		Dir: dir, Ephemeral: true,
		Services: []devstack.Service{devstack.Postgres, devstack.Redis, devstack.Temporal, devstack.Inbox},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	s := newSystemOn(t, stack, stack.DatabaseURL())
	api, worker := s.startAPI(t), s.startWorker(t)
	require.NoError(t, stack.Stop(devstack.Inbox))
	user, account := s.client.register(t, "carol", "Carol")
	require.Equal(t, http.StatusAccepted, user.putAvatar(t, bigPicture(t)).status)
	var picture string
	eventually(t, func(c *assert.CollectT) {
		upload := user.get(c, "/users/me/avatar").data(c)
		require.Equal(c, "ready", upload["status"])
		picture = upload["avatar"].(map[string]any)["medium"].(string)
		var attempts int
		require.NoError(
			c,
			s.store.DB().NewRaw("SELECT count(*) FROM emails WHERE user_id = ? AND last_answer <> '' AND state <> 'sent'",
				account.User.ID).Scan(t.Context(), &attempts),
		)
		require.NotZero(c, attempts, "an email is retried")
	}, "the avatar is there, and the email is not")

	api.stop(t)
	worker.stop(t)
	require.NoError(t, stack.Stop(devstack.Temporal))
	backup, temporal := t.TempDir(), filepath.Join(dir, string(devstack.Temporal))
	dump := filepath.Join(backup, "watchparty.dump")
	runCommand(t, "pg_dump", "--format", "custom", "--file", dump, stack.DatabaseURL())
	require.NoError(t, os.CopyFS(filepath.Join(backup, "files"), os.DirFS(s.files)))
	require.NoError(t, os.CopyFS(filepath.Join(backup, "temporal"), os.DirFS(temporal)))

	runCommand(t, "psql", "--quiet", "--command", "DROP SCHEMA public CASCADE", stack.DatabaseURL())
	for _, folder := range []string{s.files, temporal} {
		require.NoError(t, os.RemoveAll(folder))
	}

	runCommand(t, "psql", "--quiet", "--command", "CREATE SCHEMA public", stack.DatabaseURL())
	runCommand(
		t, "pg_restore", "--exit-on-error", "--no-owner", "--clean", "--if-exists", "--dbname", stack.DatabaseURL(), dump,
	)
	require.NoError(t, os.CopyFS(s.files, os.DirFS(filepath.Join(backup, "files"))))
	require.NoError(t, os.CopyFS(temporal, os.DirFS(filepath.Join(backup, "temporal"))))
	require.NoError(t, stack.Restart(t.Context(), devstack.Temporal))
	require.NoError(t, stack.Restart(t.Context(), devstack.Inbox))
	s.startAPI(t)
	s.startWorker(t)
	require.Equal(t, "carol", user.get(t, "/users/me").data(t)["username"])
	shown, err := httpClient.Get(picture)
	require.NoError(t, err)
	require.NoError(t, shown.Body.Close())
	require.Equal(t, http.StatusOK, shown.StatusCode)
	eventually(t, func(c *assert.CollectT) {
		var sent int
		require.NoError(
			c,
			s.store.DB().NewRaw("SELECT count(*) FROM emails WHERE user_id = ? AND state = 'sent'", account.User.ID).
				Scan(t.Context(), &sent),
		)
		assert.NotZero(c, sent)
	}, "the email is sent")
}

func runCommand(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
