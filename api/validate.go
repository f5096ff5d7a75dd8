package api

import (
	"errors"
	"fmt"
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

// validate refuses requests that do not match the contract before any handler runs. It does not read the body of an
// upload, which the operation reads once.
func validate(spec *openapi3.T) echo.MiddlewareFunc {
	calendar()
	strictJSON()
	whole, withoutBody := requestValidator(spec, false), requestValidator(spec, true)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		next = inOrder(next)
		checkWhole := whole(next)
		return func(c echo.Context) error {
			if !isUpload(c) {
				return checkWhole(c)
			}
			body := c.Request().Body
			c.Request().Body = http.NoBody // the validator reads the body of an operation that needs a token
			return withoutBody(func(c echo.Context) error {
				c.Request().Body = body
				return next(c)
			})(c)
		}
	}
}

// inOrder refuses a query whose span of time is over before it begins: the answer would look as if there were nothing.
func inOrder(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		from, fromErr := time.Parse(time.RFC3339, c.QueryParam("from"))
		to, toErr := time.Parse(time.RFC3339, c.QueryParam("to"))
		if fromErr == nil && toErr == nil && !to.After(from) {
			return watchparty.Invalid(errSpan)
		}
		return next(c)
	}
}

// errSpan is the error of a span of time that is over before it begins.
var errSpan = watchparty.FieldError{Field: "to", Code: "range", Message: "must be after from"}

func requestValidator(spec *openapi3.T, excludeBody bool) echo.MiddlewareFunc {
	return validator.OapiRequestValidatorWithOptions(spec, &validator.Options{
		// The server's address in the contract is a path, so no host is compared. (With the Prefix option of v1.1.0, handlers
		// get an empty body.)
		SilenceServersWarning: true,
		Skipper:               outsideContract,
		MultiErrorHandler: func(errs openapi3.MultiError) *echo.HTTPError {
			return &echo.HTTPError{Internal: refusal(errs)}
		},
		Options: openapi3filter.Options{
			MultiError:         true,
			ExcludeRequestBody: excludeBody,
			KeepValidatedValue: true,
			// Defaults would replace null in a property that has one; the handlers know the defaults.
			SkipSettingDefaults: true,
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
		},
	})
}

// calendar makes the validator refuse dates that do not exist, of which it would accept 30 February, and times that
// cannot be stored. The table of formats is global; at v0.152.0 requests are not checked by the formats of one
// contract.
var calendar = sync.OnceFunc(func() {
	form := openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringDateTime)
	openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(text string) error {
		at, err := time.Parse(time.RFC3339, text)
		switch {
		case err != nil || form.Validate(text) != nil:
			return errNoTime
		case !at.After(time.Time{}) || at.UTC().Year() > maxYear:
			return errTimeRange
		}
		return nil
	}))
})

// maxYear is the last year that RFC 3339 can write. With an offset, a time of that year can be of the next one in UTC,
// and one of the year 1 of the year before, which neither Postgres nor Temporal reads. The first instant of the year 1
// is Go's zero time, which stands for no time.
const maxYear = 9999

var (
	errNoTime    = errors.New("there is no such time")
	errTimeRange = errors.New("a time is between the years 1 and 9999 in UTC")
)

// malformedBody is the error of a body that cannot be read at all.
var malformedBody = watchparty.FieldError{Field: "body", Code: "malformed", Message: "cannot be read"}

// outsideContract skips pages, and requests that no route answers: those are a 404 or 405 without the contract.
func outsideContract(c echo.Context) bool {
	if c.Get(echo.ContextKeyHeaderAllow) != nil { // set for the router's 405
		return true
	}
	path := strings.TrimPrefix(c.Path(), basePath)
	return path == c.Path() || isDocument(path) || strings.Trim(path, "/") == "" || path == livePath
}

// refusal converts the validator's errors to one coded error that names the fields.
func refusal(errs openapi3.MultiError) error {
	// This comes first, since it looks like an error of whatever read the body.
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
	Message: "This operation does not take bodies of this Content-Type.",
}

// fieldErrors names the fields that err is about, by prefix and the path within it.
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
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		field.Code, field.Message = "required", "is missing"
	}
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

// unknownProperty finds the name that the path in the validator's error lacks.
var unknownProperty = regexp.MustCompile(`^property (".*") is unsupported$`)

// fieldMessage completes a sentence that begins with the field's name, and never has the value. The validator's own
// message is used where it does so. Patterns, which people cannot read, and names that a client chose are left out.
func fieldMessage(err *openapi3.SchemaError) string {
	switch err.SchemaField {
	case "pattern":
		if err.Schema.Format == "uuid" {
			return "must be a UUID"
		}
		return "does not have the right form"
	case "properties", "additionalProperties": // the name may be of any length
		return "is not a known property"
	case "minLength":
		if err.Schema.MinLength == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", err.Schema.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *err.Schema.MaxLength)
	case "minimum", "maximum":
		return "must be " + bounds(err.Schema)
	case "minProperties":
		return "must have a property"
	case "minItems":
		if err.Schema.MinItems == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d items", err.Schema.MinItems)
	case "maxItems":
		return fmt.Sprintf("must have at most %d items", *err.Schema.MaxItems)
	case "uniqueItems":
		return "must not have an item twice"
	case "format":
		return "must have the format " + err.Schema.Format
	case "type":
		return "must be " + withArticle(err.Schema.Type.Slice()[0])
	case "nullable":
		return "must not be null"
	case "required":
		return "is missing"
	}
	return validatorSubject.ReplaceAllString(err.Reason, "") // "number must be at least 2"
}

// withArticle is for the names of JSON's types.
func withArticle(name string) string {
	if strings.ContainsRune("aio", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// bounds writes the limits of a number as people write them.
func bounds(s *openapi3.Schema) string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case s.Min == nil:
		return "at most " + number(*s.Max)
	case s.Max == nil:
		return "at least " + number(*s.Min)
	default:
		return "from " + number(*s.Min) + " to " + number(*s.Max)
	}
}

// validatorSubject is what the validator calls a value.
var validatorSubject = regexp.MustCompile(`^(number|value) `)

// fieldCode is the code of what a schema forbids. Keywords without a code of ours are codes: format, pattern, enum,
// type and required.
func fieldCode(err *openapi3.SchemaError) string {
	switch err.SchemaField {
	case "pattern":
		if err.Schema.Format == "uuid" {
			return "format"
		}
		return "pattern"
	case "minLength":
		return "too_short"
	case "maxLength":
		return "too_long"
	case "minimum", "maximum":
		return "range"
	case "minItems":
		return "too_few"
	case "maxItems":
		return "too_many"
	case "uniqueItems":
		return "duplicate"
	case "minProperties":
		return "empty"
	case "nullable":
		return "null"
	case "properties", "additionalProperties":
		return "unknown"
	default:
		return err.SchemaField
	}
}
