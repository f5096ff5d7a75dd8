package store

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// newPartyIn is a party that starts after a time.
func newPartyIn(after time.Duration) watchparty.NewParty {
	n := watchparty.NewParty{Title: "Second part", StartsAt: Now().Add(after), TimeZone: "Europe/Berlin"}
	n.Normalise()
	return n
}

// scheduleParty has the host schedule a party in two hours.
func (c *cast) scheduleParty() watchparty.Party {
	c.t.Helper()
	party, err := c.s.ScheduleParty(c.t.Context(), c.room.ID, c.boss.ID, newPartyIn(2*time.Hour), IdempotencyKey{})
	require.NoError(c.t, err)
	return party
}
