package e2e

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
)

// The faults of this file each are an order of events that one rule of package coherence is for. Other faults seldom
// bring it about.

// rounds is how often an order of events is repeated in which luck has a part.
const rounds = 3

// intercept has the database's answers to what matches pass through answered, until end is called. A fault that has
// met nothing shows nothing, so that end fails the test then.
func (n *replica) intercept(
	t *testing.T, matchers func() badnet.Matcher, answered func() (deliver bool),
) (end func()) {
	var met atomic.Int64
	n.database.Intercept(matchers, func() bool {
		met.Add(1)
		return answered()
	})
	return func() {
		n.database.Intercept(nil, nil)
		assert.NotZero(t, met.Load(), "process %d sent nothing that matches", n.number)
	}
}

// delayAnswers makes answers arrive late.
func delayAnswers(delay time.Duration) func() (deliver bool) {
	return func() bool {
		time.Sleep(delay)
		return true
	}
}

// renewalsWith matches the renewals that contain a text.
func renewalsWith(text string) func() badnet.Matcher {
	return func() badnet.Matcher {
		return func(call []byte) bool {
			return bytes.Contains(call, []byte("INSERT INTO cache_members")) && bytes.Contains(call, []byte(text))
		}
	}
}

// renewalsAnsweredLate has two of a process' renewals answered when their leases are about to end. So much time is
// between them that others take the process for dead. They write right after the second one was executed.
func renewalsAnsweredLate(t *testing.T, c *cluster, _ time.Duration) {
	n := c.nodes[0]
	others := c.without(n)
	defer c.writable.Store(&c.nodes)
	for range rounds {
		c.fillMemory(t)
		var renewals atomic.Int32
		second, release := make(chan struct{}), make(chan struct{})
		end := n.intercept(t, renewalsWith(""), func() bool {
			switch renewals.Add(1) {
			case 1:
				time.Sleep(950 * time.Millisecond)
			case 2:
				close(second)
				<-release
			}
			return true
		})
		select {
		case <-second:
			n.redis.Set(badnet.Swallow)
			c.writable.Store(&others)
			time.Sleep(150 * time.Millisecond)
			c.writable.Store(&[]*replica{})
			time.Sleep(750 * time.Millisecond)
		case <-time.After(time.Minute):
			t.Error("the process does not renew its lease")
		}
		close(release)
		time.Sleep(100 * time.Millisecond) // the lease has as much time left
		end()
		n.redis.Set(badnet.Pass)
		c.writable.Store(&c.nodes)
		c.awaitHits(t)
	}
}

// leaseGivenBackLate has one process' message bus fail, and the renewal answered late by which the process gives its
// lease back.
func leaseGivenBackLate(t *testing.T, c *cluster, _ time.Duration) {
	n := c.nodes[0]
	for range rounds {
		end := n.intercept(t, renewalsWith(", FALSE, TRUE,"), delayAnswers(800*time.Millisecond)) // reads, deaf
		n.redis.Set(badnet.Swallow)
		time.Sleep(3500 * time.Millisecond) // it notices after 2 s
		end()
		n.redis.Set(badnet.Pass)
		time.Sleep(1500 * time.Millisecond)
	}
}

// joinsBesideOldLists has one process give its lease back and ask for it again, while the lists of the others are about
// as old as they may be, and it hears of changes late.
func joinsBesideOldLists(t *testing.T, c *cluster, _ time.Duration) {
	joining := c.nodes[0]
	joining.redis.Delay(slowBus)
	defer joining.redis.Delay(0)
	for _, n := range c.without(joining) {
		defer n.intercept(t, renewalsWith(""), delayAnswers(300*time.Millisecond))()
	}
	for range rounds {
		joining.redis.Set(badnet.Cut)
		time.Sleep(time.Second) // until it has given its lease back, and others know
		joining.redis.Set(badnet.Pass)
		c.awaitHits(t)
	}
}

// slowBus is a little less than coherence.Timing.AckTimeout.
const slowBus = 45 * time.Millisecond

// hearsLate has one process hear of changes later than the others.
func hearsLate(_ *testing.T, c *cluster, long time.Duration) {
	c.nodes[0].redis.Delay(slowBus)
	time.Sleep(long)
	c.nodes[0].redis.Delay(0)
}

// stoppedDuringChanges has others write only while one process is stopped, and they have taken it for dead.
func stoppedDuringChanges(t *testing.T, c *cluster, long time.Duration) {
	n := c.nodes[0]
	defer c.writable.Store(&c.nodes)
	c.fillMemory(t)
	n.signal(t, syscall.SIGSTOP)
	time.Sleep(shortPause)
	c.writeOver(t, long, c.without(n)...)
	n.signal(t, syscall.SIGCONT)
	c.awaitHits(t)
	time.Sleep(long / 4)
}

