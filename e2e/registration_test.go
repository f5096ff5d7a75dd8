package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack"
)

// maxAwayRatio is the most by which registration may take longer while Temporal and the mail server are down.
const maxAwayRatio = 1.2

// BenchmarkRegistration registers one after the other, with Temporal and the mail server there and away in turn, b.N
// times in each of three rounds, and compares the answers' times.
func BenchmarkRegistration(b *testing.B) {
	const rounds = 3
	s := newSystem(b)
	s.environ = append(s.environ, "RATE_LIMIT_ENABLED=false")
	s.startAPI(b)
	s.startWorker(b)
	register := func(phase string) (took []time.Duration) {
		for i := range b.N {
			name := fmt.Sprintf("%s-%d", phase, i)
			began := time.Now()
			got := s.client.post(
				b, "/auth/register", map[string]any{"username": name, "email": name + "@people.example", "password": password},
			)
			took = append(took, time.Since(began))
			require.Equal(b, http.StatusCreated, got.status, "%s", got.body)
		}
		return took
	}
	register("warm")
	var there, away []time.Duration
	for round := range rounds {
		there = append(there, register(fmt.Sprintf("there-%d", round))...)
		for _, service := range []devstack.Service{devstack.Temporal, devstack.Inbox} {
			require.NoError(b, s.stack.Stop(service))
		}
		away = append(away, register(fmt.Sprintf("away-%d", round))...)
		for _, service := range []devstack.Service{devstack.Temporal, devstack.Inbox} {
			require.NoError(b, s.stack.Restart(b.Context(), service))
		}
	}
	s.awaitIdle(b)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(there, 50), "there-p50-ms")
	b.ReportMetric(milliseconds(away, 50), "away-p50-ms")
	b.ReportMetric(milliseconds(there, 95), "there-p95-ms")
	b.ReportMetric(milliseconds(away, 95), "away-p95-ms")
	ratio := milliseconds(away, 50) / milliseconds(there, 50)
	b.ReportMetric(ratio, "away/there")
	if ratio > maxAwayRatio {
		b.Errorf(
			"registration takes %.2f times as long while Temporal and the mail server are down; %.1f is allowed",
			ratio,
			maxAwayRatio,
		)
	}
}

// milliseconds is a percentile.
func milliseconds(all []time.Duration, percent int) float64 {
	slices.Sort(all)
	return all[(len(all)-1)*percent/100].Seconds() * 1000
}
