package health

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestEveryPartHasAnEffect(t *testing.T) {
	require.Len(t, effects, len(Parts()))
	for _, part := range Parts() {
		require.NotEmpty(t, Effect(part), part)
	}
}

func TestLook(t *testing.T) {
	t.Run("what is wrong, since when, and that it is over", func(t *testing.T) {
		var fault error
		var logs bytes.Buffer
		c := NewChecker(slog.New(slog.NewTextHandler(&logs, nil)),
			Check{Part: Redis, Run: func(context.Context) error { return fault }})
		require.Equal(t, []Finding{{Part: Redis, State: Connected}}, c.Look(t.Context()))
		fault = errors.New("dial 10.0.0.7:6379: no route")
		first := c.Look(t.Context())[0]
		require.Equal(t, unreachable, first.State)
		require.WithinDuration(t, time.Now(), first.Since, time.Minute)
		fault = Trouble{What: "full", Err: errors.New("OOM at 10.0.0.7")}
		second := c.Look(t.Context())[0]
		require.Equal(t, "full", second.State)
		require.Equal(t, first.Since, second.Since, "it has been wrong since the first failure")
		fault = nil
		require.Equal(t, Finding{Part: Redis, State: Connected}, c.Look(t.Context())[0])
		require.Equal(t, 1, strings.Count(logs.String(), "health check failed"), "once an interval")
		require.Contains(t, logs.String(), "10.0.0.7")
	})
	t.Run("the last success", func(t *testing.T) {
		var at time.Time
		var fault error
		c := NewChecker(silent(), Check{
			Part: Emails, Run: func(context.Context) error { return fault }, LastSuccess: func() time.Time { return at },
		})
		require.Equal(t, []Finding{{Part: Emails, State: Connected}}, c.Look(t.Context()))
		at = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
		require.Equal(t, at, c.Look(t.Context())[0].LastSuccess)
		fault = errors.New("away")
		require.Equal(t, at, c.Look(t.Context())[0].LastSuccess, "it matters most while the part fails")
	})
	t.Run("an answer counts for a while", func(t *testing.T) {
		var asked atomic.Int32
		c := NewChecker(silent(), Check{Part: Emails, Every: time.Hour, Run: func(context.Context) error {
			asked.Add(1)
			return nil
		}})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { c.Look(t.Context()) })
		}
		all.Wait()
		require.EqualValues(t, 1, asked.Load())
	})
	t.Run("a part that hangs", func(t *testing.T) {
		release, asked := make(chan struct{}), atomic.Int32{}
		c := NewChecker(silent(), Check{Part: Bucket, Run: func(context.Context) error {
			asked.Add(1)
			<-release
			return nil
		}}, Check{Part: Redis, Run: func(context.Context) error { return nil }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		found := c.Look(ctx)
		require.Equal(t, unreachable, found[0].State)
		require.True(t, found[1].OK(), "the others are seen nevertheless")
		c.Look(ctx)
		require.EqualValues(t, 1, asked.Load(), "it is not asked twice at a time")
		close(release)
		require.Eventually(t, func() bool { return c.Look(t.Context())[0].OK() }, patience, time.Millisecond)
	})
	t.Run("a look that gives up when the check has just ended", func(t *testing.T) {
		c := NewChecker(silent(), Check{Part: Emails, Every: time.Hour, Run: func(context.Context) error { return nil }})
		require.True(t, c.Look(t.Context())[0].OK())
		c.conclude(t.Context(), c.checks[0], context.DeadlineExceeded, make(chan struct{}), false)
		require.True(t, c.Look(t.Context())[0].OK(), "the answer counts, which is newer")
	})
	t.Run("as a metric", func(t *testing.T) {
		registry := prometheus.NewRegistry()
		NewChecker(silent(), Check{Part: Redis, Run: func(context.Context) error { return errors.New("away") }},
			Check{Part: Bucket, Run: func(context.Context) error { return nil }}).Register(registry)
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP health_part_up 1 while a part is as it should be, as this process sees it, else 0.
# TYPE health_part_up gauge
health_part_up{part="bucket"} 1
health_part_up{part="redis"} 0
`)))
	})
}
