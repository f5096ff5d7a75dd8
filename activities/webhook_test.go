package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/store"
)

// TestNextWebhookAttempt: the list of pauses, the pause that the receiver asks for, and the end.
func TestNextWebhookAttempt(t *testing.T) {
	t.Parallel()
	h := &Webhook{}
	for name, test := range map[string]struct {
		attempt     int
		asked, left time.Duration
		low, high   time.Duration
	}{
		"the first":             {1, 0, 80 * time.Hour, 4500 * time.Millisecond, 5500 * time.Millisecond},
		"the last":              {10, 0, 80 * time.Hour, 18 * time.Hour, 22 * time.Hour},
		"none is left":          {11, 0, 80 * time.Hour, 0, 0},
		"as the receiver asks":  {2, time.Hour, 80 * time.Hour, time.Hour, time.Hour},
		"it asks for too long":  {2, 1000 * time.Hour, 80 * time.Hour, 24 * time.Hour, 24 * time.Hour},
		"it asks for too short": {4, time.Second, 80 * time.Hour, 27 * time.Minute, 33 * time.Minute},
		"too late":              {10, 0, time.Hour, 0, 0},
	} {
		work := store.WebhookWork{InRound: test.attempt}
		work.Delivery.DeadlineAt = store.Now().Add(test.left)
		for range 100 {
			next := h.next(work, test.asked)
			require.GreaterOrEqual(t, next, test.low, name)
			require.LessOrEqual(t, next, test.high, name)
		}
	}
	require.LessOrEqual(t, busyWait(1), 3*time.Second)
	require.LessOrEqual(t, busyWait(1_000_000), 66*time.Second)
	require.GreaterOrEqual(t, busyWait(1_000_000), 54*time.Second)
}

// TestWebhookShares: one webhook has its share of a worker, and gives it back.
func TestWebhookShares(t *testing.T) {
	t.Parallel()
	h := &Webhook{}
	for range maxDeliveriesEach {
		require.True(t, h.enter("a"))
	}
	require.False(t, h.enter("a"))
	require.True(t, h.enter("b"))
	h.leave("a")
	require.True(t, h.enter("a"))
	for range maxDeliveriesEach {
		h.leave("a")
	}
	h.leave("b")
	require.Empty(t, h.busy)
}
