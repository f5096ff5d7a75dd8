package api

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

// crossOrigin lets front-ends of other origins call the API. No cookie proves who asks, so any origin may ask. An OPTIONS
// that is no preflight is the router's.
func crossOrigin(origins []string) echo.MiddlewareFunc {
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
			echo.HeaderRetryAfter,
			headerLimit,
			headerRemaining,
			headerReset,
		},
		MaxAge: 600,
	})
}

// always are the headers that all answers have. Operations and pages may know better of some. The slices are shared by all
// answers.
var (
	noSniff       = []string{"nosniff"}
	noStore       = []string{"no-store"}
	noCache       = []string{"no-cache"}
	noContent     = []string{"default-src 'none'; frame-ancestors 'none'"}
	secureForYear = []string{"max-age=31536000"}
)

// beginExchange gives each request an ID of our own, since one from outside could be anything, and the headers that all
// answers have.
func beginExchange(publicURL string) echo.MiddlewareFunc {
	secure := strings.HasPrefix(publicURL, "https://")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			e := &exchange{Context: c.Request().Context(), requestID: uuid.NewString()}
			h := c.Response().Header()
			h[echo.HeaderXRequestID] = []string{e.requestID}
			h[echo.HeaderXContentTypeOptions] = noSniff
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

// informStore tells the store whose request it works for, and has all requests of one part of the API share that part's
// connections to the database: what holds up /rooms leaves /movies its own.
func informStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		part, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), basePath+"/"), "/")
		ctx := c.Request().Context()
		c.SetRequest(c.Request().WithContext(store.WithClient(store.WithKind(ctx, part), clientOf(ctx))))
		return next(c)
	}
}

// observe logs and measures each request by its route; paths, addresses and queries stay out of both.
func observe(log *slog.Logger, metrics prometheus.Registerer) echo.MiddlewareFunc {
	seconds := promauto.With(metrics).NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "Time to answer, by method, route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})
	type labels struct {
		method, route string
		status        int
	}
	var observers sync.Map // by labels: looking one up by its texts is slow
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
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
				slog.Int("status", of.status), slog.Duration("took", took), slog.String("request_id", requestID(ctx)))
			return nil
		}
	}
}

// method bounds the label's values: a client may send any word.
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

// maxBodyBytes bounds a JSON body.
const maxBodyBytes = 1 << 20

// maxAuthBytes bounds what is kept of a sign-in that waits for its turn.
const maxAuthBytes = 8 << 10

// multipartOverhead is what a multipart body may hold besides the file.
const multipartOverhead = 64 << 10

// limitBody refuses bodies over the limit, at once when their length is announced. A body that breaks off is a 408 when
// the connection's read deadline has passed, and a malformed one otherwise.
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
			return &http.MaxBytesError{Limit: limit}
		}
		body := &watchedBody{ReadCloser: c.Request().Body}
		c.Request().Body = http.MaxBytesReader(c.Response(), body, limit)
		err := next(c)
		if body.failure == nil || c.Response().Committed {
			return err
		}
		c.Response().Header().Set("Connection", "close")
		if !errors.Is(body.failure, os.ErrDeadlineExceeded) {
			return watchparty.Invalid(malformedBody)
		}
		// The time for an answer counts from the request's beginning, and may be over too.
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(s.cfg.HTTP.WriteTimeout))
		return errRequestTimeout
	}
}

var errRequestTimeout = &watchparty.Error{
	Kind: watchparty.KindTimeout, Code: "request_timeout", Message: "The body did not arrive in time.",
}

// watchedBody keeps the connection's error. Those who read the body make different errors of it: the validator reads it
// while it checks the token, where a cut connection looks like that of a database that is away.
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
