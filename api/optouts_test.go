package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

func TestOptOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host := b.user(t, "host")
	room := b.room(t, host, nil)
	id, invitationToken := b.invite(t, room, host, "friend@example.org")
	token := b.server.oneTime.Token(auth.ForOptOut, id)
	b.logs.secret(token)
	out := func() bool {
		out, err := b.store.OptedOut(t.Context(), "friend@example.org")
		require.NoError(t, err)
		return out
	}
	sendOptOut := func(what, token string) answer {
		return b.do(t, "POST", "/invitations/"+what, "", map[string]any{"token": token})
	}
	// oneClick is what RFC 8058, 3.2 has mail programs send.
	oneClick := func(token string) int {
		r := httptest.NewRequestWithContext(
			t.Context(), "POST", "/unsubscribe?token="+url.QueryEscape(token), strings.NewReader("List-Unsubscribe=One-Click"),
		)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, r)
		return w.Code
	}

	for range 2 {
		require.Equal(t, 204, sendOptOut("unsubscribe", token).status)
		require.True(t, out())
	}
	for range 2 {
		require.Equal(t, 204, sendOptOut("resubscribe", token).status)
		require.False(t, out())
	}
	require.Equal(t, http.StatusNoContent, oneClick(token))
	require.True(t, out())
	require.Equal(t, "open", b.invitationState(t, room, host, id), "whoever invites is not told")

	unknown := b.server.oneTime.Token(auth.ForOptOut, unknownID)
	for _, bad := range []string{invitationToken, unknown, "_" + token[1:]} {
		sendOptOut("resubscribe", bad).requireProblem(t, 400, "bad_token")
		require.Equal(t, http.StatusBadRequest, oneClick(bad))
	}
	require.Equal(t, http.StatusBadRequest, oneClick(""))
	require.True(t, out())
	b.acceptInvitation(t, host, token).requireProblem(t, 400, "bad_token")
}
