package live_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/badnet"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/client"
	"github.com/watchparty/watchparty/live/wire"
)

// behindProxy is a server whose way to Postgres can be cut.
func behindProxy(t *testing.T, tighten func(*live.TestLimits)) (i *installation, n *node, database *badnet.Path) {
	t.Helper()
	return behindPath(t, badnet.Quality{}, tighten)
}

// behindPath is behindProxy with a network of that quality.
func behindPath(
	t *testing.T, quality badnet.Quality, tighten func(*live.TestLimits),
) (i *installation, n *node, database *badnet.Path) {
	t.Helper()
	i = newInstallation(t)
	direct := i.cfg.Database.URL
	database, i.cfg.Database.URL = startProxyWith(t, direct, quality)
	n = i.start(t, tighten)
	i.cfg.Database.URL = direct
	require.Eventually(t, n.bus.Healthy, patience, time.Millisecond)
	return i, n, database
}

// losses are ways to lose the database, and to get it back.
var losses = map[string]func(*badnet.Path) (restore func()){
	"it refuses connections": (*badnet.Path).Cut,
	"it says nothing":        (*badnet.Path).Hold,
}

// TestPostgresAway: people stay connected and are told; commands and newcomers are refused; nothing is pushed, since
// nobody knows who may still see it. When Postgres is back, everybody gets what they have missed.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireReturn(t, lose)
		})
	}
}

func requireReturn(t *testing.T, lose func(*badnet.Path) (restore func())) {
	t.Helper()
	i, n, database := behindProxy(t, func(l *live.TestLimits) { l.Degraded, l.Statement = time.Second, time.Second })
	other := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := other.createRoom(t, alice, nil)
	other.joinRoom(t, room, bob)
	host, guest := other.connectLive(t, room, alice), n.connectLive(t, room, bob)
	loadAndPlay(host, guest)
	i.execSQL(t, "UPDATE rooms SET control = 'everyone' WHERE id = ?", room)

	restore := lose(database)
	awaitMessage(guest, func(d *wire.Degraded) bool { return d.Degraded })
	require.Equal(t, "unavailable", guest.sendRefused(&wire.Pause{Command: guest.newCommand()}).Code)
	requireRefused(t, n, client.Options{RoomID: room, Token: bob.token}, wire.CodeUnavailable)
	guest.send(&wire.Clock{C0: 1})
	awaitMessage(guest, anyMessage[*wire.ClockReply])
	host.sendAcknowledged(&wire.Seek{Command: host.newCommand(), PositionMS: 90000}) // the other server goes on
	other.callAPI(t, "POST", "/chat/messages", alice, map[string]any{"room_id": room, "body": "missed"},
		http.StatusCreated)
	silent := time.After(time.Second)
	for waiting := true; waiting; {
		select {
		case m := <-guest.Messages():
			require.NotContains(t, []string{"state", "message"}, m.Type())
		case <-silent:
			waiting = false
		}
	}

	restore()
	awaitMessage(guest, func(d *wire.Degraded) bool { return !d.Degraded })
	missed, sought := false, false
	awaitMessage(guest, func(m wire.ServerMessage) bool {
		if said, ok := m.(*wire.MessageEvent); ok && said.Message.Body == "missed" {
			missed = true
		}
		if s, ok := m.(*wire.State); ok && s.PositionMS >= 90000 {
			sought = true
		}
		return missed && sought
	})
	guest.sendAcknowledged(&wire.Pause{Command: guest.newCommand()})
}

// TestPutOutWhilePostgresWasAway: a person who loses access during an outage of Postgres is disconnected soon after it.
func TestPutOutWhilePostgresWasAway(t *testing.T) {
	t.Parallel()
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requirePutOut(t, lose)
		})
	}
}

func requirePutOut(t *testing.T, lose func(*badnet.Path) (restore func())) {
	t.Helper()
	i, n, database := behindProxy(t, func(l *live.TestLimits) { l.Degraded, l.Statement = time.Second, time.Second })
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := i.nodes[0].createRoom(t, alice, nil)
	i.nodes[0].joinRoom(t, room, bob)
	guest := n.connectLive(t, room, bob)
	restore := lose(database)
	awaitMessage(guest, func(d *wire.Degraded) bool { return d.Degraded })
	require.NoError(t, i.store.Kick(t.Context(), room, alice.id, "bob")) // without a hint, which might be read first
	restore()
	for m := range guest.Messages() {
		back, ok := m.(*wire.Degraded)
		require.False(t, ok && !back.Degraded, "before anything else is sent")
	}
	guest.requireClosed(wire.CodeNotParticipant, "not_participant")
}

// TestMembersAreRestored: others have removed the connections of a server that looked dead, and was not.
func TestMembersAreRestored(t *testing.T) {
	t.Parallel()
	const lease = 300 * time.Millisecond
	i, n, database := behindProxy(t, func(l *live.TestLimits) { l.Lease, l.Statement = lease, time.Second })
	alice := i.createPerson(t, "alice")
	room := i.nodes[0].createRoom(t, alice, nil)
	guest := n.connectLive(t, room, alice)
	guest.send(&wire.Status{Blocked: true, Watching: true, WaitForMe: true})
	requireCounted(t, i, n, false)
	restore := database.Cut()
	i.execSQL(t, "DELETE FROM live_nodes WHERE id = ?", n.hub.Node())
	require.Eventually(t, func() bool { return n.hub.SinceRenewal() > 2*lease }, patience, time.Millisecond)
	restore()
	requireCounted(t, i, n, false)
}

