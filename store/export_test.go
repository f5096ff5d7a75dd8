package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func messageID(m watchparty.Message) string { return m.ID }

func TestExport(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	hosted, joined := newRoom(t, s, ada, nil), newRoom(t, s, bob, nil)
	joinRoom(t, s, joined, ada)
	first, second := postMessage(t, s, joined, ada, "one"), postMessage(t, s, hosted, ada, "two")
	postMessage(t, s, joined, bob, "not hers")
	messages, err := s.ExportMessages(t.Context(), ada.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{first.ID, second.ID}, ids(messages, messageID))
	messages, err = s.ExportMessages(t.Context(), ada.ID, Page{Limit: 10, After: Keys{first.ID}})
	require.NoError(t, err)
	require.Equal(t, []string{second.ID}, ids(messages, messageID))

	// What she answered, and may not be allowed to read any more, is not hers.
	reply, err := s.PostMessage(t.Context(), ada, watchparty.NewMessage{RoomID: joined.ID, Body: "indeed",
		ReplyToID: first.ID}, IdempotencyKey{})
	require.NoError(t, err)
	messages, err = s.ExportMessages(t.Context(), ada.ID, Page{Limit: 10, After: Keys{second.ID}})
	require.NoError(t, err)
	require.Equal(t, []string{reply.ID}, ids(messages, messageID))
	require.Equal(t, &watchparty.Quote{ID: first.ID}, messages[0].ReplyTo)

	for i, inviter := range []string{ada.ID, bob.ID} {
		execute(t, s,
			"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) VALUES (?, ?, ?, ?, now() - interval '1 s')",
			newID(), hosted.ID, inviter, fmt.Sprintf("guest%d@example.org", i))
	}
	invitations, err := s.ExportInvitations(t.Context(), ada.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, invitations, 1)
	require.Equal(t, []any{"guest0@example.org", watchparty.InvitationExpired, true, time.UTC},
		[]any{invitations[0].Email, invitations[0].State, invitations[0].AnsweredAt.IsZero(),
			invitations[0].CreatedAt.Location()})

	require.NoError(t, acceptInvitation(t, s, createInvitation(t, s, joined, bob, "ada@example.org"), ada))
	accepted, err := s.ExportAccepted(t.Context(), ada.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, accepted, 1)
	require.Equal(t, joined.ID, accepted[0].RoomID)
	until := Now().Add(time.Hour)
	_, err = s.Mute(t.Context(), hosted.ID, ada.ID, "bob", watchparty.NewMute{Until: until, Reason: "Loud"},
		IdempotencyKey{})
	require.NoError(t, err)
	_, err = s.Ban(t.Context(), hosted.ID, ada.ID, "bob", watchparty.NewBan{Reason: "Too loud"}, IdempotencyKey{})
	require.NoError(t, err)
	for _, c := range []struct {
		list func(context.Context, string, Page) ([]watchparty.Sanction, error)
		want watchparty.Sanction
	}{
		{s.ExportMutes, watchparty.Sanction{RoomID: hosted.ID, UserID: bob.ID, Reason: "Loud", Until: until}},
		{s.ExportBans, watchparty.Sanction{RoomID: hosted.ID, UserID: bob.ID, Reason: "Too loud"}},
	} {
		given, err := c.list(t.Context(), ada.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, given, 1)
		c.want.ID, c.want.CreatedAt = given[0].ID, given[0].CreatedAt
		require.Equal(t, c.want, given[0])
		given, err = c.list(t.Context(), ada.ID, Page{Limit: 10, After: Keys{given[0].ID}})
		require.NoError(t, err)
		require.Empty(t, given)
	}
}
