package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// TestRotation: what an earlier secret has signed or derived counts as long as that secret is in the list.
func TestRotation(t *testing.T) {
	first, second, third := strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32)
	now := time.Now()
	who := auth.Identity{UserID: uuid.NewString(), Username: "ada", SessionID: uuid.NewString()}
	token, err := auth.NewTokens(first, time.Hour).Access(who, now, time.Hour)
	require.NoError(t, err)
	row := uuid.NewString()
	link := auth.NewOneTime(first).Token(auth.ForReset, row)
	sum := auth.NewDigests(first).Sum("purpose", "value")
	for _, test := range []struct {
		name    string
		secret  string
		former  []string
		honours bool
	}{
		{"the same", first, nil, true},
		{"rotated once", second, []string{first}, true},
		{"rotated twice", third, []string{second, first}, true},
		{"forgotten", third, []string{second}, false},
		{"unknown", second, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := auth.NewTokens(test.secret, time.Hour, test.former...).Verify(token, now)
			require.Equal(t, test.honours, err == nil)
			if test.honours {
				require.Equal(t, who, got)
			}
			id, err := auth.NewOneTime(test.secret, test.former...).Row(auth.ForReset, link)
			require.Equal(t, test.honours, err == nil && id == row)
			digests := auth.NewDigests(test.secret, test.former...)
			known := append(digests.Former("purpose", "value"), digests.Sum("purpose", "value"))
			if test.honours {
				require.Contains(t, known, sum)
			} else {
				require.NotContains(t, known, sum)
			}
			// New ones are of the current secret alone.
			fresh, err := auth.NewTokens(test.secret, time.Hour, test.former...).Access(who, now, time.Hour)
			require.NoError(t, err)
			_, err = auth.NewTokens(test.secret, time.Hour).Verify(fresh, now)
			require.NoError(t, err)
			require.Equal(t, auth.NewOneTime(test.secret).Token(auth.ForReset, row),
				auth.NewOneTime(test.secret, test.former...).Token(auth.ForReset, row))
		})
	}
}
