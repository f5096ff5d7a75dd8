package api

import (
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
)

// takeNote reads the reason that an admin gives for an act. The audit log takes it from the context.
func (s *Server) takeNote(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		operation := s.routes.of(c)
		if operation == nil {
			return next(c)
		}
		parameter := operation.Parameters.GetByInAndName("query", "note")
		if parameter == nil {
			return next(c)
		}
		note := watchparty.AdminNote{Text: c.QueryParam("note"), Required: parameter.Required}
		note.Normalise()
		if err := note.Validate(); err != nil {
			return err
		}
		r := c.Request()
		c.SetRequest(r.WithContext(watchparty.WithAdminNote(r.Context(), note.Text)))
		return next(c)
	}
}
