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

	// Set by the first write:
	status int
	head   bytes.Buffer // without the last lines
	length string       // as the handler has it
	typed  bool         // the handler says what the body is
	last   bool         // the handler ends the connection
	both   [2][]byte
	pieces net.Buffers // both
}

var answers = sync.Pool{New: func() any { return &answer{header: http.Header{}} }}

func newAnswer() *answer { return answers.Get().(*answer) }

// maxKept is the length up to which the buffer of a body is used again, in bytes.
const maxKept = 64 << 10

func (a *answer) free() {
	if a.body.Cap() > maxKept {
		return
	}
	clear(a.header)
	a.status, a.length, a.typed, a.last = 0, "", false, false
	a.head.Reset()
	a.body.Reset()
	answers.Put(a)
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK { // a client need not hear of what comes before the answer
		return
	}
	a.status = status
	a.head.WriteString("HTTP/1.1 ")
	a.head.WriteString(strconv.Itoa(status))
	a.head.WriteByte(' ')
	a.head.WriteString(http.StatusText(status))
	a.head.WriteString("\r\n")
	_ = a.header.Write(&a.head) // a buffer takes everything
	a.length = a.header.Get("Content-Length")
	a.typed = a.header["Content-Type"] != nil
	a.last = strings.EqualFold(a.header.Get("Connection"), "close")
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.hasBody() {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.Write(p)
}

// WriteString implements io.StringWriter.
func (a *answer) WriteString(p string) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.hasBody() {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.WriteString(p)
}

func (a *answer) hasBody() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// errLength is the fault of a handler whose Content-Length is wrong. The client would take the next answer for a part
// of this one.
var errLength = errors.New("fastpath: the body is not as long as its Content-Length")

// send sends the answer by one call of the system.
func (a *answer) send(c *net.TCPConn) error {
	a.WriteHeader(http.StatusOK)
	line := a.head.AvailableBuffer()
	if a.hasBody() {
		switch length := strconv.Itoa(a.body.Len()); a.length {
		case "":
			line = append(append(append(line, "Content-Length: "...), length...), "\r\n"...)
		case length:
		default:
			return errLength
		}
		if a.body.Len() > 0 && !a.typed {
			line = append(append(append(line, "Content-Type: "...), http.DetectContentType(a.body.Bytes())...), "\r\n"...)
		}
	}
	line = append(line, "Date: "...)
	line = time.Now().UTC().AppendFormat(line, http.TimeFormat)
	line = append(line, "\r\n\r\n"...)
	a.head.Write(line)
	a.both = [2][]byte{a.head.Bytes(), a.body.Bytes()}
	a.pieces = a.both[:]
	_, err := a.pieces.WriteTo(c)
	return err
}
