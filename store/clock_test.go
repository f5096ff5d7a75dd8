package store

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestClockIsPostgres: stored times and new IDs have Postgres' time, however wrong the process's clock is.
func TestClockIsPostgres(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	near := func(got time.Time, what string) {
		var postgres time.Time
		require.NoError(t, s.db.NewRaw("SELECT clock_timestamp()").Scan(t.Context(), &postgres))
		require.WithinDuration(t, postgres, got, 30*time.Second, what)
	}
	near(Now(), "now")
	near(ada.CreatedAt, "stored")
	seconds, nanoseconds := uuid.MustParse(ada.ID).Time().UnixTime()
	near(time.Unix(seconds, nanoseconds), "of an ID")
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = newID()
	}
	require.IsIncreasing(t, ids)
}

// TestClockIsSet: a clock that is wrong is set right, and one that is a little off is left.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	connector, err := newConnector(config.Database{URL: stacktest.DatabaseURL(t), StatementTimeout: time.Minute})
	require.NoError(t, err)
	conn, err := connector.Connect(t.Context())
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // nothing was written
	for _, test := range []struct{ skew, ahead, want time.Duration }{
		{0, 0, 0}, {20 * time.Minute, 0, -20 * time.Minute}, {-20 * time.Minute, 0, 20 * time.Minute},
		{0, 10 * time.Second, 0}, {0, clockTolerance / 4, clockTolerance / 4},
	} {
		c := &setClock{skew: test.skew}
		c.ahead.Store(int64(test.ahead))
		require.Eventually(t, func() bool { // an answer that takes long does not count
			require.NoError(t, c.compare(t.Context(), conn.(*pgdriver.Conn)))
			return (time.Duration(c.ahead.Load()) - test.want).Abs() < clockTolerance
		}, time.Minute, time.Millisecond)
	}
}

// TestSlowComparison: a comparison that took long sets the clock only if the clock is wrong by more than the comparison
// may be. Otherwise a busy machine would set a clock that is right, and set it back.
func TestSlowComparison(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ found, took, want time.Duration }{
		{300 * time.Millisecond, time.Millisecond, 300 * time.Millisecond},
		{300 * time.Millisecond, 600 * time.Millisecond, 0},
		{-300 * time.Millisecond, 600 * time.Millisecond, 0},
		{20 * time.Minute, 600 * time.Millisecond, 20 * time.Minute},
	} {
		var c setClock
		c.set(test.found, test.took)
		require.Equal(t, test.want, time.Duration(c.ahead.Load()), test)
	}
}

// TestHostOfSkewedProcess: a host who was just seen keeps the room, whatever the process's clock says.
func TestHostOfSkewedProcess(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, guest := newUser(t, s, "host"), newUser(t, s, "guest")
	room := newRoom(t, s, host, nil)
	joinRoom(t, s, room, host)
	joinRoom(t, s, room, guest)
	passedOn, err := s.Heartbeat(t.Context(), room.ID, guest.ID, 2*time.Minute)
	require.NoError(t, err)
	require.False(t, passedOn)
	participants, err := s.Participants(t.Context(), room.ID)
	require.NoError(t, err)
	for _, p := range participants {
		require.True(t, p.Present(Now()))
	}
}
