package auth_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// TestSealer: a sealed value is read for its purpose and row, under the secret that has sealed it, also once that is a
// former one.
func TestSealer(t *testing.T) {
	first, second, third := strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32)
	row, value := uuid.NewString(), []byte("a key of 32 bytes, or of another length")
	sealed := auth.NewDigests(first).Sealer().Seal("webhook", row, value)
	require.NotContains(t, string(sealed), string(value[:8]))
	require.NotEqual(t, sealed, auth.NewDigests(first).Sealer().Seal("webhook", row, value), "never twice the same")

	for _, test := range []struct {
		name           string
		secret         string
		former         []string
		opens, current bool
	}{
		{"the same", first, nil, true, true},
		{"rotated once", second, []string{first}, true, false},
		{"rotated twice", third, []string{second, first}, true, false},
		{"forgotten", third, []string{second}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			opened, current, err := auth.NewDigests(test.secret, test.former...).Sealer().Open("webhook", row, sealed)
			require.Equal(t, test.current, current)
			if !test.opens {
				require.ErrorIs(t, err, auth.ErrUnsealable)
				return
			}
			require.NoError(t, err)
			require.Equal(t, value, opened)
		})
	}
	for name, changed := range map[string]func() (string, string, []byte){
		"another purpose": func() (string, string, []byte) { return "other", row, sealed },
		"another row":     func() (string, string, []byte) { return "webhook", uuid.NewString(), sealed },
		"cut short":       func() (string, string, []byte) { return "webhook", row, sealed[:len(sealed)-1] },
		"only a mark":     func() (string, string, []byte) { return "webhook", row, sealed[:8] },
		"empty":           func() (string, string, []byte) { return "webhook", row, nil },
		"a changed bit": func() (string, string, []byte) {
			changed := bytes.Clone(sealed)
			changed[len(changed)-1] ^= 1
			return "webhook", row, changed
		},
	} {
		purpose, id, bytes := changed()
		_, _, err := auth.NewDigests(first).Sealer().Open(purpose, id, bytes)
		require.ErrorIs(t, err, auth.ErrUnsealable, name)
	}
}
