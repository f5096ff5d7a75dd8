package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
)

// statuses maps each kind of domain error to its HTTP status.
var statuses = map[watchparty.Kind]int{
	watchparty.KindInvalid:         http.StatusBadRequest,
	watchparty.KindUnauthenticated: http.StatusUnauthorized,
	watchparty.KindForbidden:       http.StatusForbidden,
	watchparty.KindNotFound:        http.StatusNotFound,
	watchparty.KindConflict:        http.StatusConflict,
	watchparty.KindPrecondition:    http.StatusPreconditionFailed,
	watchparty.KindUnprocessable:   http.StatusUnprocessableEntity,
	watchparty.KindTooLarge:        http.StatusRequestEntityTooLarge,
	watchparty.KindUnsupported:     http.StatusUnsupportedMediaType,
	watchparty.KindUpgrade:         http.StatusUpgradeRequired,
	watchparty.KindTimeout:         http.StatusRequestTimeout,
	watchparty.KindLimited:         http.StatusTooManyRequests,
	watchparty.KindUnavailable:     http.StatusServiceUnavailable,
}

// codes names the statuses that Echo and the router answer by themselves.
var codes = map[int]string{
	http.StatusBadRequest:            "invalid_request",
	http.StatusNotFound:              "not_found",
	http.StatusPreconditionFailed:    "precondition_failed",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusRequestEntityTooLarge: "body_too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",

	http.StatusRequestedRangeNotSatisfiable: "range_not_satisfiable",
}

// problem converts an error to what a client may see of it. An error without a code is a 500 without details, or a 503
// if a connection failed.
func problem(err error) contract.Problem {
	var (
		coded    *watchparty.Error
		http4xx  *echo.HTTPError
		tooLarge *http.MaxBytesError
		mistyped *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than allowed.")
	case errors.As(err, &coded):
		p := newProblem(statuses[coded.Kind], coded.Code, coded.Message)
		for _, f := range coded.Fields {
			addField(&p, f.Field, f.Code, f.Message)
		}
		if coded.Details != nil {
			p.Details = &coded.Details
		}
		return p
	case errors.As(err, &http4xx) && http4xx.Code == http.StatusBadRequest && errors.As(http4xx.Internal, &mistyped):
		// The validator accepts 4.0 as an integer, and the decoder does not.
		return problem(
			watchparty.Invalid(watchparty.FieldError{
				Field: mistyped.Field, Code: "type", Message: "must be " + wire.JSONType(mistyped.Type),
			}),
		)
	case errors.As(err, &http4xx) && http4xx.Code == http.StatusBadRequest && repeatedParameter(http4xx) != "":
		return problem(watchparty.Invalid(watchparty.FieldError{
			Field: repeatedParameter(http4xx), Code: "malformed", Message: "cannot be read, or is given more than once"}))
	case errors.As(err, &http4xx) && codes[http4xx.Code] != "":
		return newProblem(http4xx.Code, codes[http4xx.Code], "")
	case store.Unavailable(err):
		return newProblem(
			http.StatusServiceUnavailable, "unavailable", "A part of the service is unavailable. Try again in a moment.",
		)
	default:
		return newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
	}
}

// unreadParameter matches the errors of the generated code about a parameter. After the validator, only a repeated
// parameter causes them.
var unreadParameter = regexp.MustCompile(`^(?:Invalid format for parameter|Expected one value for) ([\w-]+)[:,]`)

