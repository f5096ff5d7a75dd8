package api

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel/trace"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/store"
)

// compose makes one middleware of several, once. Echo would compose them anew for each request.
func compose(all ...echo.MiddlewareFunc) echo.MiddlewareFunc {
	chain := echo.HandlerFunc(func(c echo.Context) error { return c.Handler()(c) })
	for _, m := range slices.Backward(all) {
		chain = m(chain)
	}
	return func(echo.HandlerFunc) echo.HandlerFunc { return chain }
}

// crossOrigin allows front-ends of other origins to call the API, and any page to read what a room plays, whatever the
// settings say of front-ends. Callers are not identified by cookies, so any origin may call.
func crossOrigin(origins []string) echo.MiddlewareFunc {
	fromFrontEnds, fromAnywhere := crossOriginFrom(origins), crossOriginFrom([]string{"*"})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		frontEnds, anywhere := fromFrontEnds(next), fromAnywhere(next)
		return func(c echo.Context) error {
			if c.Path() == nowPlayingPath {
				return anywhere(c)
			}
			return frontEnds(c)
		}
	}
}

// crossOriginFrom answers preflights. The router answers an OPTIONS that is not a preflight.
func crossOriginFrom(origins []string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper: func(c echo.Context) bool {
			r := c.Request()
			return r.Method == http.MethodOptions && r.Header.Get(echo.HeaderAccessControlRequestMethod) == ""
		},
		AllowOrigins: origins,
		AllowMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowHeaders: []string{
			echo.HeaderAuthorization,
			echo.HeaderContentType,
			"Idempotency-Key",
			"If-Match",
			"If-None-Match",
			"If-Range",
			"Range",
		},
		ExposeHeaders: []string{
			"ETag",
			"X-Cache",
			echo.HeaderLocation,
			headerReplayed,
			"Accept-Ranges",
			"Content-Range",
			echo.HeaderContentDisposition,
			echo.HeaderXRequestID,
			echo.HeaderWWWAuthenticate,
			echo.HeaderRetryAfter,
			headerLimit,
			headerRemaining,
			headerReset,
		},
		MaxAge: 600,
	})
}

// Values of headers that answers have in common. The slices are shared by all answers, so nothing may append to them in
// place.
var (
	noSniff       = []string{"nosniff"}
	noStore       = []string{"no-store"}
	noCache       = []string{"no-cache"}
	noContent     = []string{"default-src 'none'; frame-ancestors 'none'"}
	secureForYear = []string{"max-age=31536000"}
)

// beginExchange gives each request a new ID and, unless tracer is nil, a new trace. IDs and traces from outside are
// ignored, since they cannot be trusted. It sets the headers that all responses have.
func beginExchange(publicURL string, tracer trace.Tracer) echo.MiddlewareFunc {
	secure := strings.HasPrefix(publicURL, "https://")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			e := &requestState{Context: ctx, ids: logging.IDs{Request: uuid.NewString()}}
			if tracer != nil && !c.IsWebSocket() { // a connection lasts for hours
				end := e.trace(tracer, c)
				defer end()
			}
			h := c.Response().Header()
			h[echo.HeaderXRequestID] = []string{e.ids.Request}
			h[echo.HeaderXContentTypeOptions] = noSniff
			// Operations and pages may set another value.
			h[echo.HeaderCacheControl] = noStore
			h[echo.HeaderContentSecurityPolicy] = noContent
			if secure {
				h[echo.HeaderStrictTransportSecurity] = secureForYear
			}
			c.SetRequest(c.Request().WithContext(e))
			return next(c)
		}
	}
}

// informStore tells the store for whose request it works, and makes all requests of one part of the API share that
// part's database connections: a problem in /rooms leaves /movies its own.
func informStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		c.SetRequest(c.Request().WithContext(store.WithClient(store.WithRequest(ctx, partOf(c)), clientOf(ctx))))
		return next(c)
	}
}

