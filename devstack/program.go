package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// attemptTimeout limits one check whether a server answers.
const attemptTimeout = 2 * time.Second

// program is a server that runs as a child process.
type program struct {
	stack   *Stack
	service Service
	// prepare prepares the data. Optional.
	prepare func(ctx context.Context) error
	// command returns the command for a start, when the ports are known.
	command func() *exec.Cmd
	// marks returns texts that the command line of the running process contains.
	marks func() []string
	// answers returns nil once the server works.
	answers func(ctx context.Context) error
	// port returns the port of the server.
	port func() int
	// quickly is the signal that ends the server at once, and leaves only its data.
	quickly syscall.Signal
	// passing is a text in the log of a failed start that says that another attempt may succeed. Optional.
	passing string

	child *child
}

func (p *program) start(ctx context.Context) error {
	if p.prepare != nil {
		if err := p.prepare(ctx); err != nil {
			return err
		}
	}
	p.stack.options.Progress("waiting for %s on %s", p.service.title(), address(p.port()))
	for {
		err := p.tryStart(ctx)
		if err == nil || p.passing == "" || !strings.Contains(err.Error(), p.passing) || ctx.Err() != nil {
			return err
		}
	}
}

func (p *program) tryStart(ctx context.Context) error {
	// If a start fails, its error says so, not Wait.
	ready := make(chan struct{})
	started, err := spawn(p.stack.spawner, p.newCommand(), p.stack.folders.log(p.service), func(c *child) {
		select {
		case <-ready:
			p.stack.report(fmt.Errorf("%s %w", p.service.title(), c.failure()))
		default:
		}
	})
	if err != nil {
		return err
	}
	p.child = started
	if err := p.record(); err != nil {
		return errors.Join(err, p.end(syscall.SIGKILL))
	}
	if err := p.await(ctx); err != nil {
		return errors.Join(err, p.end(p.quickly))
	}
	close(ready)
	select {
	case <-started.done: // it ended after its answer and before ready, so that Wait does not know
		return started.failure()
	default:
		return nil
	}
}

func (p *program) newCommand() *exec.Cmd {
	cmd := p.command()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if p.stack.options.Ephemeral {
		dieWithParent(cmd.SysProcAttr, p.quickly)
	}
	return cmd
}

func (p *program) record() error {
	return record{pid: p.child.cmd.Process.Pid, marks: p.marks()}.write(p.stack.folders.pidFile(p.service))
}

// await waits until the server answers or its process ends.
func (p *program) await(ctx context.Context) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := p.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.child.done:
			return p.child.failure()
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s (%w): %w; the end of %s:\n%s",
				address(p.port()), ctx.Err(), err, p.child.log, p.child.tail())
		case <-ticker.C:
		}
	}
}

func (p *program) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return p.answers(ctx)
}

func (p *program) stop() error    { return p.end(orderlySignal(p.service)) }
func (p *program) kill() error    { return p.end(syscall.SIGKILL) }
func (p *program) discard() error { return p.end(p.quickly) }

func (p *program) end(signal syscall.Signal) error {
	if p.child == nil {
		return nil
	}
	if err := p.child.end(signal); err != nil {
		return err
	}
	p.child = nil
	if err := os.Remove(p.stack.folders.pidFile(p.service)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove the pid file: %w", err)
	}
	return nil
}
