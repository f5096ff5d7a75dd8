package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob/memblob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestAccount runs each step twice, as after a worker that ended before it could say that it was done.
func TestAccount(t *testing.T) {
	t.Parallel()
	s, bucket := openStore(t), memblob.OpenBucket(nil)
	t.Cleanup(func() { require.NoError(t, bucket.Close()) })
	env := environment(&activities.Account{Store: s, Bucket: bucket})
	alice, bob := register(t, s, "alice"), register(t, s, "bob")
	n := watchparty.NewRoom{Name: "A room"}
	n.Normalise()
	room, err := s.CreateRoom(t.Context(), bob.ID, n, store.IdempotencyKey{})
	require.NoError(t, err)
	execute(
		t,
		s,
		`INSERT INTO messages (id, room_id, user_id, body) SELECT gen_random_uuid(), ?, ?, 'hello' FROM generate_series(1, 2500)`,
		room.ID,
		alice.ID,
	)
	execute(
		t, s, `INSERT INTO messages (id, room_id, user_id, body) VALUES (gen_random_uuid(), ?, ?, 'hello')`, room.ID, bob.ID,
	)
	for _, user := range []watchparty.User{alice, bob} {
		for version := range 3 {
			upload := watchparty.Avatar{UserID: user.ID, Version: version}
			for _, object := range []string{upload.OriginalObject(), upload.Object(watchparty.MediumFile)} {
				require.NoError(t, bucket.WriteAll(t.Context(), object, []byte("x"), nil))
			}
		}
	}
	err = s.DeleteAccount(t.Context(), alice.ID, "hash")
	require.NoError(t, err)
	// A room that a process of a former version let her open while it was on its way.
	late, err := s.CreateRoom(t.Context(), bob.ID, n, store.IdempotencyKey{})
	require.NoError(t, err)
	execute(t, s, "UPDATE rooms SET host_id = ? WHERE id = ?", alice.ID, late.ID)
	execute(t, s, "UPDATE participants SET user_id = ? WHERE room_id = ?", alice.ID, late.ID)
	announced := recordChanges(s)

	count := func(query string, args ...any) (n int) {
		require.NoError(t, s.DB().NewRaw(query, args...).Scan(t.Context(), &n))
		return n
	}
	in := job.AccountInput{UserID: alice.ID}
	for attempt := range 2 {
		_, err := env.ExecuteActivity(job.ActivityRemoveAccountFiles, in)
		require.NoError(t, err)
		objects := 0
		for list := bucket.List(nil); ; objects++ {
			object, err := list.Next(t.Context())
			if err != nil {
				break
			}
			require.Contains(t, object.Key, bob.ID)
		}
		require.Equal(t, 6, objects)

		value, err := env.ExecuteActivity(job.ActivityAnonymiseMessages, in)
		require.NoError(t, err)
		var result job.AccountResult
		require.NoError(t, value.Get(&result))
		require.Equal(t, []int{2500, 0}[attempt], result.Messages)
		require.Equal(t, []int{0, 1, 2501}, []int{
			count("SELECT count(*) FROM messages WHERE user_id = ?", alice.ID),
			count("SELECT count(*) FROM messages WHERE user_id = ?", bob.ID),
			count("SELECT count(*) FROM messages"),
		})
	}
	env.SetHeartbeatDetails(job.AccountResult{Messages: 2000})
	value, err := env.ExecuteActivity(job.ActivityAnonymiseMessages, in)
	require.NoError(t, err)
	var result job.AccountResult
	require.NoError(t, value.Get(&result))
	require.Equal(t, 2000, result.Messages, "it counts on")
	for range 2 {
		_, err := env.ExecuteActivity(job.ActivityRemoveAccount, in)
		require.NoError(t, err)
		require.Equal(t, 1, count("SELECT count(*) FROM users"))
	}
	require.Contains(t, announced.take(), coherence.TagRoom(late.ID), "the room has no host any more")
}
