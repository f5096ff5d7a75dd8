package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
)

// The slower a batch was, the longer the database is left alone, within bounds.
func TestPauseAfterBatch(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ setting, took, want time.Duration }{
		{50 * ms, 5 * ms, 50 * ms},
		{50 * ms, 30 * ms, 120 * ms},
		{50 * ms, time.Minute, 250 * ms},
		{time.Second, time.Minute, time.Second},
		{0, 0, 0},
	} {
		cleanup := &Cleanup{Settings: config.Cleanup{BatchPause: c.setting}}
		require.Equal(t, c.want, cleanup.pause(c.took), "%v", c)
	}
}
