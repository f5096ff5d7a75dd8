package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, carl := newUser(t, s, "augusta"), newUser(t, s, "bob"), newUser(t, s, "carl")
	token := signIn(t, s, ada, time.Hour)
	reset := requestReset(t, s, ada)
	verification := newestVerification(t, s, ada)
	hosted, left := newRoom(t, s, ada, nil), newRoom(t, s, bob, nil)
	banned, member := newRoom(t, s, bob, nil), newRoom(t, s, carl, nil)
	closed := newRoom(t, s, ada, nil)
	execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id = ?", closed.ID)
	joinRoom(t, s, hosted, carl)
	joinRoom(t, s, left, ada)
	message := postMessage(t, s, left, ada, "hello")
	postMessage(t, s, hosted, carl, "hi")
	execute(t, s, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", banned.ID, ada.ID)
	execute(t, s, "INSERT INTO bans (id, room_id, user_id, banned_by) VALUES (gen_random_uuid(), ?, ?, ?)", hosted.ID,
		bob.ID, ada.ID)
	execute(t, s, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'moderator')", member.ID, ada.ID)
	execute(t, s,
		"INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) VALUES (?, ?, ?, 'guest@example.org', now())",
		newID(), hosted.ID, ada.ID)
	execute(
		t,
		s,
		"INSERT INTO invitations (id, room_id, user_id, email, state, expires_at) "+
			"VALUES (?, ?, ?, 'at-work@example.org', 'accepted', now())",
		newID(),
		hosted.ID,
		ada.ID,
	)
	confirmAddresses(t, s, ada)
	execute(
		t,
		s,
		"INSERT INTO invitations (id, room_id, email, state, expires_at) "+
			"VALUES (?, ?, 'Augusta@example.org', 'declined', now())",
		newID(),
		member.ID,
	)
	open := createInvitation(t, s, left, bob, "AUGUSTA@example.org")
	execute(t, s, "INSERT INTO room_log (id, room_id, actor_id, target_id, action) VALUES (?, ?, ?, ?, 'kicked')",
		newID(), hosted.ID, ada.ID, ada.ID)
	version, err := s.NextAvatarVersion(t.Context(), ada.ID)
	require.NoError(t, err)
	_, err = s.CreateAvatar(t.Context(), ada.ID, version)
	require.NoError(t, err)

	tags := changesOf(s, func() {
		require.NoError(t, s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username))
	})
	require.ElementsMatch(t, append(coherence.TagsOfRooms([]string{hosted.ID, left.ID, banned.ID, member.ID, closed.ID}),
		coherence.TagProfile("augusta"), coherence.TagPerson(ada.ID), coherence.TagAccount(ada.ID),
		coherence.TagMessages(left.ID)), tags)

	t.Run("nothing names it", func(t *testing.T) {
		for _, table := range []string{"users", "sessions", "email_verifications", "password_resets", "emails", "outbox",
			"invitations", "room_log", "bans", "members", "participants"} {
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM "+table+" AS x WHERE x::text ~* 'augusta'"), table)
		}
		acts, err := s.RoomLog(t.Context(), hosted.ID, Page{Limit: 10})
		require.NoError(t, err)
		invitations, err := s.Invitations(t.Context(), hosted.ID, "", Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, invitations, 1, "the room's own")
		require.Equal(t, []any{"guest@example.org", watchparty.Person{}}, []any{invitations[0].Email, invitations[0].Inviter})
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM invitations"))
		require.Equal(t, "revoked", readValue[string](t, s,
			"SELECT signal FROM outbox WHERE workflow_id = ? AND signal <> ''", job.RoomInvitationID(open.ID)))
		bans, err := s.Bans(t.Context(), hosted.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, make([]watchparty.Person, 3), []watchparty.Person{acts[1].Actor, acts[1].Target, bans[0].By})
		for _, column := range []string{"participants.user_id", "members.user_id", "bans.user_id", "sessions.user_id",
			"known_clients.user_id", "rooms.host_id"} {
			table, name, _ := strings.Cut(column, ".")
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM "+table+" WHERE "+name+" = ?", ada.ID), column)
		}
		hex := readValue[string](t, s, "SELECT right(replace(id::text, '-', ''), 24) FROM users WHERE id = ?", ada.ID)
		require.Equal(t, "deleted-"+hex+" "+ada.ID+"@deleted.invalid Deleted account  false", readValue[string](
			t,
			s,
			"SELECT concat_ws(' ', username, email, display_name, password_hash, "+
				"CASE WHEN is_admin THEN 'true' ELSE 'false' END) FROM users WHERE id = ?",
			ada.ID,
		))
	})
	t.Run("nobody finds it or gets in", func(t *testing.T) {
		_, err := s.User(t.Context(), ada.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		username, email := watchparty.DeletedNames(ada.ID)
		_, err = s.UserByUsername(t.Context(), username)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, _, err = s.Credentials(t.Context(), email)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, _, err = rotateSession(t, s, token)
		require.ErrorIs(t, err, watchparty.ErrBadRefresh)
		_, err = s.ResetPassword(t.Context(), reset, "new")
		require.ErrorIs(t, err, watchparty.ErrBadToken)
		require.ErrorIs(t, s.VerifyEmail(t.Context(), verification), watchparty.ErrBadToken)
		_, err = s.LogIn(t.Context(), ada.ID, "", NewSession{TokenHash: []byte("x"), TTL: time.Hour})
		require.ErrorIs(t, err, watchparty.ErrBadCredentials)
		_, err = s.NextAvatarVersion(t.Context(), ada.ID)
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		_, err = s.CreateAvatar(t.Context(), ada.ID, 2)
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		name := "back"
		_, err = s.UpdateProfile(t.Context(), ada.ID, watchparty.ProfileChange{DisplayName: &name})
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
		err = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
	t.Run("its messages have no author at once", func(t *testing.T) {
		messages, err := s.Messages(t.Context(), left.ID, Page{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []string{message.ID, "hello", ""},
			[]string{messages[0].ID, messages[0].Body, messages[0].Author.Username})
	})
	t.Run("its emails are cancelled and its uploads void", func(t *testing.T) {
		require.Equal(t, 2, readValue[int](t, s, "SELECT count(*) FROM emails WHERE user_id = ? AND state = 'cancelled'",
			ada.ID))
		require.Equal(t, "superseded", readValue[string](t, s, "SELECT state FROM avatars WHERE user_id = ?", ada.ID))
	})
	t.Run("its room has another host, its archived one none", func(t *testing.T) {
		room, err := s.Room(t.Context(), hosted.ID)
		require.NoError(t, err)
		require.Equal(t, []any{carl.ID, true}, []any{room.Host.ID, room.ArchivedAt.IsZero()})
		room, err = s.Room(t.Context(), closed.ID)
		require.NoError(t, err)
		require.Empty(t, room.Host.ID)
	})
	t.Run("the rest is promised", func(t *testing.T) {
		require.JSONEq(t, `{"user_id": "`+ada.ID+`"}`, readValue[string](t, s,
			"SELECT input FROM outbox WHERE workflow_id = ? AND workflow = 'DeleteAccount' AND task_queue = 'maintenance'",
			"account-deletion/"+ada.ID))
	})
	t.Run("name and address are free", func(t *testing.T) {
		again := newUser(t, s, "augusta")
		require.NotEqual(t, ada.ID, again.ID)
	})
}

func TestRoomsOfADeletedAccount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, early, late, mod := newUser(t, s, "host"), newUser(t, s, "early"), newUser(t, s, "late"),
		newUser(t, s, "moderator")
	suspended, absent := newUser(t, s, "suspended"), newUser(t, s, "absent")
	moderators := newRoom(t, s, host, nil)
	joinRoom(t, s, moderators, suspended, early, late, mod)
	execute(t, s, "INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'moderator'), (?, ?, 'moderator')",
		moderators.ID, mod.ID, moderators.ID, absent.ID)
	viewers := newRoom(t, s, host, nil)
	joinRoom(t, s, viewers, suspended, early, late)
	empty := newRoom(t, s, host, nil)
	execute(t, s, "UPDATE users SET suspended_at = now() WHERE id = ?", suspended.ID)
	err := s.DeleteAccount(t.Context(), host.ID, "hash of "+host.Username)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		room watchparty.Room
		heir string
	}{"the moderator who is there": {moderators, mod.ID}, "who is there longest": {viewers, early.ID},
		"nobody": {empty, ""}} {
		room, err := s.Room(t.Context(), c.room.ID)
		require.NoError(t, err)
		require.Equal(t, c.heir, room.Host.ID, name)
		require.Equal(t, c.heir == "", !room.ArchivedAt.IsZero(), name)
	}
}

func TestRemoveAccount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	room := newRoom(t, s, bob, nil)
	joinRoom(t, s, room, ada)
	for range 25 {
		postMessage(t, s, room, ada, "hello")
	}
	postMessage(t, s, room, bob, "hi")

	_, err := s.AnonymiseMessages(t.Context(), ada.ID, 100)
	require.NoError(t, err)
	err = s.RemoveAccount(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, 25, readValue[int](t, s, "SELECT count(*) FROM messages WHERE user_id = ?", ada.ID),
		"an account that is not deleted is left alone")

	err = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username)
	require.NoError(t, err)
	for _, want := range []int{10, 10, 5, 0} {
		n, err := s.AnonymiseMessages(t.Context(), ada.ID, 10)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM messages WHERE user_id IS NOT NULL"))

	late := newRoom(t, s, bob, nil) // a process of a former version has let her in
	execute(t, s, "UPDATE rooms SET host_id = ? WHERE id = ?", ada.ID, late.ID)
	execute(t, s, "UPDATE participants SET user_id = ? WHERE room_id = ?", ada.ID, late.ID)
	for _, rooms := range [][]string{{late.ID}, nil} {
		tags := changesOf(s, func() { require.NoError(t, s.RemoveAccount(t.Context(), ada.ID)) })
		require.ElementsMatch(t, coherence.TagsOfRooms(rooms), tags)
	}
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM users WHERE id = ?", ada.ID))
	require.Equal(t, 26, countRows(t, s, "messages"))
	archived, err := s.Room(t.Context(), late.ID)
	require.NoError(t, err)
	require.False(t, archived.ArchivedAt.IsZero())
}

func TestParallelDeletions(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for i := range 5 {
		ada, bob := newUser(t, s, fmt.Sprint("ada", i)), newUser(t, s, fmt.Sprint("bob", i))
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		other := newRoom(t, s, bob, nil)
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for j := range errs {
			wg.Go(func() { errs[j] = s.DeleteAccount(t.Context(), ada.ID, "hash of "+ada.Username) })
		}
		joined := make([]error, 4)
		for j := range joined { // the one who leaves, and another, come in at the same time
			wg.Go(func() { _, joined[j] = s.JoinRoom(t.Context(), other.ID, []string{ada.ID, bob.ID}[j%2]) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, watchparty.ErrNotFound)
		}
		require.Equal(t, 1, won)
		for j, err := range joined {
			if j%2 == 1 || err != nil && !errors.Is(err, watchparty.ErrUnauthenticated) {
				require.NoError(t, err)
			}
		}
		require.False(t, isIn(t, s, other, ada), "whichever came first")
		stored, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		require.Equal(t, bob.ID, stored.Host.ID)
		err = s.RemoveAccount(t.Context(), ada.ID)
		require.NoError(t, err)
	}
}
