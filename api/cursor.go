package api

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/store"
)

// A cursor has the sort keys of the row after which a page starts, so that it stays valid whatever happens to that row.
// It is opaque to clients: its MAC proves that this service made it for this list. In bytes, before base64:
//
//	version 1 | MAC 12 | for each key: kind 1, value 8 or 16
const (
	cursorVersion = 1
	cursorMAC     = 12
)

// Kinds of keys.
const (
	keyID     = 'i' // 16 bytes
	keyTime   = 't' // 8 bytes: microseconds since 1970
	keyNumber = 'n' // 8 bytes: a float64's bits
	keyToken  = 'b' // 2 bytes of length, and Temporal's own token of the next page
)

var errBadCursor = errors.New("api: not a cursor of this list")

// cursors reads and writes the cursors of one list.
type cursors struct {
	list    string
	digests *auth.Digests
}

// cursorsOf returns the cursors of a list. The list is identified by its operation and by what else distinguishes it,
// such as its owner and its filters. A list whose order changes needs another name.
func (s *Server) cursorsOf(list string, of []any) (cursors, error) {
	rest, err := json.Marshal(of)
	if err != nil {
		return cursors{}, fmt.Errorf("api: name the list %s: %w", list, err)
	}
	return cursors{list: list + string(rest), digests: s.digests}, nil
}

func (c cursors) mac(keys []byte) []byte {
	return c.digests.Sum("cursor", c.parts(keys)...)[:cursorMAC]
}

func (c cursors) parts(keys []byte) []string {
	return []string{string(rune(cursorVersion)), c.list, string(keys)}
}

// genuine reports whether the MAC is of the current secret or a former one.
func (c cursors) genuine(mac, keys []byte) bool {
	known := append(c.digests.Former("cursor", c.parts(keys)...), c.mac(keys))
	return slices.ContainsFunc(known, func(sum []byte) bool { return hmac.Equal(mac, sum[:cursorMAC]) })
}

// encode returns nil for keys of an unknown kind, from which no page can start.
func (c cursors) encode(keys store.Keys) *string {
	var raw []byte
	for _, key := range keys {
		switch v := key.(type) {
		case string:
			id, err := uuid.Parse(v)
			if err != nil {
				return nil
			}
			raw = append(append(raw, keyID), id[:]...)
		case time.Time:
			raw = binary.BigEndian.AppendUint64(append(raw, keyTime), uint64(v.UnixMicro())) //nolint:gosec // the same bits
		case float64:
			raw = binary.BigEndian.AppendUint64(append(raw, keyNumber), math.Float64bits(v))
		case []byte:
			if len(v) > math.MaxUint16 {
				return nil
			}
			raw = append(binary.BigEndian.AppendUint16(append(raw, keyToken), uint16(len(v))), v...)
		default:
			return nil
		}
	}
	cursor := append([]byte{cursorVersion}, c.mac(raw)...)
	text := base64.RawURLEncoding.EncodeToString(append(cursor, raw...))
	return &text
}

// decode returns errBadCursor for a cursor that encode has not made for this list.
func (c cursors) decode(cursor string) (store.Keys, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= 1+cursorMAC || raw[0] != cursorVersion {
		return nil, errBadCursor
	}
	mac, raw := raw[1:1+cursorMAC], raw[1+cursorMAC:]
	if !c.genuine(mac, raw) {
		return nil, errBadCursor
	}
	var keys store.Keys
	for len(raw) > 0 { // the lengths are right, since encode has made it
		switch kind := raw[0]; kind {
		case keyID:
			keys, raw = append(keys, uuid.UUID(raw[1:17]).String()), raw[17:]
		case keyTime:
			micros := int64(binary.BigEndian.Uint64(raw[1:9])) //nolint:gosec // the same bits
			keys, raw = append(keys, time.UnixMicro(micros).UTC()), raw[9:]
		case keyToken:
			end := 3 + int(binary.BigEndian.Uint16(raw[1:3]))
			keys, raw = append(keys, raw[3:end]), raw[end:]
		case keyNumber:
			keys, raw = append(keys, math.Float64frombits(binary.BigEndian.Uint64(raw[1:9]))), raw[9:]
		default:
			return nil, errBadCursor
		}
	}
	return keys, nil
}
