package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// Entry is encoded JSON as a read gives it.
type Entry struct {
	// Body is shared between callers and must not be written to.
	Body []byte
	// Meta is the loader's small text beside the body, such as a room's visibility, to authorise by before Body is
	// used.
	Meta string
	// ETag is a strong entity tag of Body, with its quotes.
	ETag string
}

// Loaded is what a loader gives.
type Loaded struct {
	Body []byte
	Meta string
}

func (l Loaded) entry() Entry { return Entry{Body: l.Body, Meta: l.Meta, ETag: ETag(l.Body)} }

// ETag is the entity tag of a body: half of a SHA-256, 128 bits in 22 characters and two quotes.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// A stored value is
//
//	format (1 byte)  CRC-32C of the rest (4)  kind (1)  count of versions, each version  ETag  Meta  Body
//
// where a count or a length is a uvarint, every version, ETag and Meta has its length before it, and Body is the rest.
const (
	format      = 1
	kindBody    = 'b'
	kindMissing = 'm'
	headerBytes = 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(versions []string, e Entry, missing bool) []byte {
	size := headerBytes + 1 + 3*binary.MaxVarintLen32 + len(e.ETag) + len(e.Meta) + len(e.Body)
	for _, v := range versions {
		size += binary.MaxVarintLen32 + len(v)
	}
	b := make([]byte, headerBytes, size)
	b[0] = format
	if missing {
		b = append(b, kindMissing)
	} else {
		b = append(b, kindBody)
	}
	b = binary.AppendUvarint(b, uint64(len(versions)))
	for _, v := range versions {
		b = appendText(b, v)
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

// decode gives the entry in b if it is whole and was stored under exactly these versions. Body is a part of b.
func decode(b []byte, versions []string) (e Entry, missing, ok bool) {
	if len(b) <= headerBytes || b[0] != format ||
		binary.BigEndian.Uint32(b[1:headerBytes]) != crc32.Checksum(b[headerBytes:], castagnoli) {
		return Entry{}, false, false
	}
	kind, b := b[headerBytes], b[headerBytes+1:]
	if kind != kindBody && kind != kindMissing {
		return Entry{}, false, false
	}
	count, n := binary.Uvarint(b)
	if n <= 0 || count != uint64(len(versions)) {
		return Entry{}, false, false
	}
	b = b[n:]
	var text []byte
	for _, v := range versions {
		if text, b, ok = cutText(b); !ok || string(text) != v {
			return Entry{}, false, false
		}
	}
	if text, b, ok = cutText(b); !ok {
		return Entry{}, false, false
	}
	e.ETag = string(text)
	if text, b, ok = cutText(b); !ok {
		return Entry{}, false, false
	}
	e.Meta, e.Body = string(text), b
	return e, kind == kindMissing, true
}

func cutText(b []byte) (text, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:size], b[size:], true
}
