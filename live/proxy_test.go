package live_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
)

// startProxy puts a path before the server of an address, and returns the address through it.
func startProxy(t testing.TB, address string) (*badnet.Path, string) {
	t.Helper()
	return startProxyWith(t, address, badnet.Quality{})
}

// startProxyWith is like startProxy, for a network of that quality.
func startProxyWith(t testing.TB, address string, quality badnet.Quality) (*badnet.Path, string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	p, err := badnet.NewPath(quality, u.Host)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	u.Host = p.Addr()
	return p, u.String()
}
