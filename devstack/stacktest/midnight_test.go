package stacktest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUntilAway(t *testing.T) {
	t.Parallel()
	for clock, wait := range map[string]time.Duration{
		"2026-11-26T00:00:00Z": 65 * time.Second, "2026-11-26T00:01:04Z": time.Second, "2026-11-26T00:01:05Z": 0,
		"2026-11-26T12:00:00Z": 0, "2026-11-26T23:57:59Z": 0, "2026-11-26T23:58:00Z": 185 * time.Second,
		"2026-11-26T23:59:59Z": 66 * time.Second, "2026-11-27T00:59:59+01:00": 66 * time.Second,
		"2026-11-27T00:00:00+01:00": 0,
	} {
		now, err := time.Parse(time.RFC3339, clock)
		require.NoError(t, err)
		require.Equal(t, wait, untilAway(now), clock)
	}
}
