package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
)

// strictJSON makes the validator refuse every JSON body that means different things to different readers, before
// anything decodes it: bytes that are no UTF-8 and halves of surrogate pairs, which encoding/json turns into U+FFFD,
// names that are given twice, and what follows the one value. The validator's table of decoders is the process's.
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
			return openapi3filter.JSONBodyDecoder(bytes.NewReader(data), header, schema, fn)
		})
})

// checkJSON returns KindInvalid unless data is one JSON value as RFC 7493 (I-JSON) wants it.
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

// wellFormed refuses an address with bytes that are no UTF-8, in its path or query, and a query that cannot be read.
func wellFormed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		for i, name := range c.ParamNames() {
			// The router gives what the path holds, with escapes or without.
			if value, err := url.PathUnescape(c.ParamValues()[i]); err == nil && !utf8.ValidString(value) {
				return notUTF8(name)
			}
		}
		query, err := url.ParseQuery(c.Request().URL.RawQuery)
		if err != nil {
			return watchparty.Invalid(watchparty.FieldError{Field: "query", Code: "malformed", Message: "cannot be read"})
		}
		for name, values := range query {
			switch {
			case !utf8.ValidString(name):
				return notUTF8("query")
			case slices.ContainsFunc(values, func(value string) bool { return !utf8.ValidString(value) }):
				return notUTF8(name)
			}
		}
		return next(c)
	}
}

func notUTF8(field string) error {
	return watchparty.Invalid(watchparty.FieldError{Field: field, Code: "encoding", Message: "is not valid UTF-8"})
}
