package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
)

// strictJSON makes the validator refuse every JSON body that readers could understand differently: invalid UTF-8 and
// unpaired surrogates, which encoding/json replaces by U+FFFD; repeated names; and text after the value. The operation
// gets what it decodes, with UUIDs in lower case. The validator's table of decoders is global.
var strictJSON = sync.OnceFunc(func() {
	openapi3filter.RegisterBodyDecoder(echo.MIMEApplicationJSON,
		func(body io.Reader, header http.Header, schema *openapi3.SchemaRef, fn openapi3filter.EncodingFn) (any, error) {
			data, err := io.ReadAll(body)
			if err != nil {
				return nil, err
			}
			if err := checkJSON(data); err != nil {
				return nil, err
			}
			value, err := openapi3filter.JSONBodyDecoder(bytes.NewReader(data), header, schema, fn)
			return lowerUUIDs(schema, value), err
		})
})

// lowerUUIDs writes the UUIDs of a body in lower case, as they are stored.
func lowerUUIDs(schema *openapi3.SchemaRef, value any) any {
	if schema == nil || schema.Value == nil { // part of a form
		return value
	}
	switch v := value.(type) {
	case string:
		if isUUID(schema) {
			return strings.ToLower(v)
		}
	case map[string]any:
		for name, property := range schema.Value.Properties {
			if inner, ok := v[name]; ok {
				v[name] = lowerUUIDs(property, inner)
			}
		}
	case []any:
		for i, item := range v {
			if schema.Value.Items != nil {
				v[i] = lowerUUIDs(schema.Value.Items, item)
			}
		}
	}
	return value
}

func isUUID(schema *openapi3.SchemaRef) bool { return schema.Value.Format == "uuid" }

// checkJSON returns an error of KindInvalid unless data is one JSON value by RFC 7493 (I-JSON).
func checkJSON(data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	err := decoder.SkipValue()
	if err == nil {
		if _, err = decoder.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) || !json.Valid(data) {
		return watchparty.Invalid(malformedBody)
	}
	var path []string
	for token := range syntax.JSONPointer.Tokens() {
		path = append(path, token)
	}
	if errors.Is(syntax.Err, jsontext.ErrDuplicateName) {
		return watchparty.Invalid(watchparty.FieldError{Field: fieldName(path), Code: "duplicate", Message: "is given twice"})
	}
	return notUTF8(fieldName(path))
}

// wellFormed refuses requests that cannot be read: a compressed body, a repeated header that may only be given once, an
// address that is not UTF-8, a malformed query, and unknown parameters. It converts UUIDs to lower case, and headers to
// one form.
func wellFormed(routes contractRoutes) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, operation := c.Request(), routes.of(c)
			if compressed(r) {
				c.Response().Header().Set("Accept-Encoding", "identity")
				return errContentEncoding
			}
			if r.Method == http.MethodPut && r.Header.Get("Content-Range") != "" { // RFC 9110, 14.5
				return watchparty.Invalid(watchparty.FieldError{
					Field: "Content-Range", Code: "unknown", Message: "is not taken: send the whole",
				})
			}
			if err := checkHeaders(r.Header); err != nil {
				return err
			}
			if err := checkPath(c, operation); err != nil {
				return err
			}
			if operation == nil && isPage(r.URL.Path) { // others put parameters to links, also broken ones
				return next(c)
			}
			query, err := checkQuery(r.URL.RawQuery, operation)
			if err != nil {
				return err
			}
			if query != r.URL.RawQuery {
				address := *r.URL
				address.RawQuery = query
				r = r.WithContext(r.Context())
				r.URL = &address
				c.SetRequest(r)
			}
			return next(c)
		}
	}
}

var errContentEncoding = &watchparty.Error{
	Kind: watchparty.KindUnsupported, Code: "unsupported_content_encoding", Message: "The body must not be compressed.",
}

