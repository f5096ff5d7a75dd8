package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/migrations"
	"github.com/watchparty/watchparty/store"
)

// migrate brings the database up to date, or takes the newest step back.
func (p program) migrate(ctx context.Context) error {
	down := len(p.args) == 1 && p.args[0] == "down"
	if len(p.args) > 0 && !down {
		return errUsage
	}
	return p.withStore(func(s *store.Store) error {
		if down {
			return migrations.Down(ctx, s.DB())
		}
		applied, err := migrations.Up(ctx, s.DB())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d migrations applied\n", len(applied))
		return err
	})
}

// admin grants rights.
func (p program) admin(ctx context.Context) error {
	if len(p.args) != 2 || p.args[0] != "grant" {
		return errUsage
	}
	return p.withStore(func(s *store.Store) error {
		user, err := s.GrantAdmin(ctx, p.args[1])
		if err != nil {
			return fmt.Errorf("grant admin to %s: %w", p.args[1], err)
		}
		_, err = fmt.Fprintf(p.stdout, "%s is an admin\n", user.Username)
		return err
	})
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

// openStore allows long statements: migrations may take their time.
func openStore(cfg config.Config) (*store.Store, error) {
	cfg.Database.StatementTimeout *= 60
	return store.Open(cfg.Database)
}

// version prints what the build knows of itself.
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
