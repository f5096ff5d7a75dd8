package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIfMatch(t *testing.T) {
	for header, want := range map[string][]int{
		`W/"7-Zm9v"`: {7}, `"7-Zm9v"`: {7}, `W/"7"`: {7}, `"7"`: {7}, ` W/"7-a" , "8" `: {7, 8}, `W/"7-a-b"`: {7},
		`W/"12-x",garbage`: {12}, "*": nil, " * ": nil,
		"": {}, "7": {}, `W/7`: {}, `"-7"`: {}, `"x-7"`: {}, `""`: {}, `"`: {}, `W/"99999999999999999999-x"`: {}, `W/"Zm9v"`: {},
	} {
		require.Equal(t, want, ifMatch(&header), header)
	}
	require.Nil(t, ifMatch(nil))
	require.Equal(t, []int{3}, ifMatch(changedTag(3)))
}
