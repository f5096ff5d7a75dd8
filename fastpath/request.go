package fastpath

import (
	"bufio"
	"bytes"
	"net/http"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// targetOf returns the target of what looks like one whole GET request.
func targetOf(head []byte) (string, bool) {
	rest, isGet := bytes.CutPrefix(head, []byte("GET "))
	target, _, ok := bytes.Cut(rest, []byte(" "))
	return string(target), isGet && ok && bytes.HasSuffix(rest, []byte("\r\n\r\n"))
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
