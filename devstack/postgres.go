package devstack

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/uptrace/bun/driver/pgdriver"
)

// postgres has the place of a cluster and the account that runs it.
type postgres struct {
	stack    *Stack
	binaries string   // the folder of initdb and postgres
	home     string   // the server's own folder; the cluster is in data below it
	account  *account // nil for the account of this process
}

func newPostgres(ctx context.Context, s *Stack) (*program, error) {
	p := &postgres{stack: s}
	var err error
	// This comes first, so that a missing installation leaves nothing behind.
	if p.binaries, err = postgresBinaries(""); err != nil {
		return nil, err
	}
	if p.account, err = postgresAccount(); err != nil {
		return nil, err
	}
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	if p.binaries, err = postgresBinaries(p.version()); err != nil {
		return nil, err
	}
	if err := p.readPidFile(ctx); err != nil {
		return nil, err
	}
	return &program{
		stack:   s,
		service: Postgres,
		prepare: p.prepare,
		command: p.command,
		marks:   p.marks,
		answers: func(ctx context.Context) error { return openDatabase(ctx, s.ports.Postgres) },
		port:    func() int { return s.ports.Postgres },
		// Postgres recovers on the next start. Unlike SIGKILL, this signal leaves no shared memory behind.
		quickly: syscall.SIGQUIT,
		// The old server was killed, and its children are about to end.
		passing: "pre-existing shared memory block",
	}, nil
}

func (p *postgres) marks() []string { return []string{"postgres", p.data()} }

func (p *postgres) data() string { return filepath.Join(p.home, "data") }

// version returns the major version that made the cluster; empty if there is no cluster.
func (p *postgres) version() string {
	content, err := os.ReadFile(filepath.Join(p.data(), "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func (p *postgres) prepare(ctx context.Context) error {
	if p.version() != "" {
		return nil
	}
	p.stack.options.Progress("creating the database in %s", p.home)
	return p.initialise(ctx)
}

// readPidFile reads the postmaster.pid of a killed server. If the server still runs, it is recorded as an orphan, since
// it may have been killed before it was recorded. If the process ID belongs to another program by now, as happens after
// a restart of the machine, the file is removed: Postgres would take that program for a server.
func (p *postgres) readPidFile(ctx context.Context) error {
	path := filepath.Join(p.data(), "postmaster.pid")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	line, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return nil //nolint:nilerr // Postgres judges a damaged one itself
	}
	found := record{pid: pid, marks: p.marks()}
	switch {
	case found.alive(ctx):
		return found.write(p.stack.folders.pidFile(Postgres))
	case commandLine(ctx, pid) == "":
		return nil
	default:
		return os.Remove(path)
	}
}

// initialise makes the cluster in another folder, and moves it when it is complete.
func (p *postgres) initialise(ctx context.Context) error {
	if err := p.removeUnfinished(); err != nil {
		return err
	}
	unfinished := filepath.Join(p.home, "unfinished-"+strconv.Itoa(os.Getpid()))
	cmd := exec.CommandContext(ctx, filepath.Join(p.binaries, "initdb"), p.initArguments(unfinished)...)
	p.runAs(cmd)
	cmd.WaitDelay = killTimeout // programs that it has started may hold its output open
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(output)))
	}
	if err := os.Rename(unfinished, p.data()); err != nil {
		return fmt.Errorf("put the new database into place: %w", err)
	}
	return nil
}

func (p *postgres) removeUnfinished() error {
	leftovers, _ := filepath.Glob(filepath.Join(p.home, "unfinished-*"))
	// A cluster without a version is the rest of a folder that somebody began to delete.
	for _, path := range append(leftovers, p.data()) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove an unfinished database: %w", err)
		}
	}
	return nil
}

func (p *postgres) initArguments(dir string) []string {
	args := []string{"-D", dir, "-U", databaseName, "-A", "trust", "-E", "UTF8", "--no-instructions"}
	args = append(args, localeArguments()...)
	if p.stack.options.Ephemeral {
		args = append(args, "--no-sync")
	}
	return args
}

func (p *postgres) command() *exec.Cmd {
	settings := []string{
		"listen_addresses=" + host,
		"unix_socket_directories=",
		"max_connections=200",
		"timezone=UTC",
		"log_timezone=UTC",
	}
	if p.stack.options.Ephemeral {
		// synchronous_commit stays on: without syncing it costs almost nothing, and makes a commit survive Kill.
		settings = append(settings, "fsync=off", "full_page_writes=off", "shared_buffers=32MB")
	}
	args := []string{"-D", p.data(), "-p", strconv.Itoa(p.stack.ports.Postgres)}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(p.binaries, "postgres"), args...)
	p.runAs(cmd)
	return cmd
}

// runAs sets what the commands of initdb and postgres have in common.
func (p *postgres) runAs(cmd *exec.Cmd) {
	cmd.Dir = p.home // the account may have no access to the current folder
	// A locale that the machine does not have stops Postgres on macOS, and initdb elsewhere.
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if p.account != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account.credential()}
	}
}

// openDatabase returns nil once the database watchparty, which it makes if missing, runs queries.
func openDatabase(ctx context.Context, port int) error {
	err := query(ctx, port, databaseName, "SELECT 1")
	var answer pgdriver.Error
	const noSuchDatabase = "3D000"
	if !errors.As(err, &answer) || answer.Field('C') != noSuchDatabase {
		return err
	}
	if err := query(ctx, port, "postgres", "CREATE DATABASE "+databaseName); err != nil {
		return err
	}
	return query(ctx, port, databaseName, "SELECT 1")
}

func query(ctx context.Context, port int, database, statement string) error {
	db := sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(databaseURL(port, database)),
		pgdriver.WithTimeout(startTimeout), pgdriver.WithDialTimeout(time.Second)))
	defer db.Close()
	_, err := db.ExecContext(ctx, statement)
	return err
}
