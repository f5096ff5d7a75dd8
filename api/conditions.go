package api

import (
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
)

// A GET of the same path decides a conditional request (RFC 9110, 13). There are three cases:
//
//   - If-Match as a parameter of the operation, for resources with strong tags: the store judges it in the transaction
//     of the change, and reads judge it when they answer.
//   - If-None-Match of reads: reads judge it when they answer.
//   - Everything else: judgeConditions judges it with a GET.
//
// If-Match compares strongly (13.1.1), so a list of tags matches nothing that has a weak tag or none: the condition is
// false, and the answer is a 412. `*` is true if there is something. If-None-Match is true unless there is something
// that has one of the tags, or anything at all for `*` (13.1.2).
//
// A condition is ignored if the response without it would not be a success (13.2.1). So the checks of the middleware
// come first. Of the operation's own checks, only the check for existence is made before the condition. Where another
// check would fail too, the response is the 412: nothing changes in either case. The opposite order would perform the
// change before the condition is known to be true, which 13.1.1 forbids.
//
// Some paths have no GET: they are for acts, such as joining a room, which select no representation. There `*` and
// If-None-Match are ignored, as 13.2.1 demands for such methods. A list of tags in If-Match is false by 13.1.1 and
// stays a 412, so that no client believes that an act was guarded.
//
// The GET comes before the change, so two requests with `If-None-Match: *` at the same time may both be performed. For
// changes that must not overwrite each other there is If-Match.

// judgeConditions answers with a 412 to conditions that are false.
func (s *Server) judgeConditions(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, operation := c.Request(), s.routes.of(c)
		if operation == nil {
			return next(c)
		}
		match, noneMatch := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
		if operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "If-Match") != nil {
			match = ""
		}
		if r.Method == http.MethodGet {
			noneMatch = ""
		}
		if match == "" && noneMatch == "" {
			return next(c)
		}
		found, err := s.selectRepresentation(c, noneMatch)
		if err != nil {
			return err
		}
		refused := found >= http.StatusBadRequest
		if r.Method != http.MethodGet { // an operation without a 404 makes what there is not, or leaves it so
			refused = found == http.StatusNotFound && operation.Responses.Value("404") != nil
		}
		switch {
		case refused: // the operation says so itself
		case match != "" && !matches(match, found), noneMatch != "" && !noneMatches(noneMatch, found):
			return watchparty.ErrChangedSince
		}
		return next(c)
	}
}

// noRepresentation stands for the status of a path that has no GET.
const noRepresentation = 0

// matches judges If-Match of a thing without a strong tag, by the status of a GET.
func matches(header string, found int) bool {
	return anyTag(header) && found != http.StatusNotFound
}

// noneMatches judges If-None-Match by the status of a GET with the same header.
func noneMatches(header string, found int) bool {
	return found != http.StatusNotModified && (found != http.StatusOK || !anyTag(header))
}

// selectRepresentation returns the status that a GET of the same path has, with that If-None-Match. It returns an error
// if that cannot be known now.
func (s *Server) selectRepresentation(c echo.Context, noneMatch string) (int, error) {
	get := c.Request().Clone(c.Request().Context())
	if get.Method != http.MethodGet {
		get.Method, get.Body, get.ContentLength, get.URL.RawQuery = http.MethodGet, http.NoBody, 0, ""
	}
	for _, name := range []string{"If-Match", "Range", echo.HeaderContentType, echo.HeaderContentLength} {
		get.Header.Del(name)
	}
	get.Header.Del("If-None-Match")
	if noneMatch != "" {
		get.Header.Set("If-None-Match", noneMatch)
	}
	answer := &discarded{header: http.Header{}, status: http.StatusOK}
	selected := s.echo.NewContext(get, answer)
	s.echo.Router().Find(http.MethodGet, echo.GetPath(get), selected)
	if s.routes.of(selected) == nil || selected.Path() != c.Path() { // Echo finds another path that fits
		return noRepresentation, nil
	}
	selected.SetParamValues(c.ParamValues()...) // in lower case
	if err := selected.Handler()(selected); err != nil {
		answer.status = problem(err).Status
		if answer.status >= http.StatusInternalServerError {
			return 0, err
		}
	}
	return answer.status, nil
}

// discarded is an answer of which only the status counts.
type discarded struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (d *discarded) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d *discarded) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (d *discarded) WriteHeader(status int) { d.status = status }
