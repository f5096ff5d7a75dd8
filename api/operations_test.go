package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireAllSucceed makes every call of the contract.
func (w *completeFixture) requireAllSucceed(t *testing.T) {
	done := map[string]bool{}
	for _, c := range w.calls() {
		a := repeatWhileBusy(func() answer { return w.call(t, c.id, c.call) })
		require.Equal(t, operations()[c.id].success(), a.status, "%s: %s", c.id, a)
		done[c.id] = true
	}
	for id := range operations() {
		require.True(t, done[id], "%s has no call in these tests", id)
	}
}

func TestEveryOperationSucceeds(t *testing.T) {
	t.Parallel()
	newCompleteFixture(t).requireAllSucceed(t)
}

func TestEveryOperationSucceedsWithoutRedis(t *testing.T) {
	t.Parallel()
	newCompleteFixture(t, redisAway).requireAllSucceed(t)
}

func TestAccess(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	expired, err := w.server.tokens.Access(identityOf(w.alice), time.Now().Add(-time.Hour), w.server.tokens.TTL())
	require.NoError(t, err)
	for _, c := range w.calls() {
		op := operations()[c.id]
		t.Run(c.id, func(t *testing.T) {
			anonymous := c.call
			anonymous.token = ""
			if op.needsToken() {
				w.call(t, c.id, anonymous).requireProblem(t, 401, "unauthenticated")
			}
			if op.takesToken() {
				bad := c.call
				bad.token = expired
				w.call(t, c.id, bad).requireProblem(t, 401, "unauthenticated")
			}
			if op.forAdmins() {
				user := c.call
				user.token = w.alice.token
				w.call(t, c.id, user).requireProblem(t, 403, "forbidden")
			}
			if !op.takesToken() && op.Security == nil && len(c.body) == 0 {
				require.Equal(t, op.success(), w.call(t, c.id, anonymous).status)
			}
		})
	}
}

// TestUnknownThings replaces each identifier by one that names nothing.
func TestUnknownThings(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, c := range w.calls() {
		for name := range c.params {
			op := operations()[c.id]
			if c.id == "getDefaultAvatar" { // which everyone has who might be
				continue
			}
			if name != "room_id" && (name == "name" || !strings.Contains(op.path, "{"+name+"}")) {
				continue
			}
			t.Run(c.id+" "+name, func(t *testing.T) {
				unknown := c.call
				unknown.params = copied(c.params)
				switch name {
				case "username":
					unknown.params[name] = "nobody"
				case "version":
					unknown.params[name] = "7"
				default:
					unknown.params[name] = unknownID
				}
				w.call(t, c.id, unknown).requireProblem(t, 404, "not_found")
			})
		}
	}
	t.Run("postMessage body", func(t *testing.T) {
		a := w.do(t, "POST", "/chat/messages", w.alice.token, map[string]any{"room_id": unknownID, "body": "Hello"})
		a.requireProblem(t, 404, "not_found")
	})
	t.Run("createRoom movie", func(t *testing.T) {
		a := w.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "A room", "movie_id": unknownID})
		a.requireProblem(t, 400, "unknown_movie")
		a.requireField(t, 400, "movie_id")
	})
	t.Run("avatar that was never uploaded", func(t *testing.T) {
		w.do(t, "GET", "/users/me/avatar", w.bob.token, nil).requireProblem(t, 404, "not_found")
	})
}

// TestPrivateRoom: for people who are not in it, nothing that belongs to the room exists.
func TestPrivateRoom(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.forAdmins() || c.params["room_id"] == "" && c.body["room_id"] == nil {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			foreign := c.call
			if c.params["room_id"] != "" {
				foreign.params = copied(c.params)
				foreign.params["room_id"] = w.private
			}
			foreign.token = w.bob.token
			w.call(t, c.id, foreign).requireProblem(t, 404, "not_found")
			if !op.needsToken() {
				foreign.token = ""
				w.call(t, c.id, foreign).requireProblem(t, 404, "not_found")
			}
		})
	}
	for _, path := range []string{"/chat/messages/" + w.message, "/invitations/" + w.revoke} {
		w.do(t, "GET", path, w.bob.token, nil).requireProblem(t, 404, "not_found")
	}
	a := w.do(t, "GET", "/rooms", "", nil)
	require.NotContains(t, string(a.raw), w.private)
	require.Contains(t, string(a.raw), w.open)
}

// TestDeletedAccount: a token that outlives its account is no proof of anything.
func TestDeletedAccount(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, name := range []string{"bob", "root"} {
		_, err := w.store.DB().ExecContext(t.Context(), "DELETE FROM users WHERE username = ?", name)
		require.NoError(t, err)
	}
	for _, c := range w.calls() {
		op := operations()[c.id]
		if !op.needsToken() {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			gone := c.call
			gone.token = w.bob.token
			if op.forAdmins() {
				gone.token = w.admin.token
			}
			a := w.call(t, c.id, gone)
			require.Contains(t, []int{204, 401, 404}, a.status, a)
		})
	}
}
