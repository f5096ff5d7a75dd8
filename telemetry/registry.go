package telemetry

import (
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// prefix is the beginning of the names of the program's own metrics.
const prefix = "watchparty_"

// Registry has the metrics of one process.
type Registry struct{ all *prometheus.Registry }

// NewRegistry makes a registry with the metrics of Go, of the process and of the build.
func NewRegistry() *Registry {
	all := prometheus.NewRegistry()
	all.MustRegister(collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Registry{all: all}
}

// Own registers the program's own metrics, and puts the prefix before their names.
func (r *Registry) Own() prometheus.Registerer {
	return prometheus.WrapRegistererWithPrefix(prefix, r.all)
}

// Gather returns the present values.
func (r *Registry) Gather() prometheus.Gatherer { return r.all }

// maxScrapes limits how many scrapes run at a time, since each may read from the database.
const maxScrapes = 4

// Handler serves /metrics and, if profiles is true, Go's profiles below /debug/pprof/. A metric that cannot be read
// does not keep the others back. /live answers 204 as long as the process can answer at all, whatever its servers do.
func (r *Registry) Handler(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.all, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes, Registry: r.all,
	}))
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}
