package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"

	"github.com/watchparty/watchparty/devstack/inbox"
)

// inboxServer runs the inbox in this process.
type inboxServer struct {
	stack   *Stack
	running *inbox.Server
}

func (i *inboxServer) start(ctx context.Context) error {
	ports := i.stack.ports
	i.stack.options.Progress("waiting for %s on %s", Inbox.title(), address(ports.SMTP))
	running, err := inbox.Start(inbox.Config{
		SMTPAddr: address(ports.SMTP),
		HTTPAddr: address(ports.Inbox),
		Dir:      i.stack.folders.data(Inbox),
	})
	if err != nil {
		return err
	}
	i.running = running
	if err := greeted(ctx, ports.SMTP); err != nil {
		return errors.Join(err, i.stop())
	}
	return nil
}

func greeted(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	if _, _, err := textproto.NewConn(c).ReadResponse(220); err != nil {
		return fmt.Errorf("SMTP greeting: %w", err)
	}
	return nil
}

func (i *inboxServer) stop() error {
	if i.running == nil {
		return nil
	}
	err := i.running.Close()
	i.running = nil
	return err
}

func (i *inboxServer) kill() error    { return i.stop() }
func (i *inboxServer) discard() error { return i.stop() }
