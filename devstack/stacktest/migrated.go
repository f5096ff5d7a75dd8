package stacktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty/migrations"
)

// migrateTimeout limits all migrations of an empty database, on a busy machine.
const migrateTimeout = 2 * time.Minute

// MigratedURL makes a new database with all migrations and returns its URL. t.Cleanup drops the database and its
// connections. It is a copy of a template that the first call migrates, since a copy takes a tenth of the time of the
// migrations.
func MigratedURL(t testing.TB) string {
	t.Helper()
	source, err := template()
	if err != nil {
		t.Fatalf("migrate the template: %v", err)
	}
	base, name := databaseURL(), "test_"+uniqueName(t)
	execute(t, t.Context(), base, `CREATE DATABASE "`+name+`" TEMPLATE "`+source+`"`)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		execute(t, ctx, base, `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`)
	})
	return databaseNamed(name)
}

// template migrates the template, once per process, and returns its name.
var template = sync.OnceValues(func() (name string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), migrateTimeout)
	defer cancel()
	name = "template_" + strings.ToLower(rand.Text())
	admin := connect(databaseURL())
	defer admin.Close()
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE "`+name+`"`); err != nil {
		return "", fmt.Errorf("create: %w", err)
	}
	dropTemplate = func(ctx context.Context) error {
		admin := connect(databaseURL())
		defer admin.Close()
		_, err := admin.ExecContext(ctx, `DROP DATABASE "`+name+`"`)
		return err
	}
	db := bun.NewDB(connect(databaseNamed(name)), pgdialect.New())
	_, err = migrations.Up(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	// Postgres copies only databases without connections.
	if _, err := admin.ExecContext(ctx, `ALTER DATABASE "`+name+`" ALLOW_CONNECTIONS false`); err != nil {
		return "", fmt.Errorf("close to connections: %w", err)
	}
	return name, nil
})

// dropTemplate drops the template, since a server that the environment names outlives the tests.
var dropTemplate = func(context.Context) error { return nil }

func databaseNamed(name string) string {
	return changed(databaseURL(), func(u *url.URL) { u.Path = "/" + name })
}
