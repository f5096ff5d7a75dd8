package cache

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

var errOpen = errors.New("redis does not answer; operations fail at once until it does")

// breaker is one server's redis.Limiter. After a few failures in a row it refuses every operation; an operation that
// it refuses asks, once in a cooldown, for a probe in the background, so that no caller pays for finding out.
//
// It has no half-open state: go-redis asks the limiter again for each command of a new connection's handshake, so
// a state that lets one operation through could never be left over a new connection.
type breaker struct {
	limits limits
	due    chan<- *breaker
	dial   func(context.Context) (net.Conn, error)

	failures  atomic.Int32
	open      atomic.Bool
	mu        sync.Mutex
	nextProbe time.Time
}

// Allow implements redis.Limiter.
func (b *breaker) Allow() error {
	if !b.open.Load() {
		return nil
	}
	b.askForProbe()
	return errOpen
}

func (b *breaker) askForProbe() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Before(b.nextProbe) {
		return
	}
	b.nextProbe = now.Add(b.limits.cooldown)
	select {
	case b.due <- b:
	default:
	}
}

// ReportResult implements redis.Limiter.
func (b *breaker) ReportResult(err error) {
	switch {
	case answered(err):
		b.failures.Store(0)
	case errors.Is(err, context.Canceled), errors.Is(err, errOpen), errors.Is(err, redis.ErrClosed),
		errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		// Nothing was learnt of the server.
	case b.failures.Add(1) >= b.limits.failures:
		b.trip()
	}
}

func (b *breaker) trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.Load() {
		return
	}
	b.nextProbe = time.Now().Add(b.limits.cooldown)
	b.open.Store(true)
}

// probe closes the breaker if the server gives any answer.
func (b *breaker) probe(ctx context.Context) bool {
	if err := b.ask(ctx); err != nil {
		return false
	}
	b.failures.Store(0)
	b.open.Store(false)
	return true
}

func (b *breaker) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.limits.write)
	defer cancel()
	conn, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the answer is all that matters
	if err := conn.SetDeadline(time.Now().Add(b.limits.step)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	// A server that wants a password first answers too, with an error.
	_, err = conn.Read(make([]byte, 1))
	return err
}

// answered reports whether the server spoke: with a value, with nothing, or with an error of its own.
func answered(err error) bool {
	var reply redis.Error
	return err == nil || errors.Is(err, redis.Nil) || errors.As(err, &reply)
}

// reason is err without network addresses.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}
