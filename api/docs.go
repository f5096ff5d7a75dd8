package api

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/web"
)

//go:embed openapi.yaml
var contractYAML []byte

//go:embed live.yaml
var liveYAML []byte

// docsPage and liveDocsPage are rendered once a process.
var (
	docsPage     = sync.OnceValues(func() (http.HandlerFunc, error) { return web.DocsPage(contractYAML) })
	liveDocsPage = sync.OnceValues(func() (http.HandlerFunc, error) { return web.LiveDocsPage(liveYAML) })
)

// isPage reports whether a path is one that people open in a browser, and not one of the API.
func isPage(path string) bool {
	under, ok := strings.CutPrefix(path, basePath)
	return !ok || under != "" && under[0] != '/' || isDocument(under)
}

// apiOverview is the answer to /api itself.
var apiOverview = map[string]any{"data": map[string]string{
	"name": "WatchParty", "documentation": "/docs", "contract": "/openapi.yaml", "live": "/live.yaml",
	"health": basePath + "/health",
}}

// isDocument reports whether a path below basePath is that of a contract, or of a page that shows one.
func isDocument(path string) bool {
	return path == "/openapi.yaml" || path == "/live.yaml" || strings.HasPrefix(path, "/docs")
}

// routePages serves what is not in the contract: the contract itself, the page that shows it, redirects to both, and
// the pages behind links in emails. The API is under /api, but people look for these pages at the root.
func (s *Server) routePages(e withHead) error {
	docs, err := docsPage()
	if err != nil {
		return err
	}
	liveDocs, err := liveDocsPage()
	if err != nil {
		return err
	}
	explained := slices.SortedFunc(
		maps.Values(s.problems), func(a, b web.Problem) int { return cmp.Compare(a.Code, b.Code) },
	)
	problems, err := web.ProblemsPage(explained)
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	e.GET(web.Problems, page(problems))
	for _, base := range []string{"", basePath} {
		e.GET(base+"/openapi.yaml", page(web.File("application/yaml", contractYAML)))
		e.GET(base+"/docs", page(docs))
		e.GET(base+"/docs/", page(docs))
		e.GET(base+"/live.yaml", page(web.File("application/yaml", liveYAML)))
		e.GET(base+"/docs/live", page(liveDocs))
	}
	home := web.Watch
	if s.cfg.HTTP.FrontendURL != s.cfg.HTTP.PublicURL {
		home = s.cfg.HTTP.FrontendURL
	}
	for _, path := range web.Pages() {
		e.GET(path, page(web.Page(path, home)))
	}
	e.GET(basePath+livePath, s.connectLive)
	e.POST(web.Unsubscribe, s.oneClick)
	e.GET("/assets/*", page(web.Assets()))
	var people *web.Demo
	if s.cfg.Development() {
		people = &web.Demo{Accounts: demo.Accounts(), Password: demo.Password}
		media, err := demo.Media()
		if err != nil {
			return fmt.Errorf("api: %w", err)
		}
		e.GET(demo.MediaPath+"*", page(media))
	}
	watch, err := web.WatchPage(people)
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	e.GET(web.Watch, page(watch))
	if err := s.routeConsole(e); err != nil {
		return err
	}
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") })
	overview := func(c echo.Context) error { return c.JSON(http.StatusOK, apiOverview) }
	e.GET(basePath, overview)
	e.GET(basePath+"/", overview)
	e.GET("/health", func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, basePath+"/health") })
	return nil
}
