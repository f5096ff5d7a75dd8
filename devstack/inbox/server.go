package inbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/sync/errgroup"
)

// closeTimeout limits how long Close waits for requests and emails in progress.
const closeTimeout = 5 * time.Second

// Config says where an inbox listens and stores its emails. Port 0 picks a free one.
type Config struct {
	SMTPAddr string
	HTTPAddr string
	Dir      string // made if missing
}

// Server is a running inbox.
type Server struct {
	smtp     *smtp.Server
	smtpConn *listener
	http     *http.Server
	httpAddr net.Addr
	serving  errgroup.Group
}

// Start opens the emails in c.Dir and listens. Both servers answer when it returns.
func Start(c Config) (*Server, error) {
	box, err := openMailbox(c.Dir)
	if err != nil {
		return nil, err
	}
	smtpListener, err := net.Listen("tcp", c.SMTPAddr)
	if err != nil {
		return nil, fmt.Errorf("listen for SMTP: %w", err)
	}
	httpListener, err := net.Listen("tcp", c.HTTPAddr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for HTTP: %w", err), smtpListener.Close())
	}

	s := &Server{
		smtp:     newSMTPServer(box),
		smtpConn: newListener(smtpListener),
		http:     &http.Server{Handler: routes(box), ReadHeaderTimeout: 10 * time.Second},
		httpAddr: httpListener.Addr(),
	}
	s.serving.Go(func() error { return s.smtp.Serve(s.smtpConn) })
	s.serving.Go(func() error { return s.http.Serve(httpListener) })
	return s, nil
}

// SMTPAddr is the host:port of the SMTP server.
func (s *Server) SMTPAddr() string { return s.smtpConn.Addr().String() }

// HTTPAddr is the host:port of the pages and the API.
func (s *Server) HTTPAddr() string { return s.httpAddr.String() }

// Close closes SMTP connections, lets requests finish, and returns when nothing runs any more.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()

	httpErr := s.http.Shutdown(ctx)
	if httpErr != nil {
		httpErr = errors.Join(httpErr, s.http.Close())
	}
	listenErr := s.smtpConn.Close()
	// Both Serve calls end with an error that says that they were closed.
	_ = s.serving.Wait()
	return errors.Join(httpErr, listenErr, ignoreClosed(s.smtp.Shutdown(ctx)))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
