package fastpath

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answer is the ResponseWriter of one answer, which is sent as a whole.
type answer struct {
	header http.Header
	body   bytes.Buffer

	// These fields are set by the first write.
	status int
	head   bytes.Buffer // the handler's header lines; send adds the others
	length string       // the Content-Length that the handler has set; empty without one
	typed  bool         // the handler has set Content-Type or Content-Encoding, so the type is not detected
	dated  bool         // the handler has set Date
	last   bool         // the handler has asked to close the connection
	unfit  bool         // the handler has set Transfer-Encoding, Trailer, or several values of Content-Length

	both   [2][]byte
	pieces net.Buffers // both
}

var unused = sync.Pool{New: func() any { return &answer{header: http.Header{}} }}

func newAnswer() *answer { return unused.Get().(*answer) }

// maxKept is the length up to which the buffer of a body is used again, in bytes.
const maxKept = 64 << 10

func (a *answer) free() {
	if a.body.Cap() > maxKept {
		return
	}
	clear(a.header)
	a.head.Reset()
	a.body.Reset()
	*a = answer{header: a.header, head: a.head, body: a.body}
	unused.Put(a)
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK { // nobody needs to hear of what comes before an answer that is at hand
		return
	}
	a.status = status
	a.head.WriteString("HTTP/1.1 ")
	a.head.WriteString(strconv.Itoa(status))
	a.head.WriteByte(' ')
	a.head.WriteString(statusText(status))
	a.head.WriteString("\r\n")
	_ = a.header.WriteSubset(&a.head, bodiless[status]) // a buffer takes everything
	a.length = a.header.Get("Content-Length")
	a.typed = has(a.header, "Content-Type") || has(a.header, "Content-Encoding")
	a.dated = has(a.header, "Date")
	a.last = strings.EqualFold(a.header.Get("Connection"), "close")
	a.unfit = has(a.header, "Transfer-Encoding") || has(a.header, "Trailer") || len(a.header["Content-Length"]) > 1
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "status code " + strconv.Itoa(status)
}

// has reports whether the handler has set a header, be it to nothing.
func has(h http.Header, name string) bool {
	_, ok := h[name]
	return ok
}

// bodiless are the statuses whose answers have no body, with the headers that they must not have.
var bodiless = map[int]map[string]bool{
	http.StatusNoContent:   {"Content-Length": true},
	http.StatusNotModified: {"Content-Length": true, "Content-Type": true},
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if bodiless[a.status] != nil {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.Write(p)
}

// WriteString implements io.StringWriter.
func (a *answer) WriteString(p string) (int, error) {
	a.WriteHeader(http.StatusOK)
	if bodiless[a.status] != nil {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.WriteString(p)
}

// errUnfit is the fault of a handler whose answer would make the client take the next one for a part of it.
var errUnfit = errors.New("fastpath: the end of the body is not where its headers say")

// send sends the answer by one call of the system.
func (a *answer) send(c *net.TCPConn) error {
	a.WriteHeader(http.StatusOK)
	if a.unfit {
		return errUnfit
	}
	if bodiless[a.status] == nil {
		switch length := strconv.Itoa(a.body.Len()); a.length {
		case "":
			a.add("Content-Length", length)
		case length:
		default:
			return errUnfit
		}
		if a.body.Len() > 0 && !a.typed {
			a.add("Content-Type", http.DetectContentType(a.body.Bytes()))
		}
	}
	if !a.dated {
		a.add("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	a.head.WriteString("\r\n")
	a.both = [2][]byte{a.head.Bytes(), a.body.Bytes()}
	a.pieces = a.both[:]
	_, err := a.pieces.WriteTo(c)
	return err
}

func (a *answer) add(name, value string) {
	for _, part := range [...]string{name, ": ", value, "\r\n"} {
		a.head.WriteString(part)
	}
}
