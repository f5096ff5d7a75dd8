package e2e

import (
	"html"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// findLink waits for an email with that subject to the address and returns its link to a page.
func (f *flow) findLink(t *testing.T, address, subject, page string) string {
	t.Helper()
	pattern := regexp.MustCompile(`href="([^"]+` + page + `#token=([A-Za-z0-9_-]+))"`)
	var link string
	eventually(t, func(c *assert.CollectT) {
		for _, m := range readInbox(c, f.inboxURL).Messages {
			if m.Subject != subject || m.To[0].Address != address {
				continue
			}
			shown := fetch(c, f.inboxURL+"/api/v1/message/"+m.ID).object(c)["HTML"].(string)
			found := pattern.FindStringSubmatch(shown)
			require.NotNil(c, found, shown)
			link = html.UnescapeString(found[1])
			f.secrets = append(f.secrets, found[2])
			return
		}
		require.Fail(c, "no email yet")
	}, subject)
	return link
}

// addressConfirmed follows the welcome email's link in a browser.
func (f *flow) addressConfirmed(t *testing.T) {
	require.Equal(t, false, f.carol.get(t, "/users/me").data(t)["email_verified"])
	p := f.browser.open(t, f.findLink(t, f.carol.account.User.Email, "Welcome to WatchParty", "/verify-email"))
	p.requireShows(t, "Confirm your address")
	p.picture(t, "verify-email")
	require.Equal(t, false, f.carol.get(t, "/users/me").data(t)["email_verified"], "opening the link alone does nothing")
	p.click(t, "button[type=submit]")
	p.requireShows(t, "Your address is confirmed.")
	require.Equal(t, true, f.carol.get(t, "/users/me").data(t)["email_verified"])
}

// passwordForgotten sets a new password by email; every sign-in ends with it.
func (f *flow) passwordForgotten(t *testing.T) {
	address := f.dan.account.User.Email
	require.Equal(
		t, http.StatusAccepted, f.client.post(t, "/auth/password-reset", map[string]string{"email": address}).status,
	)
	require.Equal(t, http.StatusAccepted,
		f.client.post(t, "/auth/password-reset", map[string]string{"email": "nobody@people.example"}).status)
	p := f.browser.open(t, f.findLink(t, address, "Choose a new password", "/password-reset"))
	p.write(t, "password", "short")
	p.click(t, "button[type=submit]")
	p.picture(t, "password-reset")
	const next = "a new password entirely"
	p.write(t, "password", next)
	p.click(t, "button[type=submit]")
	p.requireShows(t, "Your new password is set.")
	require.Equal(t, http.StatusUnauthorized, f.dan.get(t, "/users/me").status)
	require.Equal(t, http.StatusUnauthorized,
		f.client.post(t, "/auth/login", map[string]string{"email": address, "password": password}).status)
	f.dan.client = f.client.login(t, address, "short"+next)
	f.secrets = append(f.secrets, f.dan.token, next)
	require.Zero(t, readInbox(t, f.inboxURL).counted()["nobody@people.example"])
}

// addressChanged: the new address counts once it is confirmed, and the former one is told.
func (f *flow) addressChanged(t *testing.T) {
	hana := f.signUpAs(t, "hana.moves", "Hana Moves")
	former, address := hana.account.User.Email, "hana.new@people.example"
	f.secrets = append(f.secrets, address)
	asked := hana.do(t, http.MethodPut, "/users/me/email", map[string]string{"email": address, "password": password})
	require.Equal(t, http.StatusAccepted, asked.status, "%s", asked.body)
	p := f.browser.open(t, f.findLink(t, address, "Confirm your email address", "/verify-email"))
	require.Equal(t, former, hana.get(t, "/users/me").data(t)["email"])
	p.click(t, "button[type=submit]")
	p.requireShows(t, "Your address is confirmed.")
	require.Equal(t, address, hana.get(t, "/users/me").data(t)["email"])
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, map[string]int{former: 2, address: 1}, map[string]int{
			former: readInbox(c, f.inboxURL).counted()[former], address: readInbox(c, f.inboxURL).counted()[address],
		})
	}, "the former address is told")
}

