// Package contentcoding compresses answers (RFC 9110, 8.4) as the client accepts them.
package contentcoding

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Coding is a way to compress content. The zero Coding leaves it as it is.
type Coding uint8

// The codings that clients are offered.
const (
	Identity Coding = iota
	Gzip
	Zstd
)

// All are the codings that compress, the preferred one first.
var All = [...]Coding{Zstd, Gzip}

// String returns the coding's name in Content-Encoding; it is empty for Identity.
func (c Coding) String() string {
	switch c {
	case Gzip:
		return "gzip"
	case Zstd:
		return "zstd"
	}
	return ""
}

// Accepted returns the coding to use for a request: of those that its Accept-Encoding gives the highest weight, the one
// that comes first in All, and Identity last. What is malformed in the header (RFC 9110, 12.5.3) is not accepted.
func Accepted(h http.Header) Coding {
	var weights [len(All) + 1]float64
	var named [len(All) + 1]bool
	rest := 0.0
	for _, value := range h["Accept-Encoding"] {
		for element := range strings.SplitSeq(value, ",") {
			name, weight := weighed(element)
			if name == "*" {
				rest = weight
			} else if coding, ok := codingOf(name); ok {
				weights[coding], named[coding] = weight, true
			}
		}
	}
	best, highest := Identity, 0.0
	for _, coding := range All {
		weight := weights[coding]
		if !named[coding] {
			weight = rest
		}
		if weight > highest {
			best, highest = coding, weight
		}
	}
	if weights[Identity] > highest {
		return Identity
	}
	return best
}

// weighed reads an element of Accept-Encoding, such as `gzip;q=0.5`. The name is empty if the element is malformed.
func weighed(element string) (name string, weight float64) {
	name, parameter, found := strings.Cut(element, ";")
	name = strings.TrimSpace(name)
	if !found {
		return name, 1
	}
	key, text, _ := strings.Cut(parameter, "=")
	weight, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(key), "q") || !(weight >= 0 && weight <= 1) {
		return "", 0
	}
	return name, weight
}

func codingOf(name string) (Coding, bool) {
	switch strings.ToLower(name) {
	case "identity":
		return Identity, true
	case "gzip", "x-gzip":
		return Gzip, true
	case "zstd":
		return Zstd, true
	}
	return 0, false
}

// window bounds the memory that a client needs to read zstd, in bytes.
const window = 1 << 20

// zstdEncoder is safe for concurrent use by EncodeAll.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(encoders))
	if err != nil {
		panic("contentcoding: " + err.Error()) // the options above are wrong
	}
	return encoder
})

// encoders is how many contents are compressed by zstd at once. Each keeps some megabytes.
const encoders = 2

// gzipWriters keeps the tables of writers, nearly a megabyte each.
var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// Encode returns the content in that coding, and the content itself for Identity.
func (c Coding) Encode(content []byte) []byte {
	switch c {
	case Gzip:
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		var b bytes.Buffer
		w.Reset(&b)
		_, _ = w.Write(content) // a buffer never fails
		_ = w.Close()
		return b.Bytes()
	case Zstd:
		return zstdEncoder().EncodeAll(content, nil)
	}
	return content
}
