package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRoomWaitsForDryPlayer: a player that has no data for longer than two seconds stops the room, which says for whom
// it waits, and goes on as soon as there are data again, not when the wait is over.
func TestRoomWaitsForDryPlayer(t *testing.T) {
	t.Parallel()
	s := startWatchSystem(t)
	alice, bob := s.openBrowser(t, 0), s.openBrowser(t, 1)
	link := alice.playsMovieNight(t)
	bob.goTo(t, link)
	bob.press(t, "Bob")
	bob.requireShows(t, "Rocket to the Moon")
	bob.record(t)
	alice.seek(t, 1) // the movie lasts for a minute
	requireTogether(t, alice, bob, "before the wait")
	eventually(t, func(c *assert.CollectT) {
		var counted int
		assert.NoError(c, s.store.DB().NewRaw("SELECT count(*) FROM live_members WHERE ready_cue > 0 "+
			"AND since < now() - interval '10 seconds'").Scan(t.Context(), &counted))
		require.Equal(c, 2, counted)
	}, "the room would wait for both")

	bob.requireEvaluates(t, `(Object.defineProperty(document.querySelector('video'), 'readyState',
		{ configurable: true, get: () => HTMLMediaElement.HAVE_METADATA }), '')`, "")
	alice.requireShows(t, "Waiting for Bob")
	status, cause := s.readStatus(t)
	require.Equal(t, []string{"waiting", "rebuffer"}, []string{status, cause})
	_, err := s.store.DB().NewRaw("UPDATE playbacks SET wait_until = clock_timestamp() + interval '10 minutes', " +
		"revision = revision + 1 WHERE state = 'waiting'").Exec(t.Context())
	require.NoError(t, err)
	alice.accessible(t, readAxe(t), "waiting")
	alice.requireShows(t, "Waiting for Bob")
	bob.requireEvaluates(t, `(delete document.querySelector('video').readyState, '')`, "")
	eventually(t, func(c *assert.CollectT) {
		status, cause := s.readStatus(c)
		require.Equal(c, []string{"playing", "ready"}, []string{status, cause})
	}, "the room goes on because Bob is ready")
	requireTogether(t, alice, bob, "after the wait")
	alice.requireNoComplaints(t)
	bob.requireNoComplaints(t)
}
