package store

import (
	"context"
	"fmt"
	"time"
)

// ReadClock asks Postgres for the time. It also returns when it asked, and when it got the answer, by the clock of this
// process: waiting for a connection is not part of that.
func (s *Store) ReadClock(ctx context.Context) (asked, answered, told time.Time, err error) {
	conn, err := s.all.Conn(ctx)
	if err != nil {
		return asked, answered, told, fmt.Errorf("store: ask the time: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it has been read
	var microseconds int64
	asked = time.Now()
	err = conn.QueryRowContext(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").Scan(&microseconds)
	answered = time.Now()
	if err != nil {
		return asked, answered, told, fmt.Errorf("store: ask the time: %w", err)
	}
	return asked, answered, time.UnixMicro(microseconds), nil
}
