package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestLeavingTogether: two transactions that take people out of the same rooms do not wait for each other. Each of the
// two hosts is in the other's room, and has added to its queue; both rooms play something.
func TestLeavingTogether(t *testing.T) {
	t.Parallel()
	s, err := Open(
		config.Database{URL: stacktest.MigratedURL(t) + "&deadlock_timeout=20ms&lock_timeout=60000", MaxConns: 10,
			StatementTimeout: time.Minute},
		auth.NewDigests("a secret of the tests"),
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	seen := &deadlocks{}
	s.DB().AddQueryHook(seen)
	movie := addMovie(t, s, "A movie of both")
	execute(t, s, "UPDATE movies SET stream_url = 'https://movies.example/a.webm' WHERE id = ?", movie)
	goes := func(user watchparty.User) error {
		return s.DeleteAccount(t.Context(), user.ID, "hash of "+user.Username)
	}
	for name, ways := range map[string][2]func(room watchparty.Room, host watchparty.User) error{
		"both accounts are deleted": {
			func(_ watchparty.Room, host watchparty.User) error { return goes(host) },
			func(_ watchparty.Room, host watchparty.User) error { return goes(host) },
		},
		"a room is deleted, and the other's account": {
			func(room watchparty.Room, host watchparty.User) error {
				return s.DeleteRoom(t.Context(), room.ID, host.ID, nil)
			},
			func(_ watchparty.Room, host watchparty.User) error { return goes(host) },
		},
		"both accounts are hidden, and deleted": {
			func(_ watchparty.Room, host watchparty.User) error {
				execute(t, s, "UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id = ?", host.ID)
				return goes(host)
			},
			func(_ watchparty.Room, host watchparty.User) error {
				execute(t, s, "UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id = ?", host.ID)
				return goes(host)
			},
		},
	} {
		for run := range 20 {
			hosts := []watchparty.User{
				newUser(t, s, fmt.Sprint("ada", casts.Add(1))),
				newUser(t, s, fmt.Sprint("bob", casts.Add(1))),
			}
			rooms := []watchparty.Room{newRoom(t, s, hosts[0], nil), newRoom(t, s, hosts[1], nil)}
			for i, room := range rooms {
				guest := hosts[1-i]
				joinRoom(t, s, room, guest)
				execute(t, s, "UPDATE rooms SET queue = 'everyone' WHERE id = ?", room.ID)
				c := &cast{t: t, s: s, room: room, holder: hosts[i], session: signedIn(t, s, hosts[i]).SessionID}
				c.loadItem()
				_, err := s.AddToQueue(t.Context(), room.ID, signedIn(t, s, guest),
					watchparty.Source{MovieID: movie}, IdempotencyKey{})
				require.NoError(t, err)
			}
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i, way := range ways {
				wg.Go(func() { errs[i] = way(rooms[i], hosts[i]) })
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err, "%s, %d", name, run)
			}
		}
		require.Zero(t, seen.n.Load(), name)
	}
}
