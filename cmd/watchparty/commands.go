package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/bus"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// waitPause is the time between two looks of migrate wait.
const waitPause = time.Second

// migrate brings the database up to date, reverts the newest step, or waits until another process has brought it up to
// date.
func (p program) migrate(ctx context.Context) error {
	act := p.migrateUp
	switch strings.Join(p.args, " ") {
	case "":
	case "down":
		act = p.migrateDown
	case "wait":
		act = p.waitForMigrations
	case "collisions":
		act = p.listCollisions
	default:
		return errUsage
	}
	return p.withStore(func(s *store.Store) error { return act(ctx, s) })
}

func (p program) migrateDown(ctx context.Context, s *store.Store) error {
	reverted, err := migrations.Down(ctx, s.DB())
	if err != nil {
		return err
	}
	if reverted == "" {
		reverted = "nothing, since no migration is applied"
	}
	_, err = fmt.Fprintln(p.stdout, "reverted", reverted)
	return err
}

func (p program) migrateUp(ctx context.Context, s *store.Store) error {
	applied, err := migrations.Up(ctx, s.DB())
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.stdout, "%d migrations applied\n", len(applied)); err != nil {
		return err
	}
	// This needs a new connection, since settings of a role apply to new connections only.
	if err := p.withStore(func(s *store.Store) error { return p.warnOfLog(ctx, s) }); err != nil {
		return err
	}
	collisions, err := s.AccountsWithOldSpelling(ctx, 1)
	if err != nil || len(collisions) == 0 {
		return err
	}
	_, err = fmt.Fprintln(p.stdout,
		"some accounts share their address with another, or have none: watchparty migrate collisions lists them")
	return err
}

// waitForMigrations returns when the database has all steps that this program knows. While the database is down it
// waits, too: it runs before programs whose servers start at the same time.
func (p program) waitForMigrations(ctx context.Context, s *store.Store) error {
	var said string
	for {
		pending, err := migrations.Pending(ctx, s.DB())
		if err == nil && pending == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		say := fmt.Sprintf("waiting for %d migrations", pending)
		if err != nil {
			say = "waiting for the database: " + oneLine(err)
		}
		if say != said {
			said = say
			if _, err := fmt.Fprintln(p.stdout, say); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(waitPause):
		}
	}
}

// warnOfLog prints what a superuser has to do if the migrations were not allowed to.
func (p program) warnOfLog(ctx context.Context, s *store.Store) error {
	logs, err := migrations.LogsValues(ctx, s.DB())
	if err != nil || !logs {
		return err
	}
	_, err = fmt.Fprint(
		p.stdout,
		`Postgres' log may show addresses and messages. As a superuser, for the role of DATABASE_URL:
  ALTER ROLE watchparty SET log_min_error_statement = panic;
  ALTER ROLE watchparty SET log_min_duration_statement = -1;
  ALTER ROLE watchparty SET log_min_duration_sample = -1;
  ALTER ROLE watchparty SET log_transaction_sample_rate = 0;
  ALTER ROLE watchparty SET log_statement = none;
  ALTER ROLE watchparty SET log_min_messages = warning;
  ALTER ROLE watchparty SET log_error_verbosity = terse;
`,
	)
	return err
}

// maxCollisions limits the list. An operator resolves these before asking for more.
const maxCollisions = 10_000

// listCollisions lists the accounts, by ID, that can only be found by one spelling of their address.
func (p program) listCollisions(ctx context.Context, s *store.Store) error {
	collisions, err := s.AccountsWithOldSpelling(ctx, maxCollisions)
	if err != nil {
		return err
	}
	for _, c := range collisions {
		line := c.UserID + " has an invalid address"
		if c.HolderID != "" {
			line = c.UserID + " shares its address with " + c.HolderID
		}
		if _, err := fmt.Fprintln(p.stdout, line); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.stdout, "%d accounts\n", len(collisions))
	return err
}

// admin grants and revokes an admin's rights, creates an admin, and lists all.
func (p program) admin(ctx context.Context) error {
	switch {
	case len(p.args) == 3 && p.args[0] == "create":
		return p.withMember(ctx, func(s *store.Store) error { return p.createAdmin(ctx, s, p.args[1], p.args[2]) })
	case len(p.args) == 2 && p.args[0] == "grant":
		return p.withMember(ctx, func(s *store.Store) error { return p.grantAdmin(ctx, s, p.args[1]) })
	case len(p.args) == 2 && p.args[0] == "revoke":
		return p.withMember(ctx, func(s *store.Store) error { return p.revokeAdmin(ctx, s, p.args[1]) })
	case len(p.args) == 1 && p.args[0] == "list":
		return p.withStore(func(s *store.Store) error { return p.listAdmins(ctx, s) })
	}
	return errUsage
}

