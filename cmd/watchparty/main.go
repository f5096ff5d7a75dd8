// Command watchparty is the whole backend: each of its commands wires the parts that it needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // a bare container has no time zones

	"github.com/watchparty/watchparty/config"
)

const usage = `watchparty: watch movies together.

  watchparty dev                 everything on this machine: servers, API, worker, demo data
  watchparty api                 the HTTP API and the outbox relay
  watchparty worker [--queues email,avatar,maintenance,webhooks]
                                 the Temporal worker, for all task queues unless told
  watchparty worker --check-histories
                                 fails unless this program can continue all workflows that run; run it before a rollout
  watchparty migrate [down]      bring the database up to date, or revert the newest migration
  watchparty migrate wait        return when the database is up to date; start it before programs that need that
  watchparty migrate collisions  list accounts whose addresses have become equal, or are none
  watchparty admin create USERNAME EMAIL
                                 make an account that is an admin, and print its password
  watchparty admin grant EMAIL   make an account an admin; its address has to be confirmed
  watchparty admin revoke EMAIL  take an admin's rights
  watchparty admin list          the admins
  watchparty health api          fails unless the API on this machine takes requests
  watchparty health worker [--queues …]
                                 fails unless a worker on this machine polls the task queues
  watchparty settings            every setting with its default; --markdown prints them as a page
  watchparty version             what this is

Settings come from the environment.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "watchparty:", oneLine(err))
		os.Exit(1)
	}
}

// program is the environment of a command.
type program struct {
	args    []string
	environ []string
	stdout  io.Writer
	stderr  io.Writer
}

// run is main as a function that tests can call.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		_, err := io.WriteString(stdout, usage)
		return err
	}
	p := program{args: args[1:], environ: environ, stdout: stdout, stderr: stderr}
	switch args[0] {
	case "dev":
		return p.dev(ctx)
	case "api":
		return p.api(ctx)
	case "worker":
		return p.worker(ctx)
	case "migrate":
		return p.migrate(ctx)
	case "admin":
		return p.admin(ctx)
	case "health":
		return p.health(ctx)
	case "settings":
		return p.listSettings()
	case "version":
		return p.version()
	case "help", "-h", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	}
	return fmt.Errorf("unknown command %q; watchparty help lists them", args[0])
}

// settings loads the configuration for a command.
func (p program) settings() (config.Config, []string, error) {
	environ, err := environment(p.environ)
	if err != nil {
		return config.Config{}, nil, err
	}
	cfg, err := config.Load(environ)
	if err == nil {
		environ, err = config.ReadSecrets(environ)
		err = errors.Join(err, exportSDKs(environ))
	}
	if err != nil && len(environ) == len(p.environ) {
		err = fmt.Errorf("%w\n(for development, `make run` starts a stack that other commands in this folder find)", err)
	}
	return cfg, environ, err
}

// oneLine joins the lines of a joined error.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

var errUsage = errors.New("watchparty help says how to use this command")
