package live_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
)

// onlyHints makes polls so rare that every change in a test arrives by a hint.
func onlyHints(l *live.TestLimits) { l.PollCalm = time.Hour }

// noPolls also prevents the polls that follow late echoes of Redis on a busy machine. A new subscription still polls.
func noPolls(l *live.TestLimits) { l.PollCalm, l.PollBusy = time.Hour, time.Hour }

// TestPutOut: a person who may not stay in the room is disconnected at once, also from another server than the one that
// ran the operation. Nobody else is disconnected.
func TestPutOut(t *testing.T) {
	t.Parallel()
	type scene struct {
		i    *installation
		asks *node // has no connections
		room string
		host person
		bob  person
	}
	for name, c := range map[string]struct {
		act    func(t *testing.T, s scene)
		code   wire.Code
		reason string
		all    bool // also the host
	}{
		"kick": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "DELETE", "/rooms/"+s.room+"/participants/bob", s.host, nil, http.StatusNoContent)
		}, wire.CodeNotParticipant, "not_participant", false},
		"ban": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "POST", "/rooms/"+s.room+"/bans", s.host, map[string]any{"username": "bob"}, http.StatusCreated)
		}, wire.CodeNotParticipant, "banned", false},
		"leave": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "POST", "/rooms/"+s.room+"/leave", s.bob, nil, http.StatusNoContent)
		}, wire.CodeNotParticipant, "not_participant", false},
		"archive": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "PATCH", "/rooms/"+s.room, s.host, map[string]any{"state": "archived"}, http.StatusOK)
		}, wire.CodeArchived, "room_archived", true},
		"deletion": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "DELETE", "/rooms/"+s.room, s.host, nil, http.StatusNoContent)
		}, wire.CodeNotFound, "not_found", true},
		"sign-out": {func(t *testing.T, s scene) {
			s.asks.callAPI(t, "DELETE", "/users/me/sessions/"+s.bob.session, s.bob, nil, http.StatusNoContent)
		}, wire.CodeUnauthenticated, "unauthenticated", false},
		"suspension": {func(t *testing.T, s scene) {
			root := s.i.createPerson(t, "root")
			s.i.execSQL(t, "UPDATE users SET email_verified_at = now() WHERE id = ?", root.id)
			_, err := s.i.store.GrantAdmin(t.Context(), "root@example.org")
			require.NoError(t, err)
			s.asks.callAPI(t, "POST", "/admin/users/"+s.bob.id+"/suspend", root, map[string]any{"reason": "spam"}, http.StatusOK)
		}, wire.CodeUnauthenticated, "unauthenticated", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInstallation(t, twoNodes, withLimits(noPolls))
			s := scene{i: i, asks: i.nodes[0], host: i.createPerson(t, "alice"), bob: i.createPerson(t, "bob")}
			s.room = s.asks.createRoom(t, s.host, nil)
			s.asks.joinRoom(t, s.room, s.bob)
			held := i.nodes[1]
			host := held.connectLive(t, s.room, s.host)
			guest, second := held.connectLive(t, s.room, s.bob), held.connectLive(t, s.room, s.bob)
			c.act(t, s)
			guest.requireClosed(c.code, c.reason)
			second.requireClosed(c.code, c.reason)
			if c.all {
				host.requireClosed(c.code, c.reason)
				return
			}
			host.send(&wire.Clock{C0: 1})
			awaitMessage(host, anyMessage[*wire.ClockReply])
		})
	}
}

// TestHidden: whoever watches hears at once, on whichever process, that what somebody has written is hidden.
func TestHidden(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob, root := i.createPerson(t, "alice"), i.createPerson(t, "bob"), i.createPerson(t, "root")
	i.execSQL(t, "UPDATE users SET email_verified_at = now() WHERE id = ?", root.id)
	_, err := i.store.GrantAdmin(t.Context(), "root@example.org")
	require.NoError(t, err)
	room := a.createRoom(t, alice, nil)
	here, there := a.connectLive(t, room, alice), b.connectLive(t, room, alice)
	for _, hides := range []bool{false, true} {
		a.callAPI(t, "POST", "/admin/users/"+bob.id+"/suspend", root, map[string]any{"reason": "spam", "hide_content": hides},
			http.StatusOK)
	}
	for _, c := range []*watcher{here, there} {
		require.Equal(t, bob.id, awaitMessage(c, anyMessage[*wire.Hidden]).User)
	}
}

