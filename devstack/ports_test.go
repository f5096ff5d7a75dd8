package devstack

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFreePort: no other process gets the port either, since it would have to bind the same UDP port.
func TestFreePort(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 100 {
		port, err := FreePort(t.Context())
		require.NoError(t, err)
		require.False(t, seen[port], port)
		seen[port] = true
		_, err = net.ListenPacket("udp", address(port))
		require.Error(t, err, "port %d is not reserved", port)
	}
}