// invited lets somebody without an account into a private room, by the link in the invitation.
func (f *flow) invited(t *testing.T) {
	room := f.carol.post(t, "/rooms", map[string]any{"name": "Cellar cinema",
		"visibility": "private"}).data(t)["id"].(string)
	f.names = append(f.names, "Cellar cinema", "fay.friend")
	const address = "fay@people.example"
	got := f.carol.post(t, "/rooms/"+room+"/invitations", map[string]string{"email": address})
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	p := f.browser.open(t, f.findLink(t, address, "You are invited to a watch party", "/invitations"))
	p.requireShows(t, "carol.lovelace invites you to “Cellar cinema”.")
	p.requireNotShown(t, "Username")
	p.picture(t, "invitations")
	p.click(t, "[data-switch]")
	p.requireShows(t, "Username")
	p.write(t, "username", "x")
	p.write(t, "password", password)
	p.click(t, "button[type=submit]")
	p.write(t, "username", "-fay.friend")
	p.picture(t, "invitations-new")
	p.click(t, "button[type=submit]")
	p.requireShows(t, "Nothing is playing yet.") // the page at /watch, in the room
	p.requireNotShown(t, "Password")
	fay := f.client.login(t, address, password)
	require.Equal(t, http.StatusOK, fay.get(t, "/rooms/"+room).status)
	require.Equal(t, "accepted", f.carol.get(t, "/rooms/"+room+"/invitations").list(t)[0].(map[string]any)["state"])

	// The email's last link ends invitations to her address, until she thinks otherwise.
	stop := f.browser.open(t, f.findLink(t, address, "You are invited to a watch party", "/unsubscribe"))
	stop.requireShows(t, "No more invitations?")
	stop.picture(t, "unsubscribe")
	stop.click(t, "button[type=submit]")
	stop.requireShows(t, "This address gets no more invitations.")
	stop.click(t, "button[type=submit]")
	stop.requireShows(t, "This address gets invitations again.")

	// She behaves badly, and neither the room nor the link lets her in again.
	require.Equal(
		t, http.StatusCreated, f.carol.post(t, "/rooms/"+room+"/bans", map[string]string{"username": "x-fay.friend"}).status,
	)
	require.Equal(t, http.StatusForbidden, fay.get(t, "/rooms/"+room).status)
	require.Equal(t, http.StatusForbidden, fay.post(t, "/rooms/"+room+"/join", nil).status)
	acts := f.carol.get(t, "/rooms/"+room+"/log").list(t)
	require.Equal(t, "banned", acts[0].(map[string]any)["action"])
}

// accountDeleted: its name is free at once, what it said stays without it, and its files go.
func (f *flow) accountDeleted(t *testing.T) {
	gus := f.signUpAs(t, "gus.goes", "Gus Goes")
	room := f.carol.post(t, "/rooms", map[string]any{"name": "Waiting room"}).data(t)["id"].(string)
	require.Equal(t, http.StatusOK, gus.post(t, "/rooms/"+room+"/join", nil).status)
	said := gus.post(t, "/chat/messages", map[string]any{"room_id": room, "body": "Farewell, all of you"})
	require.Equal(t, http.StatusCreated, said.status, "%s", said.body)
	f.secrets = append(f.secrets, "Farewell, all of you")
	export := gus.get(t, "/users/me/export").data(t)
	require.Len(t, export["messages"], 1)
	require.Equal(
		t, http.StatusNoContent, gus.do(t, http.MethodDelete, "/users/me", map[string]string{"password": password}).status,
	)
	require.Equal(t, http.StatusUnauthorized, gus.get(t, "/users/me").status)
	require.Equal(t, http.StatusNotFound, f.client.get(t, "/users/gus.goes").status)
	last := f.client.get(t, "/chat/messages?room_id="+room).list(t)[0].(map[string]any)
	require.Equal(t, "Farewell, all of you", last["body"])
	require.Nil(t, last["author"])
	eventually(t, func(c *assert.CollectT) {
		var left int
		require.NoError(c,
			f.db.DB().NewRaw("SELECT count(*) FROM users WHERE id = ?", gus.account.User.ID).Scan(t.Context(), &left))
		require.Zero(c, left)
	}, "the row follows")
	f.signUpAs(t, "gus.goes", "Another Gus")
}