// TestPutOutWithoutHint: if the hint is lost, people are disconnected by the next poll.
func TestPutOutWithoutHint(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(func(l *live.TestLimits) { l.PollCalm = time.Hour }))
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := i.nodes[0].createRoom(t, alice, nil)
	i.nodes[0].joinRoom(t, room, bob)
	guest := i.nodes[1].connectLive(t, room, bob)
	// Behind the back of all servers, as one does that cannot reach Redis.
	require.NoError(t, i.store.Kick(t.Context(), room, alice.id, "bob"))
	i.nodes[1].hub.Poke()
	guest.requireClosed(wire.CodeNotParticipant, "not_participant")
}

// TestPlace: a role and a mute arrive at once, and count from their commit on.
func TestPlace(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	host, guest := b.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)

	a.callAPI(t, "PATCH", "/rooms/"+room+"/participants/bob", alice, map[string]any{"role": "moderator"}, http.StatusOK)
	place := awaitMessage(guest, anyMessage[*wire.Place])
	require.Equal(t, "moderator", place.Role)
	require.Contains(t, place.Permissions, "control_playback")
	guest.sendAcknowledged(&wire.Pause{Command: guest.newCommand()})
	awaitMessage(host, func(p *wire.People) bool { return len(p.Changed) == 1 && p.Changed[0].Role == "moderator" })

	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	a.callAPI(
		t, "POST", "/rooms/"+room+"/mutes", alice, map[string]any{"username": "bob", "until": until}, http.StatusCreated,
	)
	place = awaitMessage(guest, anyMessage[*wire.Place])
	require.Equal(t, until, place.MutedUntil.UTC())
	require.NotContains(t, place.Permissions, "control_playback")
	require.Equal(t, "muted", guest.sendRefused(&wire.Play{Command: guest.newCommand()}).Code)
}

// TestMuteEnds: the end of a mute by time reaches the person and everybody's list of members, though nothing is
// committed then.
func TestMuteEnds(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob, carol := i.createPerson(t, "alice"), i.createPerson(t, "bob"), i.createPerson(t, "carol")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob, carol)
	a.callAPI(t, "PATCH", "/rooms/"+room, alice, map[string]any{"control": "everyone"}, http.StatusOK)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	isMuted := func(name string) func(*wire.People) bool {
		return func(p *wire.People) bool {
			return slices.ContainsFunc(p.Changed, func(m wire.Member) bool { return m.User.Username == name && m.Muted })
		}
	}
	mute := func(name string, until time.Time) {
		a.callAPI(
			t, "POST", "/rooms/"+room+"/mutes", alice, map[string]any{"username": name, "until": until}, http.StatusCreated,
		)
	}
	for _, name := range []string{"bob", "carol"} { // carol is not connected
		mute(name, time.Now().Add(time.Hour))
		awaitMessage(host, isMuted(name))
	}
	awaitMessage(guest, func(p *wire.Place) bool { return p.MutedUntil != nil })
	for _, name := range []string{"bob", "carol"} {
		mute(name, time.Now().Add(3*time.Second))
	}
	speak := map[string]bool{}
	awaitMessage(host, func(p *wire.People) bool { // one message, or two
		for _, m := range p.Changed {
			speak[m.User.Username] = !m.Muted
		}
		return speak["bob"] && speak["carol"]
	})
	place := awaitMessage(guest, func(p *wire.Place) bool { return p.MutedUntil == nil })
	require.Contains(t, place.Permissions, "control_playback")
	guest.sendAcknowledged(&wire.Pause{Command: wire.Command{ID: uuid.NewString(), Epoch: host.state.Epoch}})
}

// TestSettings: changes of the room's settings reach everybody, with what they mean for each.
func TestSettings(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	a.joinRoom(t, room, bob)
	guest := b.connectLive(t, room, bob)
	a.callAPI(t, "PATCH", "/rooms/"+room, alice, map[string]any{"name": "Tonight", "slow_mode_seconds": 5}, http.StatusOK)
	settings := awaitMessage(guest, anyMessage[*wire.Room])
	require.Equal(t, wire.Room{Name: "Tonight", Control: "moderators", Queue: "everyone", QueueOrder: "manual",
		WaitPolicy: "auto", SlowModeSeconds: 5}, *settings)
}

