package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// setMemberRole gives someone a standing in a room.
func setMemberRole(t *testing.T, s *Store, room watchparty.Room, user watchparty.User, role watchparty.Role) {
	t.Helper()
	execute(t, s, `INSERT INTO members (room_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role`, room.ID, user.ID, string(role))
}

func standingOf(t *testing.T, s *Store, room watchparty.Room, user watchparty.User) watchparty.Standing {
	t.Helper()
	standing, err := s.Standing(t.Context(), room.ID, user.ID)
	require.NoError(t, err)
	return standing
}

func banUser(
	t *testing.T, s *Store, room watchparty.Room, actor, target watchparty.User, until *time.Time,
) watchparty.Ban {
	t.Helper()
	banned, err := s.Ban(t.Context(), room.ID, actor.ID, target.Username,
		watchparty.NewBan{Until: until, Reason: "Noise"}, IdempotencyKey{})
	require.NoError(t, err)
	return banned
}

func makePrivate(n *watchparty.NewRoom) { n.Visibility = watchparty.Private }

// readRoomLog are the acts in a room, the oldest first.
func readRoomLog(t *testing.T, s *Store, room watchparty.Room) []watchparty.RoomAct {
	t.Helper()
	acts, err := s.RoomLog(t.Context(), room.ID, Page{Limit: 100})
	require.NoError(t, err)
	slices.Reverse(acts)
	return acts
}

func actionsIn(acts []watchparty.RoomAct) []string {
	return ids(acts, func(a watchparty.RoomAct) string { return string(a.Action) })
}

// TestModerationKnowsRanks: each act, by each role, on each role.
func TestModerationKnowsRanks(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	people := map[string]watchparty.User{}
	for _, name := range []string{"host", "moderator", "second", "viewer", "member", "stranger", "banned", "absent",
		"newcomer"} {
		people[name] = newUser(t, s, name)
	}
	later := time.Now().Add(time.Hour)
	acts := map[string]func(room, actor, username string) error{
		"kick": func(room, actor, username string) error { return s.Kick(t.Context(), room, actor, username) },
		"ban": func(room, actor, username string) error {
			_, err := s.Ban(t.Context(), room, actor, username, watchparty.NewBan{}, IdempotencyKey{})
			return err
		},
		"lift ban": func(room, actor, username string) error { return s.LiftBan(t.Context(), room, actor, username) },
		"mute": func(room, actor, username string) error {
			_, err := s.Mute(t.Context(), room, actor, username, watchparty.NewMute{Until: later}, IdempotencyKey{})
			return err
		},
		"lift mute": func(room, actor, username string) error { return s.LiftMute(t.Context(), room, actor, username) },
	}
	for _, visibility := range []watchparty.Visibility{watchparty.Public, watchparty.Private} {
		stranger := watchparty.ErrForbidden
		if visibility == watchparty.Private {
			stranger = watchparty.ErrNotFound
		}
		refused := map[string]map[string]*watchparty.Error{
			"host": {"host": watchparty.ErrForbidden, "nobody": watchparty.ErrNotFound},
			"moderator": {"host": watchparty.ErrForbidden, "moderator": watchparty.ErrForbidden,
				"second": watchparty.ErrForbidden, "nobody": watchparty.ErrNotFound},
		}
		for _, actor := range []string{"member", "stranger", "banned"} {
			refused[actor] = map[string]*watchparty.Error{}
			for _, target := range []string{"host", "moderator", "second", "viewer", "stranger", "nobody"} {
				refused[actor][target] = map[string]*watchparty.Error{
					"member": watchparty.ErrForbidden, "stranger": stranger, "banned": watchparty.ErrBanned,
				}[actor]
			}
		}
		room := newRoom(t, s, people["host"], func(n *watchparty.NewRoom) { n.Visibility = visibility })
		reset := func(target string) {
			for _, name := range []string{"moderator", "second"} {
				setMemberRole(t, s, room, people[name], watchparty.Moderator)
			}
			execute(t, s, "DELETE FROM bans WHERE room_id = ?", room.ID)
			execute(t, s, "DELETE FROM mutes WHERE room_id = ?", room.ID)
			for _, name := range []string{"viewer", "member"} {
				setMemberRole(t, s, room, people[name], watchparty.Viewer)
			}
			joinRoom(t, s, room, people["host"], people["moderator"], people["second"], people["viewer"], people["member"])
			execute(t, s, "INSERT INTO bans (id, room_id, user_id) VALUES (gen_random_uuid(), ?, ?)", room.ID,
				people["banned"].ID)
			if user, ok := people[target]; ok {
				execute(t, s, "INSERT INTO mutes (id, room_id, user_id, until) VALUES (gen_random_uuid(), ?, ?, ?)", room.ID,
					user.ID, later)
			}
		}
		for actor, cells := range refused {
			for _, target := range []string{"host", "moderator", "second", "viewer", "nobody"} {
				for name, act := range acts {
					t.Run(fmt.Sprintf("%s: %s by %s on %s", visibility, name, actor, target), func(t *testing.T) {
						reset(target)
						err := act(room.ID, people[actor].ID, target)
						want := cells[target]
						switch {
						case want != nil:
							require.ErrorIs(t, err, want)
						case name == "lift ban":
							require.ErrorIs(t, err, watchparty.ErrNotFound, "none is in force")
						default:
							require.NoError(t, err)
						}
					})
				}
			}
		}
	}
	t.Run("in a room that is not there", func(t *testing.T) {
		for name, act := range acts {
			require.ErrorIs(t, act(newID(), people["host"].ID, "viewer"), watchparty.ErrNotFound, name)
		}
	})
}

