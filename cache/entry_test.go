package cache

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeGivesWhatWasEncoded(t *testing.T) {
	t.Parallel()
	whole := Loaded{Body: []byte(`{"a":1}`), Meta: "private"}.entry()
	tests := map[string]struct {
		versions []string
		entry    Entry
		missing  bool
	}{
		"whole":    {[]string{"life", "v1", "v2"}, whole, false},
		"no tags":  {[]string{"life"}, whole, false},
		"no meta":  {[]string{"life", "v1"}, Loaded{Body: []byte("x")}.entry(), false},
		"no body":  {[]string{"life", "v1"}, Loaded{Body: []byte{}}.entry(), false},
		"missing":  {[]string{"life", "v1"}, Entry{Body: []byte{}}, true},
		"no names": {[]string{"", ""}, whole, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, missing, ok := decode(encode(tt.versions, tt.entry, tt.missing), tt.versions)
			require.True(t, ok)
			require.Equal(t, tt.entry, e)
			require.Equal(t, tt.missing, missing)
		})
	}
}

func TestDecodeRefusesOtherVersions(t *testing.T) {
	t.Parallel()
	b := encode([]string{"life", "v1", "v2"}, Loaded{Body: []byte("x")}.entry(), false)
	for _, versions := range [][]string{
		nil, {"life"}, {"life", "v1"}, {"life", "v1", "v2", "v3"}, {"life", "v2", "v1"}, {"other", "v1", "v2"},
		{"life", "v1", ""}, {"life", "v1", "v22"},
	} {
		_, _, ok := decode(b, versions)
		require.False(t, ok, versions)
	}
}

func FuzzDecode(f *testing.F) {
	versions := []string{"life", "v1"}
	whole := encode(versions, Loaded{Body: []byte("body"), Meta: "meta"}.entry(), false)
	f.Add(whole[headerBytes:])
	f.Add([]byte{kindBody, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{kindBody, 2, 4, 'l', 'i', 'f', 'e', 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, rest []byte) {
		// With a right checksum, so that the parts behind it are reached.
		b := append(make([]byte, headerBytes), rest...)
		b[0] = format
		binary.BigEndian.PutUint32(b[1:], crc32.Checksum(rest, castagnoli))
		if e, missing, ok := decode(b, versions); ok {
			again, _, ok := decode(encode(versions, e, missing), versions)
			require.True(t, ok)
			require.Equal(t, e, again)
		}
		_, _, _ = decode(rest, versions)
	})
}
