package cache

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/logging"
)

// TestFlipsAreLoggedOnceAnInterval: a Redis that fails every second time does not fill the log.
func TestFlipsAreLoggedOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		c, err := New(config.Redis{URL: "redis://127.0.0.1:1", Timeout: time.Millisecond, PoolSize: 1},
			slog.New(slog.NewTextHandler(&text, nil)))
		require.NoError(t, err)
		for range 1000 {
			c.report(t.Context(), errors.New("away"))
			c.report(t.Context(), nil)
		}
		require.Equal(t, 2, strings.Count(text.String(), "\n"))
		require.NoError(t, c.Close())
		time.Sleep(2 * logging.Interval) // of the test's own clock
		synctest.Wait()
		require.Equal(t, 2, strings.Count(text.String(), "repeated=999"))
	})
}
