package fastpath

import (
	"bufio"
	"bytes"
	"net/http"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// targetOf returns the target, which is a path, of what looks like one whole GET request.
func targetOf(head []byte) (string, bool) {
	if !bytes.HasPrefix(head, []byte("GET /")) || !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		return "", false
	}
	target, _, ok := bytes.Cut(head[len("GET "):], []byte(" "))
	return string(target), ok
}

// reader reads a request by net/http's own rules.
type reader struct {
	head   bytes.Reader
	buffer *bufio.Reader
}

var readers = sync.Pool{New: func() any {
	r := &reader{}
	r.buffer = bufio.NewReader(&r.head)
	return r
}}

// parse returns nil unless head is exactly one valid request of HTTP/1.1, without a body and with nothing in it that
// concerns the connection.
func parse(head []byte) *http.Request {
	in := readers.Get().(*reader)
	defer readers.Put(in)
	in.head.Reset(head)
	in.buffer.Reset(&in.head)
	r, err := http.ReadRequest(in.buffer)
	if err != nil || in.buffer.Buffered()+in.head.Len() > 0 || r.Proto != "HTTP/1.1" || r.Close ||
		r.ContentLength != 0 || r.Host == "" || !httpguts.ValidHostHeader(r.Host) {
		return nil
	}
	for name := range r.Header {
		if name == "Expect" || name == "Upgrade" || !httpguts.ValidHeaderFieldName(name) {
			return nil
		}
	}
	return r
}