// compressed reports whether the body has a content encoding.
func compressed(r *http.Request) bool {
	codings := strings.Join(r.Header.Values("Content-Encoding"), ",")
	return r.ContentLength != 0 && strings.Trim(strings.ReplaceAll(strings.ToLower(codings), "identity", ""), " \t,") != ""
}

// singleHeaders may be given once. Headers in the contract are checked with the parameters of the operation.
var singleHeaders = []string{echo.HeaderAuthorization, echo.HeaderContentType}

// listHeaders may be given in several lines, which form one list (RFC 9110, 5.3).
var listHeaders = []string{"If-Match", "If-None-Match"}

func checkHeaders(h http.Header) error {
	for _, name := range singleHeaders {
		if len(h.Values(name)) > 1 {
			return watchparty.Invalid(watchparty.FieldError{Field: name, Code: "malformed", Message: "is given more than once"})
		}
	}
	for _, name := range listHeaders {
		if lines := h.Values(name); len(lines) > 1 {
			h.Set(name, strings.Join(lines, ", "))
		}
	}
	if lines := h.Values("Range"); len(lines) == 1 {
		h.Del("Range")
		if known := byteRange(lines[0]); known != "" {
			h.Set("Range", known)
		}
	}
	return nil
}

// checkPath checks the values of path parameters, and converts UUIDs to lower case.
func checkPath(c echo.Context, operation *openapi3.Operation) error {
	values := slices.Clone(c.ParamValues())
	for i, name := range c.ParamNames() {
		// The router returns the path with or without escapes.
		if value, err := url.PathUnescape(values[i]); err == nil && !utf8.ValidString(value) {
			return notUTF8(name)
		}
		if operation == nil {
			continue
		}
		if p := operation.Parameters.GetByInAndName(openapi3.ParameterInPath, name); p != nil && isUUID(p.Schema) {
			values[i] = strings.ToLower(values[i])
		}
	}
	c.SetParamValues(values...)
	return nil
}

// checkQuery returns the query with UUIDs in lower case.
func checkQuery(raw string, operation *openapi3.Operation) (string, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", watchparty.Invalid(watchparty.FieldError{Field: "query", Code: "malformed", Message: "cannot be read"})
	}
	var wrong []watchparty.FieldError
	lowered := false
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		switch {
		case !utf8.ValidString(name):
			return "", notUTF8("query")
		case slices.ContainsFunc(values, func(value string) bool { return !utf8.ValidString(value) }):
			return "", notUTF8(name)
		case operation == nil:
			continue
		}
		p := operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name)
		if p == nil {
			wrong = append(wrong, watchparty.FieldError{
				Field: cmp.Or(name, "query"), Code: "unknown", Message: "is not a parameter of this operation",
			})
			continue
		}
		for i, value := range values {
			if isUUID(p.Schema) && strings.ToLower(value) != value {
				values[i], lowered = strings.ToLower(value), true
			}
			if !plain(p.Schema.Value, value) {
				wrong = append(wrong, watchparty.FieldError{
					Field: name, Code: "type", Message: "must be a number or true or false, as JSON writes it",
				})
			}
		}
	}
	if wrong != nil {
		return "", watchparty.Invalid(wrong...)
	}
	if lowered {
		return query.Encode(), nil
	}
	return raw, nil
}

// plain reports whether a number or a truth value of a query is written as in JSON. The validator also takes the other
// forms that Go reads, such as +5, 05 and T.
func plain(schema *openapi3.Schema, value string) bool {
	switch {
	case schema.Type.Is("integer"):
		n, err := strconv.ParseInt(value, 10, 64)
		return err != nil || strconv.FormatInt(n, 10) == value
	case schema.Type.Is("boolean"):
		b, err := strconv.ParseBool(value)
		return err != nil || strconv.FormatBool(b) == value
	}
	return true
}

func notUTF8(field string) error {
	return watchparty.Invalid(watchparty.FieldError{Field: field, Code: "encoding", Message: "is not valid UTF-8"})
}