// observe logs and measures each request by its route. Paths, addresses and queries are in neither.
func observe(log *slog.Logger, metrics prometheus.Registerer) echo.MiddlewareFunc {
	seconds := promauto.With(metrics).NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "Time to answer, by method, route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})
	running := promauto.With(metrics).NewGauge(prometheus.GaugeOpts{
		Name: "http_requests_running", Help: "Requests that are being answered.",
	})
	type labels struct {
		method, route string
		status        int
	}
	var observers sync.Map // by labels: looking one up by its texts is slow
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			if !c.IsWebSocket() {
				running.Inc()
				defer running.Dec()
			}
			if err := next(c); err != nil {
				c.Error(err)
			}
			took, of := time.Since(start), labels{method(c.Request()), c.Path(), c.Response().Status}
			if of.status == http.StatusSwitchingProtocols { // the hub measures connections
				return nil
			}
			observer, ok := observers.Load(of)
			if !ok {
				observer, _ = observers.LoadOrStore(of, seconds.WithLabelValues(of.method, of.route, strconv.Itoa(of.status)))
			}
			observer.(prometheus.Observer).Observe(took.Seconds())
			ctx := c.Request().Context()
			log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", of.method), slog.String("route", of.route),
				slog.Int("status", of.status), slog.Duration("took", took))
			return nil
		}
	}
}

// method limits the values of the label, since a client may send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet,
		http.MethodHead,
		http.MethodPost,
		http.MethodPut,
		http.MethodPatch,
		http.MethodDelete,
		http.MethodOptions:
		return r.Method
	}
	return "OTHER"
}

// maxBodyBytes limits a JSON body.
const maxBodyBytes = 1 << 20

// maxAuthBytes limits the body of a sign-in, which is in memory while it waits for its turn.
const maxAuthBytes = 8 << 10

// multipartOverhead is what a multipart body may have besides the file.
const multipartOverhead = 64 << 10

// limitBody refuses bodies over the limit, at once if their length is announced. An upload over the limit is answered
// as a picture that is too large. An incomplete body is a 408 if the connection's read deadline has passed, and
// malformed otherwise.
func (s *Server) limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Body == nil || c.Request().Body == http.NoBody {
			return next(c)
		}
		limit := int64(maxBodyBytes)
		switch path := c.Path(); {
		case isUpload(c):
			limit = s.cfg.Avatar.MaxUploadBytes + multipartOverhead
		case strings.HasPrefix(path, basePath+"/auth/"):
			limit = min(limit, maxAuthBytes)
		}
		if c.Request().ContentLength > limit {
			return s.tooLarge(c, &http.MaxBytesError{Limit: limit})
		}
		body := &watchedBody{ReadCloser: c.Request().Body}
		c.Request().Body = http.MaxBytesReader(c.Response(), body, limit)
		err := s.tooLarge(c, next(c))
		if body.failure == nil || c.Response().Committed {
			return err
		}
		c.Response().Header().Set("Connection", "close")
		if !errors.Is(body.failure, os.ErrDeadlineExceeded) {
			return watchparty.Invalid(malformedBody)
		}
		// The write deadline counts from the beginning of the request, and may have passed as well.
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(s.cfg.HTTP.WriteTimeout))
		return errRequestTimeout
	}
}

// tooLarge converts the error of an upload over the limit, and returns any other error unchanged.
func (s *Server) tooLarge(c echo.Context, err error) error {
	var over *http.MaxBytesError
	if isUpload(c) && errors.As(err, &over) {
		return refusePicture(probe.TooLarge(s.cfg.Avatar.MaxUploadBytes))
	}
	return err
}

var errRequestTimeout = &watchparty.Error{
	Kind: watchparty.KindTimeout, Code: "request_timeout", Message: "The body did not arrive in time.",
}

// watchedBody keeps the error of the connection. The readers of the body make different errors of it: the validator
// reads it while it checks the token, where a lost connection looks like a database that is down.
type watchedBody struct {
	io.ReadCloser
	failure error
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a body that breaks off is an EOF that is wrapped
		b.failure = err
	}
	return n, err
}
