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

// noBytes is a range that no content has, so that http.ServeContent answers a 416 with the content's length.
var noBytes = fmt.Sprintf("bytes=%d-", math.MaxInt64)

var oneRange = regexp.MustCompile(`^[ \t]*([0-9]*)-([0-9]*)[ \t]*$`)

// byteRange is a Range header as http.ServeContent reads it, which knows the unit in lower case alone, answers a 416 to
// other units, and a part of no bytes to `-0`. It is empty where the whole is to be answered: for other units, and for
// several ranges, which would be a multipart answer.
func byteRange(header string) string {
	unit, set, _ := strings.Cut(header, "=")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(set, ",") {
		return ""
	}
	found := oneRange.FindStringSubmatch(set)
	if found == nil {
		return noBytes
	}
	first, _ := strconv.ParseInt(found[1], 10, 64) // the largest there is for what is larger
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

// serveContent serves what h does, an error of which becomes one of ours: h is made of net/http's parts, which answer
// errors as text.
func serveContent(w http.ResponseWriter, r *http.Request, h http.Handler) error {
	content := &contentWriter{ResponseWriter: w}
	h.ServeHTTP(content, r)
	if content.refused != 0 {
		w.Header().Del("ETag")
		return echo.NewHTTPError(content.refused)
	}
	return nil
}

// page is serveContent for routes beside the contract.
func page(h http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error { return serveContent(c.Response(), c.Request(), h) }
}

// contentWriter holds back an answer that is an error.
type contentWriter struct {
	http.ResponseWriter
	refused int // the status; 0 for none
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