func TestKick(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, eve := newUser(t, s, "ada"), newUser(t, s, "bob"), newUser(t, s, "eve")

	t.Run("from a public room, to which one may come back", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob, eve)
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "BOB"), "names do not differ by case")
		require.False(t, isIn(t, s, room, bob))
		require.True(t, isIn(t, s, room, eve))
		require.ErrorIs(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound, "is not in it any more")
		joinRoom(t, s, room, bob)

		acts := readRoomLog(t, s, room)
		require.Equal(t, []string{"kicked"}, actionsIn(acts))
		require.Equal(t, ada.Person(), acts[0].Actor)
		require.Equal(t, bob.Person(), acts[0].Target)
		require.Empty(t, acts[0].Details)
	})

	t.Run("of a moderator, who is none any more", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		joinRoom(t, s, room, bob)
		setMemberRole(t, s, room, bob, watchparty.Moderator)
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"))
		require.Empty(t, standingOf(t, s, room, bob).Role)
		require.ErrorIs(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound,
			"there is nothing to put them out of")

		setMemberRole(t, s, room, bob, watchparty.Moderator)
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"), "in it or not")
		require.Empty(t, standingOf(t, s, room, bob).Role)
	})

	t.Run("of a room that turns private after it", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		require.NoError(t, acceptInvitation(t, s, createInvitation(t, s, room, ada, "bob@example.org"), bob))
		require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"))
		visibility := watchparty.Private
		_, err := s.UpdateRoom(t.Context(), room.ID, ada.ID, watchparty.RoomChange{Visibility: &visibility}, nil)
		require.NoError(t, err)
		_, err = s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})

	t.Run("from a private room, in it or not, for good", func(t *testing.T) {
		room := newRoom(t, s, ada, makePrivate)
		for _, there := range []bool{true, false} {
			setMemberRole(t, s, room, bob, watchparty.Moderator)
			if there {
				joinRoom(t, s, room, bob)
			}
			require.NoError(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"))
			require.Empty(t, standingOf(t, s, room, bob).Role)
			require.False(t, isIn(t, s, room, bob))
			_, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
			require.ErrorIs(t, err, watchparty.ErrNotFound)
			require.ErrorIs(t, s.Kick(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound)
		}
		require.Len(t, readRoomLog(t, s, room), 2)
	})
}

func TestBan(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newUser(t, s, "ada"), newUser(t, s, "bob")
	refused := func(t *testing.T, room watchparty.Room) {
		t.Helper()
		_, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
		require.ErrorIs(t, err, watchparty.ErrBanned)
		require.False(t, isIn(t, s, room, bob))
	}

	t.Run("puts out, keeps out, and can be lifted", func(t *testing.T) {
		for _, visibility := range []watchparty.Visibility{watchparty.Public, watchparty.Unlisted, watchparty.Private} {
			room := newRoom(t, s, ada, func(n *watchparty.NewRoom) { n.Visibility = visibility })
			setMemberRole(t, s, room, bob, watchparty.Moderator)
			joinRoom(t, s, room, bob)
			banned := banUser(t, s, room, ada, bob, nil)
			require.Equal(t, watchparty.Ban{
				ID: banned.ID, User: bob.Person(),
				By:     ada.Person(),
				Reason: "Noise", CreatedAt: banned.CreatedAt,
			}, banned)
			require.Equal(t, watchparty.Standing{Banned: true}, standingOf(t, s, room, bob), "the role is gone")
			refused(t, room)

			require.NoError(t, s.LiftBan(t.Context(), room.ID, ada.ID, "bob"))
			require.Equal(t, watchparty.Standing{}, standingOf(t, s, room, bob))
			require.ErrorIs(t, s.LiftBan(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound)
			_, err := s.JoinRoom(t.Context(), room.ID, bob.ID)
			if visibility == watchparty.Private {
				require.ErrorIs(t, err, watchparty.ErrNotFound, "is no member any more")
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, []string{"banned", "ban_lifted"}, actionsIn(readRoomLog(t, s, room)))
		}
	})

	t.Run("of someone who was never there", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		banUser(t, s, room, ada, bob, nil)
		refused(t, room)
	})

	t.Run("ends by itself", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		until := Now().Add(time.Hour)
		require.Equal(t, until, banUser(t, s, room, ada, bob, &until).Until)
		refused(t, room)
		execute(t, s, "UPDATE bans SET until = now() - interval '1 microsecond' WHERE room_id = ?", room.ID)
		require.Equal(t, watchparty.Standing{}, standingOf(t, s, room, bob))
		require.ErrorIs(t, s.LiftBan(t.Context(), room.ID, ada.ID, "bob"), watchparty.ErrNotFound)
		bans, err := s.Bans(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, bans)
		joinRoom(t, s, room, bob)
		banUser(t, s, room, ada, bob, nil)
		refused(t, room)
	})

	t.Run("replaces the former", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		eve := newUser(t, s, "eve")
		setMemberRole(t, s, room, eve, watchparty.Moderator)
		first := banUser(t, s, room, ada, bob, nil)
		until := Now().Add(time.Minute)
		second, err := s.Ban(t.Context(), room.ID, eve.ID, "bob", watchparty.NewBan{Until: &until, Reason: "Less noise"},
			IdempotencyKey{})
		require.NoError(t, err)
		require.Equal(t, []any{"eve", "Less noise", until}, []any{second.By.Username, second.Reason, second.Until})
		require.False(t, second.CreatedAt.Before(first.CreatedAt))
		bans, err := s.Bans(t.Context(), room.ID, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []watchparty.Ban{second}, bans)

		acts := readRoomLog(t, s, room)
		require.Equal(t, map[string]any{"until": nil, "reason": "Noise"}, acts[0].Details)
		require.Equal(t, map[string]any{"until": until.Format(time.RFC3339Nano), "reason": "Less noise"}, acts[1].Details)
	})

	t.Run("of one room only", func(t *testing.T) {
		room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
		joinRoom(t, s, other, bob)
		banUser(t, s, room, ada, bob, nil)
		require.True(t, isIn(t, s, other, bob))
		require.ErrorIs(t, s.LiftBan(t.Context(), other.ID, ada.ID, "bob"), watchparty.ErrNotFound)
		refused(t, room)
	})

	t.Run("with a reason that means something to others", func(t *testing.T) {
		room := newRoom(t, s, ada, nil)
		const reason = `'; DROP TABLE bans; -- <script>alert(1)</script> {"a":1} ?0 %s 👩‍👩‍👧 שלום é`
		banned, err := s.Ban(t.Context(), room.ID, ada.ID, "bob", watchparty.NewBan{Reason: reason}, IdempotencyKey{})
		require.NoError(t, err)
		require.Equal(t, reason, banned.Reason)
		require.Equal(t, reason, readRoomLog(t, s, room)[0].Details["reason"])
	})
}