// loadsAnsweredLate has Postgres' answers to reads of messages arrive late.
func loadsAnsweredLate(t *testing.T, c *cluster, long time.Duration) {
	for _, n := range c.nodes {
		defer n.intercept(t, readsOfMessages, delayAnswers(slowBus))()
	}
	time.Sleep(long)
}

// readsOfMessages matches a page of messages.
func readsOfMessages() badnet.Matcher {
	return func(call []byte) bool {
		return bytes.Contains(call, []byte(`FROM "messages" AS "m"`)) && bytes.Contains(call, []byte("ORDER BY"))
	}
}

// joinsBesideCommit has one process ask for a lease while the COMMITs of another one are on their way.
func joinsBesideCommit(t *testing.T, c *cluster, _ time.Duration) {
	joining, writer := c.nodes[0], c.nodes[1]
	for range rounds {
		joining.redis.Set(badnet.Cut)
		time.Sleep(time.Second) // until it has given its lease back, and others know
		stalled, release := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(stalled) })
		writer.database.Stall(commitsOfChanges, func() {
			once()
			<-release
		})
		select {
		case <-stalled:
		case <-time.After(time.Minute):
			t.Error("the process commits nothing")
		}
		joining.redis.Set(badnet.Pass)
		time.Sleep(1500 * time.Millisecond) // more than Timing.List
		writer.database.Stall(nil, nil)
		close(release)
		time.Sleep(500 * time.Millisecond)
	}
}

// restoreOldRedis stops a process while others write, then executes a statement and removes old changes, and then gives
// Redis the entries that it had before.
func restoreOldRedis(statement string) func(*testing.T, *cluster, time.Duration) {
	return func(t *testing.T, c *cluster, _ time.Duration) {
		n := c.nodes[0]
		c.fillMemory(t)
		defer c.writable.Store(&c.nodes)
		former := c.entries(t)
		n.signal(t, syscall.SIGSTOP)
		c.writeOver(t, pauseTime(), c.without(n)...)
		db := c.store.DB()
		_, err := db.ExecContext(t.Context(), statement)
		assert.NoError(t, err)
		eventually(t, func(a *assert.CollectT) {
			require.NoError(a, c.store.Journal().Prune(t.Context(), nil))
			var left bool
			require.NoError(a, db.NewRaw("SELECT EXISTS (SELECT FROM cache_changes "+
				"WHERE created_at < now() - interval '30 minutes')").Scan(t.Context(), &left))
			require.False(a, left)
		}, "old changes are removed, while older transactions run")
		time.Sleep(500 * time.Millisecond) // until the others have renewed
		c.restore(t, former)
		n.signal(t, syscall.SIGCONT)
		c.awaitHits(t)
		time.Sleep(time.Second) // in which it is read
	}
}

// writeOver has people write over some processes for a time, and only in that time.
func (c *cluster) writeOver(t *testing.T, long time.Duration, nodes ...*replica) {
	before := c.seen.Load().writes.Load()
	c.writable.Store(&nodes)
	time.Sleep(long)
	c.endWrites()
	assert.Greater(t, c.seen.Load().writes.Load(), before, "nobody has written")
}

// endWrites has no write begin, and returns when none runs.
func (c *cluster) endWrites() {
	c.writable.Store(&[]*replica{})
	for c.writing.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// fillMemory ends the writes, and returns when each process answers from its cache what it caches at all.
func (c *cluster) fillMemory(t *testing.T) {
	c.endWrites()
	eventually(t, func(a *assert.CollectT) {
		for _, n := range c.nodes {
			for _, s := range c.subjects {
				for _, read := range s.reads {
					got, err := read(n)
					require.NoError(a, err)
					require.NotEqual(a, "MISS", got.answer.header.Get("X-Cache"), "%s over process %d", s.name, n.number)
				}
			}
		}
	}, "memory has everything")
}

// entries returns the cached data in Redis.
func (c *cluster) entries(t *testing.T) map[string]string {
	entries := map[string]string{}
	keys, err := c.redis.Keys(t.Context(), "*e:*{*").Result()
	assert.NoError(t, err)
	for _, key := range keys {
		if value, err := c.redis.Get(t.Context(), key).Result(); err == nil {
			entries[key] = value
		}
	}
	assert.NotEmpty(t, entries)
	return entries
}

func (c *cluster) restore(t *testing.T, entries map[string]string) {
	_, err := c.redis.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for key, value := range entries {
			pipe.Set(context.Background(), key, value, time.Minute)
		}
		return nil
	})
	assert.NoError(t, err)
}
