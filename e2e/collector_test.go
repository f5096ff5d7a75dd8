package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// traceCollector takes spans as OpenTelemetry's collectors do.
type traceCollector struct {
	url string

	mu    sync.Mutex
	spans []collectedSpan
	raw   []byte // all that has been sent
}

type collectedSpan struct {
	*trace.Span

	service string
}

func (s collectedSpan) traceID() string { return hex.EncodeToString(s.GetTraceId()) }

// attributes are those with a text.
func (s collectedSpan) attributes() map[string]string {
	values := map[string]string{}
	for _, a := range s.GetAttributes() {
		values[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return values
}

func newTraceCollector(t testing.TB) *traceCollector {
	t.Helper()
	c := &traceCollector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &request) != nil {
			t.Errorf("not a request of OTLP: %v", err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw = append(c.raw, body...)
		for _, resource := range request.GetResourceSpans() {
			service := ""
			for _, a := range resource.GetResource().GetAttributes() {
				if a.GetKey() == "service.name" {
					service = a.GetValue().GetStringValue()
				}
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					c.spans = append(c.spans, collectedSpan{span, service})
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// named returns the spans with a name, of one trace or, if it is empty, of all.
func (c *traceCollector) named(name, traceID string) (found []collectedSpan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		if span.GetName() == name && (traceID == "" || span.traceID() == traceID) {
			found = append(found, span)
		}
	}
	return found
}

// requireNothingOf checks that no text has left the processes.
func (c *traceCollector) requireNothingOf(t *testing.T, texts ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NotEmpty(t, c.raw)
	for _, text := range texts {
		require.NotContains(t, strings.ToLower(string(c.raw)), strings.ToLower(text))
	}
}
