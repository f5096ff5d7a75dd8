package api

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// noBytes is a range that no content has. http.ServeContent answers it with a 416 and the content's length.
var noBytes = fmt.Sprintf("bytes=%d-", math.MaxInt64)

var oneRange = regexp.MustCompile(`^[ \t]*([0-9]*)-([0-9]*)[ \t]*$`)

// byteRange converts a Range header for http.ServeContent, which knows the unit in lower case only, answers other units
// with a 416, and `-0` with an empty part. It returns an empty string where the whole content has to be sent: for other
// units, and for several ranges, which would need a multipart answer.
func byteRange(header string) string {
	unit, set, _ := strings.Cut(header, "=")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(set, ",") {
		return ""
	}
	found := oneRange.FindStringSubmatch(set)
	if found == nil {
		return noBytes
	}
	first, _ := strconv.ParseInt(found[1], 10, 64) // the largest number, if it is larger
	last, _ := strconv.ParseInt(found[2], 10, 64)
	switch {
	case found[1] == "" && last > 0:
		return fmt.Sprintf("bytes=-%d", last)
	case found[1] != "" && found[2] == "":
		return fmt.Sprintf("bytes=%d-", first)
	case found[1] != "" && first <= last:
		return fmt.Sprintf("bytes=%d-%d", first, last)
	}
	return noBytes
}

// serveContent serves what h does. h is made of parts of net/http, which answer errors as text; their errors become
// problems.
func serveContent(w http.ResponseWriter, r *http.Request, h http.Handler) error {
	content := &contentWriter{ResponseWriter: w}
	h.ServeHTTP(content, r)
	if content.refused != 0 {
		w.Header().Del("ETag")
		return echo.NewHTTPError(content.refused)
	}
	return nil
}

// page makes serveContent a handler for routes outside of the contract.
func page(h http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error { return serveContent(c.Response(), c.Request(), h) }
}

// contentWriter holds back an answer that is an error.
type contentWriter struct {
	http.ResponseWriter
	refused int // status of the error; 0 for none
}

func (w *contentWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *contentWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
