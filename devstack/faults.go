package devstack

import (
	"context"
	"fmt"
)

// Stop ends one service in the orderly way and waits for its end. Stopping one that is stopped does nothing.
func (s *Stack) Stop(service Service) error {
	return s.act(service, "stop", func(one server) error { return one.stop() })
}

// Kill ends one service with SIGKILL, as a crash would. The inbox, which is part of this process, is closed.
func (s *Stack) Kill(service Service) error {
	return s.act(service, "kill", func(one server) error { return one.kill() })
}

// Restart stops the service if it runs and starts it on the same port and data. It returns when the service answers.
func (s *Stack) Restart(ctx context.Context, service Service) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return s.act(service, "restart", func(one server) error {
		if err := one.stop(); err != nil {
			return err
		}
		return one.start(ctx)
	})
}

func (s *Stack) act(service Service, verb string, action func(server) error) error {
	one, ok := s.servers[service]
	if !ok {
		return fmt.Errorf("%s %s: this stack does not have it", verb, service.title())
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	select {
	case <-s.closed:
		return fmt.Errorf("%s %s: the stack is closed", verb, service.title())
	default:
	}
	if err := action(one.server); err != nil {
		return fmt.Errorf("%s %s: %w", verb, service.title(), err)
	}
	return nil
}
