package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres, devstack.Temporal))
}

// TestMigrateWait: it returns once another process has brought the database up to date, and not before.
func TestMigrateWait(t *testing.T) {
	t.Parallel()
	url := stacktest.DatabaseURL(t)
	environ := []string{
		"APP_ENV=production", "AUTH_SECRET=" + strings.Repeat("s", 32), "DATABASE_URL=" + url,
		"REDIS_URL=redis://127.0.0.1:1", "SMTP_HOST=127.0.0.1", "BLOB_URL=mem://",
	}
	// wait runs the command, and returns its first line and what tells of its end.
	wait := func(ctx context.Context, environ []string) (string, <-chan error) {
		lines, said := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := run(ctx, []string{"migrate", "wait"}, environ, said, io.Discard)
			_ = said.Close()
			ended <- err
		}()
		reader := bufio.NewReader(lines)
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		go func() { _, _ = io.Copy(io.Discard, reader) }() // it says more when it sees a part of the migrations
		return line, ended
	}
	line, ended := wait(t.Context(), environ)
	require.Regexp(t, `^waiting for \d\d+ migrations\n$`, line)
	require.Empty(t, ended)
	require.NoError(t, run(t.Context(), []string{"migrate"}, environ, io.Discard, io.Discard))
	require.NoError(t, <-ended)

	// On the way back to this release, the database has steps of a later one.
	cfg := config.Database{URL: url, MaxConns: 2, StatementTimeout: 30 * time.Second}
	s, err := store.Open(cfg, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.DB().NewRaw("INSERT INTO bun_migrations (name, group_id, migrated_at) VALUES ('999', 999, now())").
		Exec(t.Context())
	require.NoError(t, err)
	for _, command := range [][]string{{"migrate"}, {"migrate", "wait"}} {
		require.NoError(t, run(t.Context(), command, environ, io.Discard, io.Discard), command)
	}

	ctx, cancel := context.WithCancel(t.Context())
	away := append(slices.Clone(environ), "DATABASE_URL=postgres://watchparty@127.0.0.1:1/watchparty?sslmode=disable")
	line, ended = wait(ctx, away)
	require.Contains(t, line, "waiting for the database")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestAdminCommand: grant, revoke and list, with what they say; what is refused stores nothing.
func TestAdminCommand(t *testing.T) {
	t.Parallel()
	url := stacktest.DatabaseURL(t)
	environ := []string{
		"APP_ENV=production",
		"AUTH_SECRET=" + strings.Repeat("s", 32),
		"DATABASE_URL=" + url,
		"REDIS_URL=redis://127.0.0.1:1",
		"SMTP_HOST=127.0.0.1",
		"BLOB_URL=mem://",
	}
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), args, environ, &out, io.Discard)
		return out.String(), err
	}
	_, err := command("migrate")
	require.NoError(t, err)
	cfg := config.Database{URL: url, MaxConns: 2, StatementTimeout: 30 * time.Second}
	s, err := store.Open(cfg, auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for _, name := range []string{"ada", "bob"} {
		r := watchparty.Registration{Username: name, Email: name + "@example.org", DisplayName: name}
		_, err := s.CreateUser(t.Context(), r, "none")
		require.NoError(t, err)
	}

	_, err = command("admin", "grant", "ada@example.org")
	require.ErrorIs(t, err, watchparty.ErrAccountUnverified)
	require.Contains(t, err.Error(), "not confirmed")
	said, err := command("admin", "list")
	require.NoError(t, err)
	require.Empty(t, said)

	_, err = s.DB().ExecContext(t.Context(), "UPDATE users SET email_verified_at = now()")
	require.NoError(t, err)
	for _, email := range []string{"ada@example.org", "bob@example.org"} {
		said, err = command("admin", "grant", email)
		require.NoError(t, err)
		require.Contains(t, said, "is an admin")
	}
	_, err = s.DB().ExecContext(t.Context(), "UPDATE users SET suspended_at = now() WHERE username = 'bob'")
	require.NoError(t, err)
	said, err = command("admin", "list")
	require.NoError(t, err)
	require.Equal(t, "bob\tbob@example.org\tsuspended\nada\tada@example.org\tactive\n", said)

	_, err = command("admin", "revoke", "ada@example.org")
	require.ErrorIs(t, err, watchparty.ErrLastAdmin)
	said, err = command("admin", "revoke", "bob@example.org")
	require.NoError(t, err)
	require.Equal(t, "bob is not an admin\n", said)
	_, err = command("admin", "revoke", "nobody@example.org")
	require.ErrorIs(t, err, watchparty.ErrNotFound)

	// The first admin of a new installation.
	said, err = command("admin", "create", "grace", "grace@example.org")
	require.NoError(t, err)
	found := regexp.MustCompile(`^grace is an admin with the password (\S{20,})\n`).FindStringSubmatch(said)
	require.Len(t, found, 2, said)
	_, hash, err := s.Credentials(t.Context(), "grace@example.org")
	require.NoError(t, err)
	turn, err := auth.NewPasswords(1, auth.OWASP).Wait(t.Context())
	require.NoError(t, err)
	right, err := turn.Verify(found[1], hash)
	turn.End()
	require.NoError(t, err)
	require.True(t, right)
	said, err = command("admin", "list")
	require.NoError(t, err)
	require.Contains(t, said, "grace\tgrace@example.org\tactive\n")
	_, err = command("admin", "create", "other", "bob@example.org")
	require.ErrorIs(t, err, watchparty.ErrEmailTaken, "an account that is there may be somebody else's")
	_, err = command("admin", "create", "x", "x@example.org")
	require.ErrorContains(t, err, "username")

	for _, args := range [][]string{
		{"admin"}, {"admin", "grant"}, {"admin", "list", "all"}, {"admin", "make", "ada@example.org"},
	} {
		_, err = command(args...)
		require.ErrorIs(t, err, errUsage)
	}
}

// TestAdminCommandAnnounces: when the command has ended, a process that caches knows what it changed.
func TestAdminCommandAnnounces(t *testing.T) {
	t.Parallel()
	environ := []string{
		"APP_ENV=production",
		"AUTH_SECRET=" + strings.Repeat("s", 32),
		"DATABASE_URL=" + stacktest.MigratedURL(t),
		"REDIS_URL=redis://127.0.0.1:1",
		"SMTP_HOST=127.0.0.1",
		"BLOB_URL=mem://",
	}
	cfg, err := config.Load(environ)
	require.NoError(t, err)
	s, err := openStore(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	log := slog.New(slog.DiscardHandler)
	reader := coherence.NewMember(s.Journal(), bus.New(nil, config.Redis{}, log),
		coherence.Options{Reads: true, Timing: coherence.DefaultTiming(), Log: log})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-ended) })

	for i := range 5 {
		require.Eventually(t, func() bool { return reader.Lease().InForce() }, time.Minute, time.Millisecond)
		name := fmt.Sprint("grace", i)
		tags := []string{coherence.TagProfile(name)}
		snapshot, err := reader.Snapshot(t.Context(), tags)
		require.NoError(t, err)
		require.True(t, reader.Ledger().Fresh(snapshot, tags))
		command := []string{"admin", "create", name, name + "@example.org"}
		require.NoError(t, run(t.Context(), command, environ, io.Discard, io.Discard))
		if reader.Lease().InForce() {
			require.False(t, reader.Ledger().Fresh(snapshot, tags))
		}
	}
}
