package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
)

func TestOptOut(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	first, other := createInvitation(t, s, room, ada, "Élan@Example.org"),
		createInvitation(t, s, room, ada, "other@example.org")
	out := func(email string) bool {
		out, err := s.OptedOut(t.Context(), email)
		require.NoError(t, err)
		return out
	}

	for range 2 {
		require.NoError(t, s.OptOut(t.Context(), first.ID))
		require.True(t, out("Élan@Example.org"))
		require.True(t, out("élan@EXAMPLE.ORG"), "however it is written")
		require.False(t, out(other.Email))
	}
	var stored string
	require.NoError(t, s.DB().NewRaw("SELECT o::text || encode(email_hash, 'escape') FROM invitation_optouts AS o").
		Scan(t.Context(), &stored))
	require.NotContains(t, stored, "xample", "no address is kept")

	require.NoError(t, s.OptIn(t.Context(), other.ID))
	require.True(t, out(first.Email), "each for itself")
	for range 2 {
		require.NoError(t, s.OptIn(t.Context(), first.ID))
		require.False(t, out(first.Email))
	}
	require.ErrorIs(t, s.OptOut(t.Context(), newID()), watchparty.ErrBadToken)
	require.ErrorIs(t, s.OptIn(t.Context(), newID()), watchparty.ErrBadToken)
}

// TestOptOutsOutliveARotation: an address that is stored under a former secret is found, and put under the current one.
func TestOptOutsOutliveARotation(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	invitation := createInvitation(t, s, newRoom(t, s, ada, nil), ada, "guest@example.org")
	require.NoError(t, s.OptOut(t.Context(), invitation.ID))
	for _, secrets := range [][]string{
		{"a second secret", "a secret of the tests"}, {"a second secret"}, {"a third secret", "another", "a second secret"},
		{"a third secret"},
	} {
		rotated := *s
		rotated.digests = auth.NewDigests(secrets[0], secrets[1:]...)
		out, err := rotated.OptedOut(t.Context(), "Guest@example.org")
		require.NoError(t, err)
		require.True(t, out, secrets)
		require.Equal(t, 1, countRows(t, s, "invitation_optouts"))
	}
	out, err := s.OptedOut(t.Context(), "guest@example.org")
	require.NoError(t, err)
	require.False(t, out, "the first secret no longer counts")
}
