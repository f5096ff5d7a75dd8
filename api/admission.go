package api

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// partOf names the part of the API that a request is for.
func partOf(c echo.Context) string {
	part, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), basePath+"/"), "/")
	return part
}

// admit refuses a request while too many others wait for the database in its part of the API. Health and live
// connections are never refused.
func (s *Server) admit(c echo.Context) error {
	if unlimited(c.Path()) || c.Path() == basePath+livePath {
		return nil
	}
	return s.store.CheckCapacity(partOf(c))
}

// admitEarly calls admit before the request is processed any further. It skips plain requests: they may be answered
// from memory, and otherwise the middleware of repeats calls admit.
func (s *Server) admitEarly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isPlain(c.Request()) {
			if err := s.admit(c); err != nil {
				return err
			}
		}
		return next(c)
	}
}
