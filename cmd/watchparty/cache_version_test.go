package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
)

// TestCacheVersion: programs with other settings of addresses do not share answers.
func TestCacheVersion(t *testing.T) {
	t.Parallel()
	versions := map[string]bool{}
	for _, c := range []config.Config{
		{}, {HTTP: config.HTTP{PublicURL: "https://a.example"}}, {Avatar: config.Avatar{CDNURL: "https://a.example"}},
		{HTTP: config.HTTP{PublicURL: "https://b.example"}},
	} {
		version, err := cacheVersion(c)
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{16}$", version)
		require.False(t, versions[version])
		versions[version] = true
		again, err := cacheVersion(c)
		require.NoError(t, err)
		require.Equal(t, version, again)
	}
}