// requireCounted waits until the room waits, or does not wait, for the only connection of a server.
func requireCounted(t *testing.T, i *installation, n *node, want bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		var counted bool
		err := i.store.DB().NewRaw("SELECT counted FROM live_members WHERE node_id = ?", n.hub.Node()).
			Scan(t.Context(), &counted)
		return err == nil && counted == want
	}, patience, 10*time.Millisecond)
}

// TestReportsOutliveAnOutage: clients report changes only, so a report that could not be stored is stored later.
func TestReportsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	i, n, database := behindProxy(t, func(l *live.TestLimits) { l.Statement = time.Second })
	alice := i.createPerson(t, "alice")
	room := i.nodes[0].createRoom(t, alice, nil)
	guest := n.connectLive(t, room, alice)
	requireCounted(t, i, n, true)
	restore := database.Cut()
	guest.send(&wire.Status{Blocked: true, Watching: true, WaitForMe: true})
	require.Eventually(
		t, func() bool { return strings.Contains(n.logs.String(), "storing reports") }, patience, time.Millisecond,
	)
	restore()
	requireCounted(t, i, n, false)
}

// TestReportsThatFail: a report that can never be stored is dropped, and holds up no later report of the room.
func TestReportsThatFail(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	n := i.nodes[0]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := n.createRoom(t, alice, nil)
	n.joinRoom(t, room, bob)
	first, second := n.connectLive(t, room, alice), n.connectLive(t, room, bob)
	i.execSQL(t, "ALTER TABLE live_members ADD CONSTRAINT never_stored CHECK (rtt_ms <> 7777)")
	first.send(&wire.Status{Blocked: true, Watching: true, WaitForMe: true, RTTMS: 7777})
	require.Eventually(
		t, func() bool { return strings.Contains(n.logs.String(), "storing reports") }, patience, time.Millisecond,
	)
	second.send(&wire.Status{Blocked: true, Watching: true, WaitForMe: true})
	requireCountedOf(t, i, bob, false)
	first.send(&wire.Status{Watching: true, WaitForMe: true, RTTMS: 10})
	first.send(&wire.Status{Blocked: true, Watching: true, WaitForMe: true, RTTMS: 10})
	requireCountedOf(t, i, alice, false)
}

// requireCountedOf waits until the room waits, or does not wait, for the only connection of a person.
func requireCountedOf(t *testing.T, i *installation, p person, want bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		var counted bool
		err := i.store.DB().NewRaw("SELECT counted FROM live_members WHERE user_id = ?", p.id).Scan(t.Context(), &counted)
		return err == nil && counted == want
	}, patience, 10*time.Millisecond)
}

// TestNodeKilled: the clients of a dead server find the room unchanged on another one, and other clients are not
// affected.
func TestNodeKilled(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	survivor := i.nodes[0]
	direct := i.cfg
	database, redis := (*badnet.Path)(nil), (*badnet.Path)(nil)
	database, i.cfg.Database.URL = startProxy(t, direct.Database.URL)
	redis, i.cfg.Redis.URL = startProxy(t, stacktest.RedisURL())
	killed := i.start(t, func(l *live.TestLimits) { l.Statement = time.Second })
	i.cfg = direct
	require.Eventually(t, killed.bus.Healthy, patience, time.Millisecond)
	clients, api := startProxy(t, killed.api)
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := survivor.createRoom(t, alice, nil)
	survivor.joinRoom(t, room, bob)
	host := survivor.connectLive(t, room, alice)
	guest := (&node{api: api}).connectLive(t, room, bob)
	loadAndPlay(host, guest)
	revision := host.state.Revision

	for _, p := range []*badnet.Path{clients, database, redis} {
		p.Cut()
	}
	<-guest.Ended()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again, err := client.Connect(ctx, client.Options{
		API: survivor.api, RoomID: room, Token: bob.token, Resume: guest.Welcome.Connection,
	})
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, revision, again.Welcome.State.Revision)
	require.Equal(t, "playing", again.Welcome.State.State)
	// The one that died is counted no longer when its lease has ended.
	require.Eventually(t, func() bool {
		var counted int
		err := i.store.DB().NewRaw("SELECT count(*) FROM live_members AS m JOIN live_nodes AS n ON n.id = m.node_id "+
			"AND n.lease_until > clock_timestamp() WHERE room_id = ?", room).Scan(t.Context(), &counted)
		return err == nil && counted == 2
	}, patience, 10*time.Millisecond)
	host.send(&wire.Clock{C0: 1})
	awaitMessage(host, func(m wire.ServerMessage) bool {
		state, changed := m.(*wire.State)
		require.False(t, changed && state.Revision > revision, "others see no change")
		return m.Type() == "clock"
	})
}
