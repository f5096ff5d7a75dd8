package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// contractRoutes finds operations of the contract.
type contractRoutes struct {
	operations map[string]*openapi3.Operation // by method and Echo's route
	access     map[*openapi3.Operation]access
	plain      map[string]bool // paths without parameters
	router     routers.Router
}

// readSpec reads the contract, once per process.
var readSpec = sync.OnceValues(contract.GetSpec)

var pathParameterName = regexp.MustCompile(`\{([^}]+)\}`)

func newContractRoutes(spec *openapi3.T) (contractRoutes, error) {
	router, err := gorillamux.NewRouter(spec)
	if err != nil {
		return contractRoutes{}, fmt.Errorf("api: route by the contract: %w", err)
	}
	routes := contractRoutes{
		operations: map[string]*openapi3.Operation{}, access: map[*openapi3.Operation]access{},
		plain: map[string]bool{}, router: router,
	}
	for path, item := range spec.Paths.Map() {
		if !strings.Contains(path, "{") {
			routes.plain[basePath+path] = true
		}
		for method, operation := range item.Operations() {
			routes.operations[method+" "+basePath+pathParameterName.ReplaceAllString(path, ":$1")] = operation
			if routes.access[operation], err = accessOf(operation); err != nil {
				return contractRoutes{}, err
			}
		}
	}
	return routes, nil
}

// of returns the operation of a request; nil for pages, and for what no route answers. Echo routes a method that
// /invitations/decline does not have to /invitations/{invitation_id}.
func (r contractRoutes) of(c echo.Context) *openapi3.Operation {
	if path := c.Request().URL.Path; r.plain[path] && path != c.Path() {
		return nil
	}
	return r.operations[c.Request().Method+" "+c.Path()]
}

// wholePath refuses a path that is longer than its route: Echo takes all that follows for the route's last parameter.
func (r contractRoutes) wholePath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		route := c.Path()
		longer := strings.Count(c.Request().URL.EscapedPath(), "/") > strings.Count(route, "/")
		if longer && strings.HasPrefix(route, basePath+"/") && !strings.HasSuffix(route, "*") &&
			r.allowed(c.Request()) == http.MethodOptions {
			return watchparty.ErrNotFound
		}
		return next(c)
	}
}

// allowed returns the methods of a path.
func (r contractRoutes) allowed(request *http.Request) string {
	methods := []string{http.MethodOptions}
	for _, method := range []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		other := request.WithContext(request.Context())
		other.Method = method
		if _, _, err := r.router.FindRoute(other); err != nil {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(methods, ", ")
}

// withHead adds a route for HEAD to each route for GET.
type withHead struct{ *echo.Echo }

// GET is part of EchoRouter.
func (r withHead) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	r.HEAD(path, h, m...)
	return r.Echo.GET(path, h, m...)
}

// headAsGet makes all that follows answer HEAD like GET. net/http sends no content for HEAD. Ranges are only for GET
// (RFC 9110, 14.2).
func headAsGet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		asked := c.Request()
		if asked.Method != http.MethodHead {
			return next(c)
		}
		get := asked.WithContext(asked.Context())
		get.Method = http.MethodGet
		get.Header.Del("Range")
		c.SetRequest(get)
		defer c.SetRequest(asked)
		return next(c)
	}
}
