package live_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/live"
	"github.com/watchparty/watchparty/live/wire"
)

// TestPartyStartsEverywhere: people on two processes hear of the start before it comes, and the room plays from that
// instant to the microsecond. Whoever comes later is told the same. There is no Temporal here.
func TestPartyStartsEverywhere(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(func(l *live.TestLimits) {
		l.Sweep = 50 * time.Millisecond // it arms at once
	}))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob, carol := i.createPerson(t, "alice"), i.createPerson(t, "bob"), i.createPerson(t, "carol")
	room := a.createRoom(t, alice, nil)
	a.callAPI(t, "PATCH", "/rooms/"+room, alice, map[string]any{"wait_policy": "nobody"}, http.StatusOK)
	b.joinRoom(t, room, bob)
	b.joinRoom(t, room, carol)
	a.callAPI(t, "POST", "/rooms/"+room+"/queue", alice,
		map[string]any{"stream_url": "https://videos.example/movie.webm"}, http.StatusCreated)
	party := a.callAPI(t, "POST", "/rooms/"+room+"/parties", alice, map[string]any{
		"starts_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "time_zone": "UTC",
	}, http.StatusCreated)
	host, guest := a.connectLive(t, room, alice), b.connectLive(t, room, bob)
	i.execSQL(t,
		"UPDATE parties SET starts_at = date_trunc('milliseconds', clock_timestamp()) + interval '5 s' WHERE id = ?",
		party["id"])
	var starts float64
	for _, c := range []*watcher{host, guest} {
		armed := c.awaitState(func(s wire.State) bool { return s.StartsAtMS != nil })
		require.Equal(t, []any{"paused", wire.Nullable("scheduled")}, []any{armed.State, armed.Cause})
		starts = *armed.StartsAtMS
	}
	for _, c := range []*watcher{host, guest} {
		playing := c.awaitState(hasStatus("playing"))
		require.EqualValues(t, "started", playing.Cause)
		require.InDelta(t, starts, playing.AtMS, 0)
		require.Zero(t, playing.PositionMS)
	}
	late := b.connectLive(t, room, carol)
	require.InDelta(t, starts, late.Welcome.State.AtMS, 0)
}

// TestPartiesChange: whoever is connected, to whichever process, hears at once that a party was scheduled, changed or
// cancelled.
func TestPartiesChange(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes, withLimits(onlyHints))
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	b.joinRoom(t, room, bob)
	guest := b.connectLive(t, room, bob)
	require.Zero(t, guest.Welcome.Room.PartiesMS)
	party := a.callAPI(t, "POST", "/rooms/"+room+"/parties", alice, map[string]any{
		"starts_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "time_zone": "UTC",
	}, http.StatusCreated)
	scheduled := awaitMessage(guest, anyMessage[*wire.Room]).PartiesMS
	require.NotZero(t, scheduled)
	path := "/parties/" + party["id"].(string)
	a.callAPI(t, "PATCH", path, alice, map[string]any{"title": "Tonight"}, http.StatusOK)
	changed := awaitMessage(guest, anyMessage[*wire.Room]).PartiesMS
	require.Greater(t, changed, scheduled)
	a.callAPI(t, "DELETE", path, alice, nil, http.StatusNoContent)
	require.Greater(t, awaitMessage(guest, anyMessage[*wire.Room]).PartiesMS, changed)
}

// TestCancelledPartyStartsNothing: the room that was about to start does not.
func TestCancelledPartyStartsNothing(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, twoNodes)
	a, b := i.nodes[0], i.nodes[1]
	alice, bob := i.createPerson(t, "alice"), i.createPerson(t, "bob")
	room := a.createRoom(t, alice, nil)
	b.joinRoom(t, room, bob)
	a.callAPI(t, "POST", "/rooms/"+room+"/queue", alice,
		map[string]any{"stream_url": "https://videos.example/movie.webm"}, http.StatusCreated)
	party := a.callAPI(t, "POST", "/rooms/"+room+"/parties", alice, map[string]any{
		"starts_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "time_zone": "UTC",
	}, http.StatusCreated)
	guest := b.connectLive(t, room, bob)
	i.execSQL(t, "UPDATE parties SET starts_at = clock_timestamp() + interval '1 minute' WHERE id = ?", party["id"])
	guest.awaitState(func(s wire.State) bool { return s.StartsAtMS != nil })
	a.callAPI(t, "DELETE", "/parties/"+party["id"].(string), alice, nil, http.StatusNoContent)
	rests := guest.awaitState(func(s wire.State) bool { return s.Cause == "unscheduled" })
	require.Nil(t, rests.StartsAtMS)
	require.Equal(t, "paused", rests.State)
}
