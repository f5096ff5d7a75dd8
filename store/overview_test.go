package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOverviewQueries(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	queueWelcome(t, s, "ada")
	delays, err := s.Delays(t.Context())
	require.NoError(t, err)
	require.Empty(t, delays)
	spans, err := s.Throughput(t.Context(), time.Hour, 3)
	require.NoError(t, err)
	require.Len(t, spans, 3)
	require.Equal(t, time.Hour, spans[1].From.Sub(spans[0].From))
	require.WithinDuration(t, Now().Add(-3*time.Hour), spans[0].From, time.Minute)
}
