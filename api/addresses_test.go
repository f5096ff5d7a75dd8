package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// Every operation that takes an address takes it in every spelling, with white space around it; and refuses, by the
// field's name, what is none. One that is new in the contract has to be added here.
func TestAddressesInOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.register(t, "ada")
	confirmed := b.user(t, "host")
	_, err := b.store.DB().
		NewRaw("UPDATE users SET email_verified_at = now() WHERE id = ?", confirmed.id).
		Exec(t.Context())
	require.NoError(t, err)
	room := b.do(t, "POST", "/rooms", confirmed.token,
		map[string]any{"name": "A room"}).body["data"].(map[string]any)["id"].(string)
	n := 0
	register := func(email string) answer {
		n++
		return b.do(t, "POST", "/auth/register", "",
			map[string]any{"username": fmt.Sprint("person", n), "email": email, "password": password})
	}
	require.Equal(t, 201, register("andr\u00e9..x@b\u00fccher.example").status)
	spellings := []string{
		"andr\u00e9..x@b\u00fccher.example",
		"Andre\u0301..X@xn--bcher-kva.example",
		" andr\u00e9..x@B\u00dcCHER.example\n",
		`"andré..x"@bücher.example`,
		"andr\u00e9..x＠bücher。example",
	}
	bad := []string{
		"none",
		"Ada <ada@example.org>",
		"ada@[192.0.2.1]",
		"ada@example.org.",
		"x@deleted.invalid",
		"a@b.org,c@d.org",
		"ada@exa_mple.org",
		`"a b"@example.org`,
		"ada(x)@example.org",
		strings.Repeat("a", 65) + "@example.org",
		"a\u200bda@example.org",
	}

	entries := map[string]struct {
		ask     func(email string) answer
		status  int  // of a spelling of an address that has an account
		refuses bool // what is no address; otherwise it does not tell
	}{
		"register": {register, 409, true},
		"login": {func(email string) answer {
			return b.do(t, "POST", "/auth/login", "", map[string]any{"email": email, "password": password})
		}, 200, false},
		"requestPasswordReset": {func(email string) answer {
			return b.do(t, "POST", "/auth/password-reset", "", map[string]any{"email": email})
		}, 202, false},
		"changeEmail": {func(email string) answer {
			return b.do(t, "PUT", "/users/me/email", ada.token, map[string]any{"email": email, "password": password})
		}, 202, true},
		"createInvitation": {func(email string) answer {
			return b.do(t, "POST", "/rooms/"+room+"/invitations", confirmed.token, map[string]any{"email": email})
		}, 201, true},
	}
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	found := map[string]bool{}
	for _, path := range spec.Paths.Map() {
		for _, operation := range path.Operations() {
			if operation.RequestBody == nil || operation.RequestBody.Value.Content.Get("application/json") == nil {
				continue
			}
			if _, ok := operation.RequestBody.Value.Content.Get("application/json").Schema.Value.Properties["email"]; ok {
				// The generator makes the first letter upper case.
				found[strings.ToLower(operation.OperationID[:1])+operation.OperationID[1:]] = true
			}
		}
	}
	require.Len(t, found, len(entries), "%v", found)

	for name, entry := range entries {
		require.True(t, found[name], name)
		for _, spelling := range spellings {
			a := entry.ask(spelling)
			require.Equal(t, entry.status, a.status, "%s of %q: %v", name, spelling, a)
		}
		for _, text := range bad {
			a := entry.ask(text)
			if entry.refuses {
				a.requireField(t, 400, "email")
				continue
			}
			require.Contains(t, []int{202, 401}, a.status, "%s of %q: %v", name, text, a)
		}
	}
	var open int
	require.NoError(t, b.store.DB().NewRaw("SELECT count(*) FROM invitations").Scan(t.Context(), &open))
	require.Equal(t, 1, open, "all spellings are one invitation")
	require.NoError(
		t, b.store.DB().NewRaw("SELECT count(*) FROM users WHERE email_key LIKE '%bcher%'").Scan(t.Context(), &open),
	)
	require.Equal(t, 1, open)
}

// A request that is sent again with the address in another spelling is the same request.
func TestAddressesOfRepeatedRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	register := func(email string) answer {
		r := b.request(
			t, "POST", "/auth/register", "", map[string]any{"username": "hans", "email": email, "password": password},
		)
		r.Header.Set("Idempotency-Key", "the-same-key")
		return b.send(t, r)
	}
	require.Equal(t, 201, register("hans@bücher.example").status)
	require.Equal(t, 201, register(" HANS@xn--bcher-kva.example").status)
	register("another@bücher.example").requireProblem(t, 422, watchparty.ErrKeyReused.Code)
}