func TestListBans(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	var want []string
	people := map[string]watchparty.User{}
	for i := range 7 {
		user := newUser(t, s, fmt.Sprint("guest", i))
		id := banUser(t, s, room, ada, user, nil).ID
		people[id] = user
		banUser(t, s, other, ada, user, nil)
		want = append([]string{id}, want...)
	}
	list := func(p Page) ([]watchparty.Ban, error) { return s.Bans(t.Context(), room.ID, p) }
	id := func(b watchparty.Ban) string { return b.ID }
	for _, limit := range []int{1, 2, 3, 7, 100} {
		require.Equal(t, want, pages(t, limit, list, id), "%d a page", limit)
	}

	t.Run("goes on after one that was lifted meanwhile", func(t *testing.T) {
		first, err := list(Page{Limit: 3})
		require.NoError(t, err)
		require.NoError(t, s.LiftBan(t.Context(), room.ID, ada.ID, people[want[2]].Username))
		rest, err := list(Page{Limit: 100, After: Keys{id(first[2])}})
		require.NoError(t, err)
		require.Equal(t, want[3:], ids(rest, id))
		want = slices.Delete(want, 2, 3)
		require.Equal(t, want, pages(t, 2, list, id))
	})

	t.Run("without those that have ended, nor of accounts that are gone", func(t *testing.T) {
		execute(t, s, "UPDATE bans SET until = now() WHERE id = ?", want[0])
		execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", people[want[1]].ID)
		require.Equal(t, want[2:], pages(t, 2, list, id))
	})

	t.Run("by someone who is gone", func(t *testing.T) {
		execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", ada.ID)
		bans, err := list(Page{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, watchparty.Person{}, bans[0].By)
	})
}

// TestBansAgainstJoins: whichever commits first, no banned person is in the room in the end.
func TestBansAgainstJoins(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	const guests = 20
	errs := make([]error, 3*guests)
	var wg sync.WaitGroup
	for i := range guests {
		user := newUser(t, s, fmt.Sprint("guest", i))
		enter := func(at int) {
			if _, err := s.JoinRoom(t.Context(), room.ID, user.ID); err != nil {
				errs[at] = err
			}
		}
		wg.Go(func() { enter(i) })
		wg.Go(func() {
			_, err := s.Ban(t.Context(), room.ID, ada.ID, user.Username, watchparty.NewBan{}, IdempotencyKey{})
			errs[guests+i] = err
		})
		wg.Go(func() { enter(2*guests + i) })
	}
	wg.Wait()
	for i, err := range errs {
		if i >= guests && i < 2*guests {
			require.NoError(t, err)
		} else if err != nil {
			require.ErrorIs(t, err, watchparty.ErrBanned)
		}
	}
	require.Equal(t, guests, countRows(t, s, "bans"))
	require.Equal(t, 1, countRows(t, s, "participants"), "only the host")
}
