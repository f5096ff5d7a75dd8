package api

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"
	validator "github.com/oapi-codegen/echo-middleware"

	"github.com/watchparty/watchparty"
)

// validate refuses what the contract does not allow before any handler runs. Of an upload it leaves the body to the
// operation, which reads it once.
func validate(spec *openapi3.T) echo.MiddlewareFunc {
	calendar()
	strictJSON()
	whole, withoutBody := requestValidator(spec, false), requestValidator(spec, true)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		checkWhole := whole(next)
		return func(c echo.Context) error {
			if !isUpload(c) {
				return checkWhole(c)
			}
			body := c.Request().Body
			c.Request().Body = http.NoBody // where a token is needed, the validator reads it all the same
			return withoutBody(func(c echo.Context) error {
				c.Request().Body = body
				return next(c)
			})(c)
		}
	}
}

func requestValidator(spec *openapi3.T, excludeBody bool) echo.MiddlewareFunc {
	return validator.OapiRequestValidatorWithOptions(spec, &validator.Options{
		// The server's address in the contract is a path, so no host is compared. (The Prefix option would do instead, but
		// at v1.1.0 it leaves the handler an empty body.)
		SilenceServersWarning: true,
		Skipper:               outsideContract,
		MultiErrorHandler:     func(errs openapi3.MultiError) *echo.HTTPError { return &echo.HTTPError{Internal: refusal(errs)} },
		Options: openapi3filter.Options{
			MultiError:         true,
			ExcludeRequestBody: excludeBody,
			KeepValidatedValue: true,
			// Filling them in would let null pass for a property that has a default; the handlers know the defaults.
			SkipSettingDefaults: true,
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
		},
	})
}

// calendar makes a date-time a time that there is: by itself the validator takes 30 February. Its table of formats is
// the process's; the one that a contract can have is not asked about requests, at v0.152.0.
var calendar = sync.OnceFunc(func() {
	form := openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringDateTime)
	openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(text string) error {
		if _, err := time.Parse(time.RFC3339, text); err != nil || form.Validate(text) != nil {
			return errNoTime
		}
		return nil
	}))
})

var errNoTime = errors.New("there is no such time")

// malformedBody is a body that cannot be read at all.
var malformedBody = watchparty.FieldError{Field: "body", Code: "malformed", Message: "cannot be read"}

// outsideContract leaves alone the pages, and what no route answers: that is a 404 or 405 without a contract.
func outsideContract(c echo.Context) bool {
	if c.Get(echo.ContextKeyHeaderAllow) != nil { // the router's 405, which says what is allowed
		return true
	}
	path := strings.TrimPrefix(c.Path(), basePath)
	return path == c.Path() || isDocument(path) || strings.Trim(path, "/") == "" || path == livePath
}

// refusal turns what the validator found into one coded error that names the fields.
func refusal(errs openapi3.MultiError) error {
	// First of all, since it shows as a failure of whatever read the body.
	var tooLarge *http.MaxBytesError
	if errors.As(errs, &tooLarge) {
		return tooLarge
	}
	var (
		fields []watchparty.FieldError
		found  error
	)
	for _, err := range errs {
		var request *openapi3filter.RequestError
		switch {
		case !errors.As(err, &request):
			found = err
		case request.Parameter != nil:
			fields = append(fields, fieldErrors(request.Parameter.Name, request.Err)...)
		case strings.Contains(request.Reason, "header Content-Type"):
			return errContentType
		default:
			fields = append(fields, fieldErrors("", request.Err)...)
		}
	}
	if found != nil && len(fields) == 0 {
		return found
	}
	return watchparty.Invalid(fields...)
}

var errContentType = &watchparty.Error{
	Kind: watchparty.KindUnsupported, Code: "unsupported_media_type",
	Message: "The body's Content-Type is not one that this operation takes.",
}

// fieldErrors names the part that err is about: prefix, and the path within it.
func fieldErrors(prefix string, err error) []watchparty.FieldError {
	var multi openapi3.MultiError
	if errors.As(err, &multi) {
		var all []watchparty.FieldError
		for _, e := range multi {
			all = append(all, fieldErrors(prefix, e)...)
		}
		return all
	}
	var coded *watchparty.Error
	if errors.As(err, &coded) {
		return coded.Fields
	}
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		path := schema.JSONPointer()
		if prefix != "" {
			path = append([]string{prefix}, path...)
		}
		if unknown := unknownProperty.FindStringSubmatch(schema.Reason); unknown != nil {
			name, err := strconv.Unquote(unknown[1])
			if err != nil {
				name = unknown[1]
			}
			path = append(path, name)
		}
		return []watchparty.FieldError{{Field: fieldName(path), Code: fieldCode(schema), Message: fieldMessage(schema)}}
	}
	field := malformedBody
	if prefix != "" {
		field.Field = prefix
	}
	return []watchparty.FieldError{field}
}

func fieldName(path []string) string {
	if len(path) == 0 {
		return "body"
	}
	return strings.Join(path, ".")
}

// unknownProperty finds the name that the validator leaves out of the path.
var unknownProperty = regexp.MustCompile(`^property (".*") is unsupported$`)

// fieldMessage is the validator's, which never holds the value, but for patterns, which people cannot read, and for
// names that a client chose.
func fieldMessage(err *openapi3.SchemaError) string {
	switch fieldCode(err) {
	case "pattern":
		return "does not have the right form"
	case "unknown": // its name may be of any length
		return "is not a property here"
	}
	return err.Reason
}

// fieldCode is the schema's keyword that was not kept, in snake_case.
func fieldCode(err *openapi3.SchemaError) string {
	switch err.SchemaField {
	case "minLength":
		return "too_short"
	case "maxLength":
		return "too_long"
	case "minimum", "maximum":
		return "range"
	case "properties", "additionalProperties":
		return "unknown"
	default:
		return err.SchemaField
	}
}
