package api

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
	swaggerui "github.com/swaggest/swgui/v5emb"

	"github.com/watchparty/watchparty/web"
)

//go:embed openapi.yaml
var contract []byte

// apiOverview answers whoever opens /api itself.
var apiOverview = map[string]any{"data": map[string]string{
	"name": "WatchParty", "documentation": "/docs", "contract": "/openapi.yaml", "health": basePath + "/health",
}}

// routePages serves what is not in the contract: the contract itself, a page that shows it, the way to both, and the
// pages to which the links in mails lead. The contract says that all of it is under /api; people look for it at the root.
func (s *Server) routePages(e *echo.Echo) {
	yaml := func(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", contract) }
	for _, base := range []string{"", basePath} {
		page := echo.WrapHandler(swaggerui.New("WatchParty API", base+"/openapi.yaml", base+"/docs/"))
		e.GET(base+"/openapi.yaml", yaml)
		e.GET(base+"/docs", page)
		e.GET(base+"/docs/*", page)
	}
	for _, path := range web.Pages() {
		e.GET(path, echo.WrapHandler(web.Page(path)))
	}
	e.POST(web.Unsubscribe, s.oneClick)
	e.GET("/assets/*", echo.WrapHandler(web.Assets()))
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") })
	overview := func(c echo.Context) error { return c.JSON(http.StatusOK, apiOverview) }
	e.GET(basePath, overview)
	e.GET(basePath+"/", overview)
	e.GET("/health", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, basePath+"/health") })
}
