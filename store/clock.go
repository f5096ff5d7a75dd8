package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun/driver/pgdriver"
)

// clock is this process's clock, set by the clock of Postgres: so all processes store and compare times of one clock,
// however wrong the clocks of their machines are.
var clock = setClock{skew: testedSkew()}

// skewVariable is the name of an environment variable with an error of the process's clock. Only the linker sets it,
// for tests of whole processes.
var skewVariable string

func testedSkew() time.Duration {
	if skewVariable == "" {
		return 0
	}
	skew, err := time.ParseDuration(cmp.Or(os.Getenv(skewVariable), "0s"))
	if err != nil {
		panic(err)
	}
	return skew
}

const (
	// clockInterval is how often the clock is compared. The first query after that does it.
	clockInterval = 30 * time.Second
	// clockTolerance is the error up to which the clock is left alone.
	clockTolerance = 100 * time.Millisecond
	// clockDoubt is the longest that Postgres may take to tell the time; a slower answer is ignored.
	clockDoubt = time.Second
)

// setClock is a clock that can be set. It is never set back by less than clockTolerance, so that IDs stay in order.
type setClock struct {
	skew     time.Duration // error of the process's clock, in tests
	ahead    atomic.Int64  // what is added to the process's clock, in nanoseconds
	compared atomic.Pointer[time.Time]
}

func (c *setClock) process() time.Time   { return time.Now().Round(0).Add(c.skew) }
func (c *setClock) added() time.Duration { return c.skew + time.Duration(c.ahead.Load()) }

// due reports whether the clock should be compared. It is true for one caller in each interval.
func (c *setClock) due() bool {
	at, now := c.compared.Load(), time.Now()
	return (at == nil || now.Sub(*at) > clockInterval) && c.compared.CompareAndSwap(at, &now)
}

// compare sets the clock by the server of a connection, if it is wrong.
func (c *setClock) compare(ctx context.Context, conn *pgdriver.Conn) error {
	began, before := time.Now(), c.process()
	rows, err := conn.QueryContext(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", nil)
	if err != nil {
		return fmt.Errorf("store: ask for the time: %w", err)
	}
	defer rows.Close() //nolint:errcheck // it has been read
	told := make([]driver.Value, 1)
	if err := rows.Next(told); err != nil {
		return fmt.Errorf("store: read the time: %w", err)
	}
	if err := rows.Next(make([]driver.Value, 1)); err != io.EOF { //nolint:errorlint // as database/sql compares it
		return fmt.Errorf("store: read the time: %w", err)
	}
	took := time.Since(began)
	microseconds, ok := told[0].(int64)
	if !ok || took > clockDoubt {
		return nil
	}
	c.set(time.UnixMicro(microseconds).Sub(before.Add(took/2)), took)
	return nil
}

// set sets the clock to what a comparison has found, if the clock is surely wrong: Postgres may have told the time at
// any moment of the comparison, so that half of its duration is the error of what it found.
func (c *setClock) set(ahead, took time.Duration) {
	if wrong := ahead - time.Duration(c.ahead.Load()); wrong.Abs() > clockTolerance+took/2 {
		c.ahead.Store(int64(ahead))
	}
}

// Now is the time by Postgres' clock, in microseconds, the precision of its columns. Before the first connection it is
// the time of the process.
func Now() time.Time {
	return time.Now().Add(clock.added()).UTC().Truncate(time.Microsecond)
}

// newID makes a UUIDv7 of the time by Postgres' clock. It panics only when the system has no randomness.
func newID() string {
	id := uuid.Must(uuid.NewV7())
	milliseconds := binary.BigEndian.Uint64(id[:]) >> 16
	milliseconds += uint64(clock.added().Milliseconds()) //nolint:gosec // which may be less than nothing
	var moved [8]byte
	binary.BigEndian.PutUint64(moved[:], milliseconds<<16)
	copy(id[:6], moved[:6])
	return id.String()
}