// repeatedParameter returns the name of that parameter, and an empty string for any other error.
func repeatedParameter(err *echo.HTTPError) string {
	text, _ := err.Message.(string)
	if found := unreadParameter.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// newProblem returns a problem without the type and the title of its code, which handleError adds.
func newProblem(status int, code, detail string) contract.Problem {
	p := contract.Problem{Status: status, Code: contract.ProblemCode(code)}
	if detail != "" {
		p.Detail = &detail
	}
	return p
}

func addField(p *contract.Problem, field, code, message string) {
	if p.Errors == nil {
		p.Errors = &[]contract.FieldProblem{}
	}
	if len(*p.Errors) < maxFieldErrors {
		*p.Errors = append(*p.Errors,
			contract.FieldProblem{Field: shorten(field, maxFieldName), Code: code, Message: shorten(message, maxFieldMessage)})
	}
}

// Limits of a problem, as in the contract: a request decides how many fields are wrong, and what unknown ones are
// called.
const (
	maxFieldErrors  = 20
	maxFieldName    = 200
	maxFieldMessage = 400
)

// shorten cuts a text to that many characters, with an ellipsis at the end.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// handleError is Echo's error handler: the only place where errors become answers, and where unexpected ones are
// logged.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problem(err)
	ctx := c.Request().Context()
	p.Type = s.cfg.HTTP.PublicURL + web.Problems + "#" + string(p.Code)
	p.Title = s.problems[string(p.Code)].Title
	if id := requestID(ctx); id != "" {
		p.RequestID = &id
	}
	var coded *watchparty.Error
	errors.As(err, &coded)
	switch {
	case p.Status < http.StatusInternalServerError || ctx.Err() != nil:
	case p.Status == http.StatusServiceUnavailable: // there are many, under overload and while a server is down
		s.refusedLog.WarnContext(ctx, "requests are refused", slog.String("part", partOf(c)),
			slog.String("code", string(p.Code)), slog.Any("error", err))
	default:
		s.log.ErrorContext(ctx, "request failed", slog.String("route", c.Path()), slog.Any("error", err))
	}
	writeLimits(c.Response().Header(), err)
	if p.Status == http.StatusMethodNotAllowed && c.Response().Header().Get(echo.HeaderAllow) == "" {
		c.Response().Header().Set(echo.HeaderAllow, s.routes.allowed(c.Request()))
	}
	if operation := s.routes.of(c); operation != nil && errors.Is(err, errContentType) {
		taken := slices.Sorted(maps.Keys(operation.RequestBody.Value.Content))
		c.Response().Header().Set(echo.HeaderAccept, strings.Join(taken, ", "))
	}
	if p.Status == http.StatusServiceUnavailable {
		pause := 5
		if coded != nil && coded.RetryAfter > 0 {
			pause = seconds(coded.RetryAfter)
		}
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(pause))
	}
	if p.Status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="watchparty"`)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	if isPage(c.Request().URL.Path) {
		c.Response().Header().Add(echo.HeaderVary, echo.HeaderAccept)
		if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), echo.MIMETextHTML) {
			_ = web.WriteFailure(c.Response(), p.Status, failure(c, p))
			return
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.log.ErrorContext(ctx, "problem not encoded", slog.Any("error", err))
		return
	}
	c.Response().Header().Set("Content-Type", "application/problem+json") // Blob keeps a type that a handler has set
	_ = c.Blob(p.Status, "application/problem+json", body)
}

// failure says to people why a page is not shown.
func failure(c echo.Context, p contract.Problem) web.Failure {
	f := web.Failure{Title: p.Title}
	if p.Detail != nil {
		f.Detail = *p.Detail
	}
	switch p.Status {
	case http.StatusNotFound:
		f.Detail = "There is no page at this address."
	case http.StatusTooManyRequests,
		http.StatusServiceUnavailable,
		http.StatusInternalServerError,
		http.StatusRequestTimeout:
		f.Again = c.Request().URL.RequestURI()
	}
	return f
}

// problemsIn reads the explanations of the codes from the contract: the extension x-problems of ProblemCode.
func problemsIn(spec *openapi3.T) (map[string]web.Problem, error) {
	code := spec.Components.Schemas["ProblemCode"].Value
	encoded, err := json.Marshal(code.Extensions["x-problems"])
	if err != nil {
		return nil, fmt.Errorf("api: read the contract's problems: %w", err)
	}
	problems := map[string]web.Problem{}
	if err := json.Unmarshal(encoded, &problems); err != nil {
		return nil, fmt.Errorf("api: read the contract's problems: %w", err)
	}
	for _, known := range code.Enum {
		code, _ := known.(string)
		explained, ok := problems[code]
		if !ok {
			return nil, fmt.Errorf("api: the contract does not explain the problem %s", code)
		}
		explained.Code = code
		problems[code] = explained
	}
	return problems, nil
}
