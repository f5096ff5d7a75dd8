package store

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestSlowMode(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, mod, bob, eve := newUser(t, s, "host"), newUser(t, s, "mod"), newUser(t, s, "bob"), newUser(t, s, "eve")
	room, other := newRoom(t, s, host, nil), newRoom(t, s, host, nil)
	joinRoom(t, s, room, mod, bob, eve)
	joinRoom(t, s, other, bob)
	execute(t, s, "INSERT INTO members (room_id, user_id, role) VALUES (?0, ?1, 'moderator'), (?0, ?2, 'viewer')",
		room.ID, mod.ID, eve.ID)
	execute(t, s, "UPDATE rooms SET slow_mode_seconds = 60 WHERE id = ?", room.ID)
	post := func(user watchparty.User, key string) error {
		idempotencyKey := IdempotencyKey{}
		if key != "" {
			idempotencyKey = IdempotencyKey{Hash: []byte(key), Fingerprint: []byte("same")}
		}
		_, err := s.PostMessage(t.Context(), user, watchparty.NewMessage{RoomID: room.ID, Body: "x"}, idempotencyKey)
		return err
	}
	wait := func(err error) time.Duration {
		t.Helper()
		var e *watchparty.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, watchparty.ErrSlowMode)
		require.Equal(t, watchparty.KindLimited, e.Kind)
		return e.RetryAfter
	}
	age := func(user watchparty.User, d string) {
		t.Helper()
		execute(t, s, "UPDATE messages SET created_at = now() - ?::interval WHERE user_id = ?", d, user.ID)
	}

	postMessage(t, s, other, bob, "another room's messages do not count")
	require.NoError(t, post(bob, "key"))
	require.InDelta(t, 60, wait(post(bob, "")).Seconds(), 10)
	require.NoError(t, post(bob, "key"), "the same request again")
	require.NoError(t, post(eve, ""), "others do not wait for one")
	require.Positive(t, wait(post(eve, "")), "a viewer by standing")

	age(bob, "50 s")
	require.LessOrEqual(t, wait(post(bob, "")), 10*time.Second)
	age(bob, "60 s")
	require.NoError(t, post(bob, ""))
	require.NoError(t, s.DeleteMessage(t.Context(), readValue[string](t, s,
		"SELECT id FROM messages WHERE user_id = ? ORDER BY id DESC LIMIT 1", bob.ID), bob.ID))
	require.Positive(t, wait(post(bob, "")), "what was taken back counts")
	require.NoError(t, s.LeaveRoom(t.Context(), room.ID, bob.ID))
	joinRoom(t, s, room, bob)
	require.Positive(t, wait(post(bob, "")), "so does what was said before one left")

	for range 3 {
		require.NoError(t, post(host, ""))
		require.NoError(t, post(mod, ""))
	}
	execute(t, s, "UPDATE rooms SET slow_mode_seconds = 0 WHERE id = ?", room.ID)
	require.NoError(t, post(bob, ""))
}

// Of two messages of one person at the same time, slow mode refuses one.
func TestParallelSlowMode(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, bob := newUser(t, s, "host"), newUser(t, s, "bob")
	room := newRoom(t, s, host, nil)
	joinRoom(t, s, room, bob)
	execute(t, s, "UPDATE rooms SET slow_mode_seconds = 3600")
	errs := make([]error, 10)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.PostMessage(t.Context(), bob, watchparty.NewMessage{RoomID: room.ID, Body: "x"}, IdempotencyKey{})
		})
	}
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, watchparty.ErrSlowMode)
			refused++
		}
	}
	require.Equal(t, len(errs)-1, refused)
	require.Equal(t, 1, countRows(t, s, "messages"))
}
