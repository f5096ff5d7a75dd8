package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
)

// TestCachedForm: programs with other settings of addresses do not share answers.
func TestCachedForm(t *testing.T) {
	t.Parallel()
	forms := map[string]bool{}
	for _, c := range []config.Config{
		{}, {HTTP: config.HTTP{PublicURL: "https://a.example"}}, {Avatar: config.Avatar{CDNURL: "https://a.example"}},
		{HTTP: config.HTTP{PublicURL: "https://b.example"}},
	} {
		form, err := cachedForm(c)
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{16}$", form)
		require.False(t, forms[form])
		forms[form] = true
		again, err := cachedForm(c)
		require.NoError(t, err)
		require.Equal(t, form, again)
	}
}