// TestKickDuringSignIn: a person who is kicked during the sign-in is either refused or disconnected, and never stays
// connected.
func TestKickDuringSignIn(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, withLimits(onlyHints))
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	for range 20 {
		n.joinRoom(t, room, bob)
		var (
			wg  sync.WaitGroup
			c   *client.Client
			err error
		)
		wg.Go(func() {
			c, err = client.Connect(t.Context(), client.Options{API: n.api, RoomID: room, Token: bob.token})
		})
		n.callAPI(t, "DELETE", "/rooms/"+room+"/participants/bob", alice, nil, http.StatusNoContent)
		wg.Wait()
		if err == nil {
			w := &watcher{Client: c, t: t}
			w.requireClosed(wire.CodeNotParticipant, "not_participant")
			c.Close()
		}
	}
	require.Eventually(t, func() bool { return n.hub.CountRooms() == 0 }, patience, time.Millisecond)
}

// TestRoleDuringSignIn: a role that changes while its person signs in, between the reading of the standing and the
// welcome, arrives.
func TestRoleDuringSignIn(t *testing.T) {
	t.Parallel()
	i, n, _ := behindPath(t, badnet.Quality{Base: 10 * time.Millisecond}, onlyHints)
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	for range 3 {
		room := i.nodes[0].createRoom(t, alice, nil) // which n has to load
		i.nodes[0].joinRoom(t, room, bob)
		connected := make(chan *watcher, 1)
		go func() {
			c, err := client.Connect(t.Context(), client.Options{API: n.api, RoomID: room, Token: bob.token})
			assert.NoError(t, err)
			connected <- &watcher{Client: c, t: t}
		}()
		require.Eventually(t, func() bool {
			var admitted bool
			err := i.store.DB().NewRaw("SELECT EXISTS (SELECT FROM live_members WHERE room_id = ?)", room).
				Scan(t.Context(), &admitted)
			return err == nil && admitted
		}, patience, time.Millisecond)
		i.nodes[0].callAPI(t, "PATCH", "/rooms/"+room+"/participants/bob", alice, map[string]any{"role": "moderator"},
			http.StatusOK)
		w := <-connected
		if w.Welcome.Place.Role != "moderator" {
			awaitMessage(w, func(p *wire.Place) bool { return p.Role == "moderator" })
		}
		w.Close()
	}
}

// TestStrangers: sign-ins that are refused, with their close codes.
func TestStrangers(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	open := n.createRoom(t, alice, nil)
	closed := n.createRoom(t, alice, map[string]any{"visibility": "private"})
	gone := n.createRoom(t, alice, nil)
	n.callAPI(t, "DELETE", "/rooms/"+gone, alice, nil, http.StatusNoContent)
	archived := n.createRoom(t, alice, nil)
	n.callAPI(t, "PATCH", "/rooms/"+archived, alice, map[string]any{"state": "archived"}, http.StatusOK)
	ended := i.createPerson(t, "carol")
	n.callAPI(t, "DELETE", "/users/me/sessions/"+ended.session, ended, nil, http.StatusNoContent)
	for name, c := range map[string]struct {
		room, token string
		code        wire.Code
	}{
		"has not joined":            {open, bob.token, wire.CodeNotParticipant},
		"private room of others":    {closed, bob.token, wire.CodeNotFound},
		"room that is gone":         {gone, bob.token, wire.CodeNotFound},
		"room that never was":       {"01890000-0000-7000-8000-00000000dead", bob.token, wire.CodeNotFound},
		"archived room":             {archived, alice.token, wire.CodeArchived},
		"no token":                  {open, "nonsense", wire.CodeUnauthenticated},
		"expired token":             {open, i.issueToken(t, alice, -time.Second), wire.CodeUnauthenticated},
		"token of an ended sign-in": {open, ended.token, wire.CodeUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, n, client.Options{RoomID: c.room, Token: c.token}, c.code)
		})
	}
	require.Eventually(t, func() bool { return n.hub.CountRooms() == 0 }, patience, time.Millisecond,
		"nothing is left of them")
}
