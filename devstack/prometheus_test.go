package devstack

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A machine without Prometheus is told so, and only if it is asked for.
func TestPrometheusIsOptional(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	require.False(t, PrometheusInstalled())
	_, err := Start(t.Context(), Options{Services: []Service{Prometheus}, Ephemeral: true})
	require.ErrorContains(t, err, "Prometheus is not installed: apt-get install prometheus")
}
