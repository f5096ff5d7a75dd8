package e2e

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/logging"
)

// TestTrace follows the request for a new password from the request through the outbox to the workflow that sends its
// email, in the processes of the API and the worker.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	traces := newTraceCollector(t)
	s.environ = append(s.environ, "LOG_LEVEL=debug", "OTEL_EXPORTER_OTLP_ENDPOINT="+traces.url,
		"OTEL_TRACES_SAMPLER=always_on", "OTEL_BSP_SCHEDULE_DELAY=100")
	api, worker := s.startAPI(t), s.startWorker(t)
	const password = "correct horse battery staple"
	a := s.client.postUntilTaken(t, "/auth/register", map[string]any{
		"username": "ada_lovelace", "email": "ada@party.example", "password": password, "display_name": "Countess Ada",
	})
	require.Equal(t, 201, a.status)
	require.Equal(t, 202, s.client.post(t, "/auth/password-reset", map[string]any{"email": "ada@party.example"}).status)

	var root collectedSpan
	eventually(t, func(c *assert.CollectT) {
		roots := traces.named("POST /api/auth/password-reset", "")
		if assert.Len(c, roots, 1) {
			root = roots[0]
		}
	}, "the request is traced")
	for name, service := range map[string]string{
		"outbox PasswordResetEmail": "", "StartWorkflow:PasswordResetEmail": "", // by the relay of either process
		"RunWorkflow:PasswordResetEmail": "watchparty-worker", "StartActivity:SendMail": "watchparty-worker",
		"RunActivity:SendMail": "watchparty-worker",
	} {
		eventually(t, func(c *assert.CollectT) {
			if found := traces.named(name, root.traceID()); assert.NotEmpty(c, found, name) && service != "" {
				assert.Equal(c, service, found[0].service)
			}
		}, name+" is in the same trace")
	}
	require.NotEmpty(t, traces.named("postgres INSERT", root.traceID()))
	require.Equal(t, "/api/auth/password-reset", root.attributes()["http.route"])

	// The log leads from the request to the trace, and from the trace to the workflow.
	requestID := root.attributes()["watchparty.request_id"]
	require.NotEmpty(t, requestID)
	api.awaitLine(t, fmt.Sprintf(`"request_id":%q`, requestID))
	api.awaitLine(t, fmt.Sprintf(`"trace_id":%q`, root.traceID()))
	logs := func() string { return api.out.String() + worker.out.String() }
	eventually(t, func(c *assert.CollectT) {
		found := false
		for line := range strings.Lines(logs()) {
			found = found || strings.Contains(line, `"workflow_id":"password-reset/`) && strings.Contains(line, root.traceID())
		}
		assert.True(c, found)
	}, "a line has the trace and the workflow")

	// A trace from outside is not continued: anybody could turn tracing on, or join another one's trace.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/movies", nil)
	require.NoError(t, err)
	foreign := strings.Repeat("ab", 16)
	request.Header.Set("traceparent", "00-"+foreign+"-"+strings.Repeat("cd", 8)+"-01")
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	eventually(t, func(c *assert.CollectT) {
		if spans := traces.named("GET /api/movies", ""); assert.NotEmpty(c, spans) {
			assert.NotEqual(c, foreign, hex.EncodeToString(spans[0].GetTraceId()))
			assert.Empty(c, spans[0].GetParentSpanId())
		}
	}, "the read is traced")
	require.Equal(t, 0, api.stop(t))
	require.Equal(t, 0, worker.stop(t))
	traces.requireNothingOf(t, "ada_lovelace", "party.example", "Countess", password, "127.0.0.1")
}

// A collector that is away costs no request anything but a line in the log.
func TestTraceCollectorAway(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	began := time.Now()
	s.environ = append(s.environ, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+stacktest.FreeAddress(t),
		"OTEL_TRACES_SAMPLER=always_on", "OTEL_BSP_SCHEDULE_DELAY=100")
	api := s.startAPI(t)
	for range 20 {
		require.Equal(t, 200, s.client.get(t, "/movies").status)
	}
	eventually(t, func(c *assert.CollectT) { assert.Contains(c, api.out.String(), "traces are lost") }, "it is logged")
	require.Equal(t, 0, api.stop(t))
	intervals := 1 + int(time.Since(began)/logging.Interval)
	require.LessOrEqual(t, strings.Count(api.out.String(), "traces are lost"), intervals+1, "once an interval")
}
