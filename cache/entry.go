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

// Entry is encoded JSON as a read gives it. It is shared between callers, who must not write to it.
type Entry struct {
	Body []byte
	// Meta is the loader's small text beside the body, such as a room's visibility, to authorise by before Body is
	// used.
	Meta string
	// ETag is a strong entity tag of Body, with its quotes.
	ETag string

	missing  bool // the thing does not exist
	snapshot coherence.Snapshot
	tags     []string
	created  time.Time
	expires  time.Time
	lasts    time.Time // the end of Loaded.Lasts; zero without one

	void       atomic.Bool // it is no longer to be used
	refreshing atomic.Bool
	decoded    atomic.Value
	forms      [maxForms]form
}

// maxForms is how many other forms of its body an entry keeps.
const maxForms = 2

// form is made by the first who needs it.
type form struct {
	once    sync.Once
	content []byte
}

// Form returns what build makes of the body, such as the same compressed, and keeps it with the entry. n is from 0 to
// 1. All callers with the same key and n must give functions that do the same. A result of more than half of the body's
// length is not worth its place: then Form returns nil.
func (e *Entry) Form(n int, build func(body []byte) []byte) []byte {
	f := &e.forms[n]
	f.once.Do(func() {
		if content := build(e.Body); len(content) <= len(e.Body)/maxForms {
			f.content = content
		}
	})
	return f.content
}

// Decoded returns what decode makes of an entry's body, which is kept with the entry. All callers for one key must give
// functions that do the same, and must not write to the result.
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

// Loaded is what a loader gives.
type Loaded struct {
	Body []byte
	Meta string
	// Tags are those that only the data tells, beside the query's.
	Tags []string
	// Lasts is how long the data is true by itself, from when it was loaded; 0 for no end. It bounds the entry's life.
	Lasts time.Duration
}

// ETag is the entity tag of a body: half of a SHA-256, 128 bits in 22 characters and two quotes.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// entryOverhead is about what an entry takes in memory beside its texts.
const entryOverhead = 400

// size is about what the entry takes in memory, in bytes: all its forms are as long as its body at most.
func (e *Entry) size() int { return e.storedSize() + len(e.Body) }

// storedSize is at least what encode needs, in bytes.
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
// where times are in milliseconds since 1970, times and the count are uvarints, every text has its length before it as
// a uvarint, and Body is the rest.
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

// decode gives the entry in b if it is whole. Body is a part of b.
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

// reader takes a stored entry apart. After a part that is not whole it is broken.
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
