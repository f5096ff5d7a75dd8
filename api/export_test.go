package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
)

func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	other := b.user(t, "zebediah")
	b.join(t, b.room(t, other, nil), alice)
	const said = 3000
	b.exec(
		t,
		`INSERT INTO messages (id, room_id, user_id, body)
			SELECT ('01890000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, ?, ?, 'message ' || i
		FROM generate_series(1, ?) AS i`,
		room,
		alice.id,
		said,
	)
	b.exec(
		t,
		"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) "+
			"VALUES (?, ?, ?, 'guest@example.org', now() + interval '1 h')",
		unknownID,
		room,
		alice.id,
	)
	require.Equal(t, 202, b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", picture(8, 8)})).status)

	a := b.do(t, "GET", "/users/me/export", alice.token, nil)
	require.Equal(t, 200, a.status)
	require.Equal(t, `attachment; filename="watchparty-alice.json"`, a.header.Get("Content-Disposition"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	var answer contract.ExportAnswer
	require.NoError(t, json.Unmarshal(a.raw, &answer))
	document := answer.Data
	require.Equal(t, alice.email, document.Account.Email)
	require.Len(t, document.Messages, said)
	for i, m := range document.Messages {
		require.Equal(t, fmt.Sprint("message ", i+1), m.Body)
	}
	require.Len(t, document.Sessions, 1)
	require.True(t, document.Sessions[0].Current)
	require.Len(t, document.Rooms, 2)
	own := document.Rooms[slices.IndexFunc(document.Rooms, func(r contract.ExportedRoom) bool { return r.ID == room })]
	require.Equal(t, []any{contract.RoleHost, true}, []any{own.Role, own.Joined})
	require.Equal(t, "guest@example.org", *document.Invitations[0].Email)
	require.Equal(t, 1, document.Avatars[0].Version)
	require.NotContains(t, string(a.raw), "zebediah", "the host of another room")

	t.Run("is written as it is read", func(t *testing.T) {
		user, err := b.store.User(t.Context(), alice.id)
		require.NoError(t, err)
		w := &pieces{}
		require.NoError(t, export{Server: b.server, ctx: t.Context(), user: user}.VisitExportMeResponse(w))
		require.Greater(t, w.writes, said)
		require.Less(t, w.largest, 2000, "no piece holds more than a row")
	})
	t.Run("breaks off rather than end early", func(t *testing.T) {
		b.exec(t, "ALTER TABLE invitations RENAME TO elsewhere")
		r := b.request(t, "GET", "/users/me/export", alice.token, nil)
		response, err := b.client.Do(r)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			require.NoError(t, response.Body.Close())
		}
		require.Error(t, err)
		require.Len(t, b.logs.records(t, "export broke off"), 1)
	})
}

// pieces counts what is written.
type pieces struct {
	writes, largest int
}

func (*pieces) Header() http.Header { return http.Header{} }

func (*pieces) WriteHeader(int) {}

func (p *pieces) Write(b []byte) (int, error) {
	p.writes++
	p.largest = max(p.largest, len(b))
	return len(b), nil
}
