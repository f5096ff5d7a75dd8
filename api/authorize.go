package api

import (
	"context"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

// role says who may use an operation or a parameter by the contract.
type role string

const (
	roleAnyone role = "anyone" // with or without a token
	roleUser   role = "user"   // an account that is signed in
	roleAdmin  role = "admin"  // an account with an admin's rights
)

// roleExtension is the name of the role in the contract.
const roleExtension = "x-role"

// access has the roles of an operation. A request needs the role of the operation, and those of the query parameters
// that it has.
type access struct {
	operation  role
	parameters map[string]role
}

// accessOf reads the roles from the contract. An operation without a role is an error; a parameter without one needs
// none.
func accessOf(o *openapi3.Operation) (access, error) {
	a := access{parameters: map[string]role{}}
	var err error
	if a.operation, err = roleIn(o.Extensions); err != nil {
		return access{}, fmt.Errorf("api: operation %s: %w", o.OperationID, err)
	}
	for _, p := range o.Parameters {
		if p.Value.Extensions[roleExtension] == nil {
			continue
		}
		if a.parameters[p.Value.Name], err = roleIn(p.Value.Extensions); err != nil {
			return access{}, fmt.Errorf("api: parameter %s of %s: %w", p.Value.Name, o.OperationID, err)
		}
	}
	return a, nil
}

func roleIn(extensions map[string]any) (role, error) {
	switch text, _ := extensions[roleExtension].(string); role(text) {
	case roleAnyone, roleUser, roleAdmin:
		return role(text), nil
	default:
		return "", fmt.Errorf("%s is %q", roleExtension, text)
	}
}

type callerKey struct{}

// authorize refuses a request whose account lacks a role that the contract requires, before anything else of the
// request is read.
func (s *Server) authorize(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		operation := s.routes.of(c)
		if operation == nil {
			return next(c)
		}
		access := s.routes.access[operation]
		needed := []role{access.operation}
		for name, role := range access.parameters {
			if c.QueryParams().Has(name) {
				needed = append(needed, role)
			}
		}
		ctx := c.Request().Context()
		for _, role := range needed {
			if role == roleAnyone {
				continue
			}
			if t := requestStateOf(ctx).target; t != nil {
				t.private = true
			}
			id, err := s.permit(ctx, role)
			if err != nil {
				return err
			}
			ctx = context.WithValue(ctx, callerKey{}, id)
		}
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// permit returns the account of the request. It returns ErrUnauthenticated without a valid token, and ErrForbidden if
// the account does not have the role now, whatever it had when the token was issued.
func (s *Server) permit(ctx context.Context, needed role) (auth.Identity, error) {
	id, err := viewer(ctx)
	if err != nil {
		return auth.Identity{}, err
	}
	if id.UserID == "" {
		return auth.Identity{}, watchparty.ErrUnauthenticated
	}
	if needed == roleUser {
		return id, nil
	}
	account, err := s.store.User(ctx, id.UserID)
	if err != nil {
		return auth.Identity{}, gone(err)
	}
	if !account.Administers() {
		return auth.Identity{}, watchparty.ErrForbidden
	}
	return id, nil
}

// caller returns the account that authorize has admitted. It panics in an operation that is open to anyone.
func caller(ctx context.Context) auth.Identity { return ctx.Value(callerKey{}).(auth.Identity) }
