package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIfMatch(t *testing.T) {
	for header, want := range map[string][]int{
		`"7-Zm9v"`: {7}, `"7-Zm9v-cached"`: {7}, ` "7-a" , "8-b" `: {7, 8}, `"7-a-b"`: {7}, `,, "7-a",,"8-b",`: {7, 8},
		"\"6-a\",\t\"7-b\"": {6, 7},
		`W/"7-a", "8-b"`:    {8}, `"12-x",garbage,"13-x"`: {12}, `"x,9-y", "3-z"`: {3}, "*": nil, " * ": nil,
		"": {}, "7": {}, `W/7`: {}, `"-7"`: {}, `"x-7"`: {}, `""`: {}, `"`: {}, `"99999999999999999999-x"`: {}, `"Zm9v"`: {},
		`W/"7-Zm9v"`: {},
		`"7"`:        {}, `"7-a"x`: {}, `"7-a" "8-b"`: {}, `*, "7-a"`: {}, `w/"7-a"`: {}, `'7-a'`: {}, "\"7-\x01\"": {},
	} {
		require.Equal(t, want, ifMatch(&header), header)
	}
	require.Nil(t, ifMatch(nil))
	tag, err := tagOf(3, single{Data: "data"})
	require.NoError(t, err)
	require.Equal(t, []int{3}, ifMatch(&tag))
	cachedToo := cachedTag(tag)
	require.Equal(t, []int{3}, ifMatch(&cachedToo))
}

func TestMatchingTag(t *testing.T) {
	for header, want := range map[string]string{
		`"a"`: `"a"`, `W/"a"`: `"a"`, `"x", W/"b"`: `W/"b"`, "*": `"a"`, " * ": `"a"`, `"b", "a"`: `"a"`,
		`"x,y", "b"`: `W/"b"`,
		"":           "", `"x"`: "", `a`: "", `"a`: "", `"a"x`: "", `*, "x"`: "", `"x,"a""`: "",
	} {
		require.Equal(t, want, matchingTag(header, `"a"`, `W/"b"`), header)
	}
}

func TestByteRange(t *testing.T) {
	for header, want := range map[string]string{
		"bytes=0-3": "bytes=0-3", "Bytes=5-": "bytes=5-", "BYTES=-4": "bytes=-4", "bytes=\t1-2": "bytes=1-2",
		"bytes=3-3":                    "bytes=3-3",
		"bytes=0-99999999999999999999": "bytes=0-9223372036854775807",
		"bytes=-99999999999999999999":  "bytes=-9223372036854775807",
		"bytes=-0":                     noBytes, "bytes=": noBytes, "bytes=-": noBytes, "bytes=x": noBytes, "bytes=3-1": noBytes,
		"bytes=1-2-3": noBytes, "bytes": noBytes,
		"bytes=+1-2": noBytes, "bytes=-0000": noBytes,
		"lines=0-3": "", "items": "", "": "", "=0-3": "", "bytes=0-1,3-4": "", "bytes=0-3,2-5,": "", "none": "",
		"lines=x": "",
	} {
		require.Equal(t, want, byteRange(header), header)
	}
}
