package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchparty/watchparty/coherence"
)

// Entry is encoded JSON, as a read returns it. It is shared between callers, who must not write to it.
type Entry struct {
	Body []byte
	// Meta is a small text of the loader beside the body, such as a room's visibility. Callers use it to authorise a
	// request before they use Body.
	Meta string
	// ETag is a strong entity tag of Body, with its quotes.
	ETag string

	missing  bool // the thing does not exist
	snapshot coherence.Snapshot
	tags     []string
	created  time.Time // these times are of Cache.now
	expires  time.Time
	lasts    time.Time // the end of Loaded.Lasts; zero without one

	void       atomic.Bool // it is no longer to be used
	refreshing atomic.Bool
	decoded    atomic.Value
	forms      [maxForms]form
}

// maxForms is how many other forms of its body an entry keeps.
const maxForms = 2

// form is made by the first caller that needs it.
type form struct {
	once    sync.Once
	content []byte
}

// Form returns another form of the body, such as the compressed body, which build makes. It keeps the form with the
// entry. n is from 0 to 1. All callers with the same key and n must give functions that do the same. If the result is
// longer than half of the body, it is not worth its memory, and Form returns nil.
func (e *Entry) Form(n int, build func(body []byte) []byte) []byte {
	f := &e.forms[n]
	f.once.Do(func() {
		if content := build(e.Body); len(content) <= len(e.Body)/maxForms {
			f.content = content
		}
	})
	return f.content
}

// Decoded returns the result of decode for an entry's body, and keeps it with the entry. All callers for one key must
// give functions that do the same, and must not write to the result.
func Decoded[T any](e *Entry, decode func(body []byte) (T, error)) (T, error) {
	if kept, ok := e.decoded.Load().(T); ok {
		return kept, nil
	}
	decoded, err := decode(e.Body)
	if err == nil {
		e.decoded.Store(decoded)
	}
	return decoded, err
}

// Loaded is the result of a loader.
type Loaded struct {
	Body []byte
	Meta string
	// Tags are tags that depend on the data, in addition to those of the query.
	Tags []string
	// Lasts is the time for which the data is true if nothing changes, counted from the load; 0 for no limit. It limits
	// the entry's life.
	Lasts time.Duration
}

// ETag returns the entity tag of a body: half of a SHA-256, 128 bits in 22 characters and two quotes.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// entryOverhead is approximately the memory of an entry without its texts.
const entryOverhead = 400

// size is approximately the memory of the entry in bytes. All its forms together are at most as long as its body.
func (e *Entry) size() int { return e.storedSize() + len(e.Body) }

// storedSize returns an upper bound of the encoded size, in bytes.
func (e *Entry) storedSize() int {
	size := entryOverhead + len(e.Body) + len(e.Meta) + len(e.ETag) + 8*len(e.snapshot.Running)
	for _, tag := range e.tags {
		size += 16 + len(tag)
	}
	return size
}

// A stored entry is
//
//	format (1 byte)  CRC-32C of the rest (4)  kind (1)  created  expires  snapshot
//	count of tags, each tag  ETag  Meta  Body
//
// where times are of Postgres' clock, in milliseconds since 1970. Times and the count are uvarints, every text has its
// length before it as a uvarint, and Body is the rest.
const (
	format      = 2
	kindBody    = 'b'
	kindMissing = 'm'
	headerBytes = 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(e *Entry) []byte {
	b := make([]byte, headerBytes, e.storedSize())
	b[0] = format
	if e.missing {
		b = append(b, kindMissing)
	} else {
		b = append(b, kindBody)
	}
	b = binary.AppendUvarint(b, uint64(e.created.UnixMilli())) //nolint:gosec // after 1970
	b = binary.AppendUvarint(b, uint64(e.expires.UnixMilli())) //nolint:gosec // after 1970
	b = appendText(b, e.snapshot.String())
	b = binary.AppendUvarint(b, uint64(len(e.tags)))
	for _, tag := range e.tags {
		b = appendText(b, tag)
	}
	b = appendText(b, e.ETag)
	b = appendText(b, e.Meta)
	b = append(b, e.Body...)
	binary.BigEndian.PutUint32(b[1:headerBytes], crc32.Checksum(b[headerBytes:], castagnoli))
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode returns the entry in b if it is complete. Body is a part of b.
func decode(b []byte) (*Entry, bool) {
	if len(b) <= headerBytes || b[0] != format ||
		binary.BigEndian.Uint32(b[1:headerBytes]) != crc32.Checksum(b[headerBytes:], castagnoli) {
		return nil, false
	}
	kind, r := b[headerBytes], reader{rest: b[headerBytes+1:]}
	e := &Entry{missing: kind == kindMissing}
	e.created, e.expires = time.UnixMilli(r.number()), time.UnixMilli(r.number())
	snapshot := r.text()
	for range min(r.number(), int64(len(r.rest))) {
		e.tags = append(e.tags, r.text())
	}
	e.ETag, e.Meta = r.text(), r.text()
	if r.broken || kind != kindBody && kind != kindMissing {
		return nil, false
	}
	e.Body = r.rest
	var err error
	e.snapshot, err = coherence.ParseSnapshot(snapshot)
	return e, err == nil
}

// reader reads the parts of a stored entry. After an incomplete part it is broken.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) number() int64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > 1<<62 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int64(v)
}

func (r *reader) text() string {
	size := r.number()
	if size > int64(len(r.rest)) {
		r.broken, r.rest = true, nil
		return ""
	}
	text := string(r.rest[:size])
	r.rest = r.rest[size:]
	return text
}
