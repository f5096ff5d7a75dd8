// Package bus lets the processes of one installation tell each other what has changed, over Redis pub/sub. Each process
// has one subscription for all channels.
//
// Delivery is at most once, and messages of two senders arrive in any order. So a message is a hint: what it says must
// also be found in another way, in Postgres, by a process that misses it. Healthy tells when to look there more often.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
)

const (
	// echoEvery is the time between two messages of a process to itself, which prove that its subscription is alive.
	echoEvery = 250 * time.Millisecond
	// echoLimit is how long the subscription counts as alive after an echo. It is many times echoEvery, because echoes
	// are late on a busy machine.
	echoLimit = 2 * time.Second
	// Timeout bounds one exchange with Redis.
	Timeout = time.Second
	// retryPause is the time between two attempts to subscribe.
	retryPause = 100 * time.Millisecond
	// queueSize is how many messages wait to be sent, and batchSize how many go out in one round trip.
	queueSize = 4096
	batchSize = 256
)

// ErrFull is returned when too many messages wait to be sent, as they do while Redis does not answer.
var ErrFull = errors.New("bus: too many messages wait to be sent")

// Bus is one process' connection to the others. Subscribe and OnSubscribed come before Run; all other methods are safe
// for concurrent use.
type Bus struct {
	client       redis.UniversalClient
	prefix       string
	log          *slog.Logger
	process      string // this process, unique among all
	handlers     map[string][]func(payload []byte)
	onSubscribed []func()
	queue        chan message
	started      time.Time
	echo         atomic.Int64 // when the last echo arrived, in nanoseconds after started; 0 for none
}

type message struct {
	channel string
	payload []byte
}

// New makes a bus on the client, which it does not close. Its channels have the prefix of config.Redis.
func New(client redis.UniversalClient, c config.Redis, log *slog.Logger) *Bus {
	b := &Bus{
		client: client, prefix: c.KeyPrefix + "bus:", log: logging.Sparse(log, slog.LevelWarn, "while"),
		process: uuid.NewString(), handlers: map[string][]func([]byte){}, queue: make(chan message, queueSize),
		started: time.Now(),
	}
	b.Subscribe("echo:"+b.process, func([]byte) { b.echo.Store(int64(time.Since(b.started))) })
	return b
}

// Process is the ID of this process on the bus.
func (b *Bus) Process() string { return b.process }

// Subscribe has handle called for each message of the channel. All handlers run in one goroutine, so they must not
// wait.
func (b *Bus) Subscribe(channel string, handle func(payload []byte)) {
	b.handlers[channel] = append(b.handlers[channel], handle)
}

// OnSubscribed has f called after each beginning of the subscription: messages before it may have been missed. It runs
// in the goroutine of the handlers.
func (b *Bus) OnSubscribed(f func()) { b.onSubscribed = append(b.onSubscribed, f) }

// Publish sends a message to all processes, this one too, in the background. It never waits. The payload must not be
// changed afterwards.
func (b *Bus) Publish(channel string, payload []byte) error {
	select {
	case b.queue <- message{channel, payload}:
		return nil
	default:
		return ErrFull
	}
}

// Healthy reports whether this process' own messages have come back lately: it can send, and it hears.
func (b *Bus) Healthy() bool {
	echo := b.echo.Load()
	return echo > 0 && time.Since(b.started)-time.Duration(echo) < echoLimit
}

// Run sends and receives until ctx ends.
func (b *Bus) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { b.receive(ctx); return nil })
	group.Go(func() error { b.send(ctx); return nil })
	group.Go(func() error { b.sendEchoes(ctx); return nil })
	return group.Wait()
}

func (b *Bus) receive(ctx context.Context) {
	for ctx.Err() == nil {
		err := b.receiveOnce(ctx)
		b.echo.Store(0)
		if ctx.Err() != nil {
			return
		}
		b.log.WarnContext(ctx, "message bus failed", slog.String("while", "receiving"),
			slog.String("reason", logging.Reason(err)))
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// receiveOnce subscribes and receives until the connection fails.
func (b *Bus) receiveOnce(ctx context.Context) error {
	channels := make([]string, 0, len(b.handlers))
	for channel := range b.handlers {
		channels = append(channels, b.prefix+channel)
	}
	subscription := b.client.Subscribe(ctx, channels...)
	defer context.AfterFunc(ctx, func() { _ = subscription.Close() })()
	defer subscription.Close() //nolint:errcheck // a connection that has failed
	confirmed := 0
	for {
		received, err := subscription.ReceiveTimeout(ctx, echoLimit)
		if err != nil {
			return fmt.Errorf("bus: receive: %w", err)
		}
		switch m := received.(type) {
		case *redis.Subscription:
			if confirmed++; confirmed == len(channels) {
				b.sendEcho()
				for _, f := range b.onSubscribed {
					f()
				}
			}
		case *redis.Message:
			for _, handle := range b.handlers[m.Channel[len(b.prefix):]] {
				handle([]byte(m.Payload))
			}
		}
	}
}

func (b *Bus) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-b.queue:
			b.sendBatch(ctx, first)
		}
	}
}

// sendBatch sends a message and those that wait behind it in one round trip. Those that fail are sent once more, on
// another connection, so that a connection that breaks loses none while Redis is there; others may come twice.
func (b *Bus) sendBatch(ctx context.Context, m message) {
	batch := []message{m}
	for range min(len(b.queue), batchSize-1) { // send is the only reader of the queue
		batch = append(batch, <-b.queue)
	}
	err := b.publish(ctx, batch)
	if err != nil && ctx.Err() == nil {
		err = b.publish(ctx, batch)
	}
	if err != nil {
		b.log.WarnContext(ctx, "message bus failed", slog.String("while", "sending"),
			slog.String("reason", logging.Reason(err)))
	}
}

func (b *Bus) publish(ctx context.Context, batch []message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	pipe := b.client.Pipeline()
	for _, m := range batch {
		pipe.Publish(ctx, b.prefix+m.channel, m.payload)
	}
	_, err := pipe.Exec(ctx)
	return err
}

func (b *Bus) sendEchoes(ctx context.Context) {
	ticker := time.NewTicker(echoEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.sendEcho()
		}
	}
}

// sendEcho ignores a full queue, which is found by the echo that does not come.
func (b *Bus) sendEcho() { _ = b.Publish("echo:"+b.process, nil) }
