package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// startTimeout limits Start and Restart.
const startTimeout = 2 * time.Minute

// Stack is a set of running services.
type Stack struct {
	options Options
	ports   Ports
	folders folders
	lock    *os.File
	spawner *spawner
	servers map[Service]*supervised

	unexpected chan error
	closing    sync.Once
	closed     chan struct{}
	closeErr   error
}

// server is a service. Its methods are not called concurrently.
type server interface {
	// start returns when the server answers. After an error the server does not run.
	start(ctx context.Context) error
	// stop ends the server in the orderly way, and by force if that takes too long. It returns nil if the server does not
	// run.
	stop() error
	// kill ends the server with SIGKILL, or in the closest way.
	kill() error
	// discard ends the server in the quickest way that leaves only its data.
	discard() error
}

type supervised struct {
	mu sync.Mutex
	server
}

// Start starts all of o.Services and returns when each of them answers. If one fails, it stops the others. The stack
// does not end with ctx: call Close.
func Start(ctx context.Context, o Options) (*Stack, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := o.normalise(); err != nil {
		return nil, err
	}
	if o.Ephemeral {
		sweep()
	}
	s, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.startAll(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare does everything that can fail without starting a server.
func prepare(ctx context.Context, o Options) (_ *Stack, err error) {
	s := &Stack{
		options:    o,
		ports:      o.Ports,
		folders:    folders{o.Dir},
		servers:    make(map[Service]*supervised),
		unexpected: make(chan error, len(o.Services)),
		closed:     make(chan struct{}),
	}
	if err := s.folders.make(); err != nil {
		return nil, err
	}
	if s.lock, err = acquire(s.folders.lock()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()

	if err := s.addServers(ctx); err != nil {
		return nil, err
	}
	if err := stopOrphans(ctx, s.folders, o.Progress); err != nil {
		return nil, err
	}
	uses := s.ports.uses(o.Services, o.temporalUI())
	if err := checkFree(ctx, uses); err != nil {
		return nil, err
	}
	if err := pickFree(ctx, uses); err != nil {
		return nil, err
	}
	s.spawner = newSpawner()
	return s, nil
}

func (s *Stack) addServers(ctx context.Context) error {
	for _, service := range s.options.Services {
		created, err := s.newServer(ctx, service)
		if err != nil {
			return err
		}
		s.servers[service] = &supervised{server: created}
	}
	return nil
}

func (s *Stack) newServer(ctx context.Context, service Service) (server, error) {
	switch service {
	case Postgres:
		return newPostgres(ctx, s)
	case Redis:
		return newRedis(s)
	case Temporal:
		return newTemporal(s)
	case Prometheus:
		return newPrometheus(s)
	default:
		return &inboxServer{stack: s}, nil
	}
}

func (s *Stack) startAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for service, one := range s.servers {
		group.Go(func() error { return s.startOne(ctx, service, one) })
	}
	return group.Wait()
}

func (s *Stack) startOne(ctx context.Context, service Service, one *supervised) error {
	one.mu.Lock()
	defer one.mu.Unlock()
	if err := one.start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", service.title(), err)
	}
	return nil
}

// Wait blocks until a server ends unexpectedly, and returns an error with the end of its log. It returns nil when Close
// is called or ctx ends.
func (s *Stack) Wait(ctx context.Context) error {
	select {
	case err := <-s.unexpected:
		return err
	case <-s.closed:
		return nil
	case <-ctx.Done():
		return nil
	}
}

// report keeps an error for Wait, unless an earlier one is still unread.
func (s *Stack) report(err error) {
	select {
	case s.unexpected <- err:
	default:
	}
}

// Close stops all services at the same time, since none needs another: within 10 s in the orderly way, then by force. A
// second call returns the result of the first.
func (s *Stack) Close() error {
	s.closing.Do(func() {
		close(s.closed) // first, so that no Restart follows the stop
		s.closeErr = errors.Join(s.stopAll(), s.release())
	})
	return s.closeErr
}

func (s *Stack) stopAll() error {
	var group errgroup.Group
	for service, one := range s.servers {
		group.Go(func() error {
			one.mu.Lock()
			defer one.mu.Unlock()
			end := one.stop
			if s.options.Ephemeral {
				end = one.discard
			}
			if err := end(); err != nil {
				return fmt.Errorf("stop %s: %w", service.title(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// release releases everything but servers.
func (s *Stack) release() error {
	if s.spawner != nil {
		s.spawner.close()
	}
	var err error
	if s.options.Ephemeral {
		err = s.folders.remove()
	}
	return errors.Join(err, release(s.lock))
}

// Has reports whether the service belongs to this stack, running or not.
func (s *Stack) Has(service Service) bool { return slices.Contains(s.options.Services, service) }
