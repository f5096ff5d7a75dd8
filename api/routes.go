package api

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// contractRoutes are the contract's operations by method and route.
type contractRoutes map[string]*openapi3.Operation

var pathParameterName = regexp.MustCompile(`\{([^}]+)\}`)

func newContractRoutes(spec *openapi3.T) contractRoutes {
	routes := contractRoutes{}
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			routes[method+" "+basePath+pathParameterName.ReplaceAllString(path, ":$1")] = operation
		}
	}
	return routes
}

// of is the operation that a request asks for; nil for pages, and for what no route answers.
func (r contractRoutes) of(c echo.Context) *openapi3.Operation {
	return r[c.Request().Method+" "+c.Path()]
}

// allowed are the methods of a path of the contract that Echo takes for another one with a parameter, as
// /invitations/decline for /invitations/{invitation_id}.
func (r contractRoutes) allowed(path string) string {
	methods := []string{http.MethodOptions}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if r[method+" "+path] == nil {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(methods, ", ")
}

// withHead routes HEAD wherever it routes GET.
type withHead struct{ *echo.Echo }

// GET is part of EchoRouter.
func (r withHead) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	r.HEAD(path, h, m...)
	return r.Echo.GET(path, h, m...)
}

// headAsGet lets all that follows answer HEAD as it answers GET. net/http sends no content to HEAD.
func headAsGet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		asked := c.Request()
		if asked.Method != http.MethodHead {
			return next(c)
		}
		get := asked.WithContext(asked.Context())
		get.Method = http.MethodGet
		c.SetRequest(get)
		defer c.SetRequest(asked)
		return next(c)
	}
}