// createAdmin creates an account with a confirmed address, a random password and an admin's rights. An account that
// exists stays as it is, since its password may be somebody else's.
func (p program) createAdmin(ctx context.Context, s *store.Store, username, email string) error {
	r := watchparty.Registration{Username: username, Email: email, Password: rand.Text()}
	r.Normalise()
	if err := r.Validate(); err != nil {
		return err
	}
	hash, err := auth.NewPasswords(1, auth.OWASP).Hash(ctx, r.Password)
	if err != nil {
		return err
	}
	user, err := s.CreateUser(ctx, r, hash)
	if err != nil {
		return fmt.Errorf("create admin %s: %w", username, err)
	}
	asked, err := s.FirstVerification(ctx, user.ID)
	if err != nil {
		return err
	}
	if err := s.VerifyEmail(ctx, asked.ID); err != nil {
		return err
	}
	if _, err := s.GrantAdmin(ctx, email); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is an admin with the password %s\nChange it after the first sign-in.\n",
		user.Username, r.Password)
	return err
}

func (p program) grantAdmin(ctx context.Context, s *store.Store, email string) error {
	user, err := s.GrantAdmin(ctx, email)
	if err != nil {
		return fmt.Errorf("grant admin to %s: %w", email, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is an admin\n", user.Username)
	return err
}

func (p program) revokeAdmin(ctx context.Context, s *store.Store, email string) error {
	user, err := s.RevokeAdmin(ctx, email)
	if err != nil {
		return fmt.Errorf("revoke admin of %s: %w", email, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is not an admin\n", user.Username)
	return err
}

// listAdmins prints a line for each admin, with the reason if one has no rights at the moment.
func (p program) listAdmins(ctx context.Context, s *store.Store) error {
	page := store.Page{Limit: adminsPage}
	for {
		admins, err := s.Users(ctx, watchparty.UserFilter{Admins: true}, page)
		if err != nil {
			return err
		}
		for _, admin := range admins {
			if _, err := fmt.Fprintf(p.stdout, "%s\t%s\t%s\n", admin.Username, admin.Email, standing(admin)); err != nil {
				return err
			}
		}
		if len(admins) < page.Limit {
			return nil
		}
		page.After = store.Keys{admins[len(admins)-1].ID}
	}
}

// adminsPage is how many admins are read at once.
const adminsPage = 100

func standing(admin watchparty.User) string {
	switch {
	case admin.Administers():
		return "active"
	case !admin.SuspendedAt.IsZero():
		return "suspended"
	}
	return "address not confirmed"
}

func (p program) withStore(use func(*store.Store) error) error {
	cfg, _, err := p.settings()
	if err != nil {
		return err
	}
	s, err := openStore(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return use(s)
}

// withMember is withStore for commands that change what processes cache. It announces the changes through the database
// alone, since a command may not have a Redis.
func (p program) withMember(ctx context.Context, use func(*store.Store) error) error {
	return p.withStore(func(s *store.Store) error {
		log := slog.New(slog.DiscardHandler)
		member := coherence.NewMember(s.Journal(), bus.New(nil, config.Redis{}, log),
			coherence.Options{Timing: coherence.DefaultTiming(), Log: log})
		s.OnChange(member.Announce)
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- member.Run(ctx) }()
		err := use(s)
		stop()
		return errors.Join(err, <-ended)
	})
}

// openStore opens the database without a short statement timeout, since migrations may take long.
func openStore(cfg config.Config) (*store.Store, error) {
	cfg.Database.StatementTimeout *= 60
	return store.Open(cfg.Database, auth.NewDigests(cfg.Auth.Secret, cfg.Auth.FormerSecrets...))
}

// version prints the version of the build.
func (p program) version() error {
	version, revision := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(p.stdout, "watchparty %s%s\n", version, revision)
	return err
}

// listSettings prints every setting with its default: as a file of variables, or as a page.
func (p program) listSettings() error {
	render := config.EnvExample
	switch strings.Join(p.args, " ") {
	case "":
	case "--markdown":
		render = config.Markdown
	default:
		return errUsage
	}
	_, err := io.WriteString(p.stdout, render())
	return err
}
