package cache

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/coherence"
)

func wholeEntry() *Entry {
	body := []byte(`{"a":1}`)
	return &Entry{
		Body: body, Meta: "private", ETag: ETag(body), tags: []string{"room:1", "movie:9"},
		snapshot: coherence.Snapshot{Oldest: 10, Next: 20, Running: []uint64{10, 15}},
		created:  time.UnixMilli(1_700_000_000_001), expires: time.UnixMilli(1_700_000_060_002),
	}
}

func TestDecodeGivesWhatWasEncoded(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Entry){
		"whole":   func(*Entry) {},
		"no tags": func(e *Entry) { e.tags = nil },
		"no meta": func(e *Entry) { e.Meta = "" },
		"no body": func(e *Entry) { e.Body = []byte{} },
		"missing": func(e *Entry) { e.missing, e.Body, e.ETag = true, []byte{}, "" },
		"quiet":   func(e *Entry) { e.snapshot = coherence.Snapshot{Oldest: 7, Next: 7, Running: []uint64{}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := wholeEntry()
			change(e)
			decoded, ok := decode(encode(e))
			require.True(t, ok)
			require.Equal(t, e, decoded)
			require.GreaterOrEqual(t, e.storedSize(), len(encode(e)))
		})
	}
}

func TestFormsAreMadeOnce(t *testing.T) {
	t.Parallel()
	e := &Entry{Body: []byte(strings.Repeat("a", 100))}
	var built atomic.Int32
	half := func(body []byte) []byte {
		built.Add(1)
		return body[:50]
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { assert.Len(t, e.Form(0, half), 50) })
	}
	group.Wait()
	require.EqualValues(t, 1, built.Load())

	tooLong := func(body []byte) []byte {
		built.Add(1)
		return body[:51]
	}
	require.Nil(t, e.Form(1, tooLong))
	require.Nil(t, e.Form(1, tooLong))
	require.EqualValues(t, 2, built.Load())
	require.GreaterOrEqual(t, e.size(), 2*len(e.Body))
}

func TestDecodeRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	whole := encode(wholeEntry())
	for size := range whole {
		_, ok := decode(whole[:size])
		require.False(t, ok, size)
		changed := append([]byte{}, whole...)
		changed[size] ^= 0x10
		_, ok = decode(changed)
		require.False(t, ok, size)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(wholeEntry())[headerBytes:])
	f.Add([]byte{kindBody, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{kindMissing, 1, 2, 3, '1', ':', '1', 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{kindBody, 1, 2, 4, '7', ':', '7', ':', 2, 1, 'a', 0, 0, 0})
	f.Fuzz(func(t *testing.T, rest []byte) {
		// With a right checksum, so that the parts behind it are reached.
		b := append(make([]byte, headerBytes), rest...)
		b[0] = format
		binary.BigEndian.PutUint32(b[1:], crc32.Checksum(rest, castagnoli))
		if e, ok := decode(b); ok {
			again, ok := decode(encode(e))
			require.True(t, ok)
			require.Equal(t, e, again)
		}
		_, _ = decode(rest)
	})
}
