package store

import (
	"context"
	"fmt"
	"time"
)

// ReadClock reads the clock of Postgres. It also returns when the query was sent and when the answer was received, by
// the clock of this process, so that the wait for a connection does not count.
func (s *Store) ReadClock(ctx context.Context) (sent, received, server time.Time, err error) {
	conn, err := s.all.Conn(ctx)
	if err != nil {
		return sent, received, server, fmt.Errorf("store: read clock: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it has been read
	var microseconds int64
	sent = time.Now()
	err = conn.QueryRowContext(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").Scan(&microseconds)
	received = time.Now()
	if err != nil {
		return sent, received, server, fmt.Errorf("store: read clock: %w", err)
	}
	return sent, received, time.UnixMicro(microseconds), nil
}
