package auth

import (
	"encoding/base64"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestOneTimeTokens(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	tokens, id := NewOneTime(secret), uuid.Must(uuid.NewV7()).String()
	token := tokens.Token(ForReset, id)
	require.Regexp(t, `^[A-Za-z0-9_-]{64}$`, token)
	require.Equal(t, token, NewOneTime(secret).Token(ForReset, id), "a repeated email carries the same link")

	row, err := tokens.Row(ForReset, token)
	require.NoError(t, err)
	require.Equal(t, id, row)

	raw, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		_, err := tokens.Row(ForReset, base64.RawURLEncoding.EncodeToString(changed))
		require.ErrorIs(t, err, watchparty.ErrBadToken, "byte %d", i)
	}
	for name, bad := range map[string]string{
		"empty": "", "short": token[:63], "long": token + "A", "padded": token[:63] + "=",
		"line break":        token[:32] + "\n" + token[32:],
		"another purpose's": tokens.Token(ForEmail, id), "another secret's": NewOneTime(secret+"x").Token(ForReset, id),
	} {
		_, err := tokens.Row(ForReset, bad)
		require.ErrorIs(t, err, watchparty.ErrBadToken, name)
	}
}

func TestDigests(t *testing.T) {
	d := NewDigests("0123456789abcdef0123456789abcdef")
	sum := d.Sum("a", "x", "y")
	require.Len(t, sum, 32)
	require.Equal(t, sum, d.Sum("a", "x", "y"))
	for name, other := range map[string][]byte{
		"purpose": d.Sum("b", "x", "y"), "parts": d.Sum("a", "xy"), "border": d.Sum("a", "xy", ""),
		"order":  d.Sum("a", "y", "x"),
		"secret": NewDigests("0123456789abcdef0123456789abcdeg").Sum("a", "x", "y"),
	} {
		require.NotEqual(t, sum, other, name)
	}
}
