package store

import (
	"sync/atomic"
	"testing"
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

// parties counts those that casts have scheduled, each an hour after the one before.
var parties atomic.Int64

// scheduleParty has the boss schedule a party in two hours or later.
func (c *cast) scheduleParty() watchparty.Party {
	c.t.Helper()
	after := time.Duration(2+parties.Add(1)) * time.Hour
	party, err := c.s.ScheduleParty(c.t.Context(), c.room.ID, c.boss.ID, newPartyIn(after), IdempotencyKey{})
	require.NoError(c.t, err)
	return party
}

// dueParty is a party that has an address to play and starts in a minute. The holder and the guest come.
func (c *cast) dueParty() watchparty.Party {
	c.t.Helper()
	party := c.scheduleParty()
	for _, user := range []watchparty.User{c.holder, c.guest} {
		require.NoError(c.t, c.s.AnswerParty(c.t.Context(), party.ID, user.ID, watchparty.AnswerYes))
	}
	if readValue[int](c.t, c.s, "SELECT count(*) FROM queue_items WHERE room_id = ?", c.room.ID) == 0 {
		c.addItem()
	}
	return c.startIn(party, time.Minute)
}

// startIn moves a party behind the store's back, which would not have it so soon.
func (c *cast) startIn(party watchparty.Party, after time.Duration) watchparty.Party {
	c.t.Helper()
	execute(
		c.t,
		c.s,
		"UPDATE parties SET starts_at = date_trunc('milliseconds', clock_timestamp()) + ? * interval '1 ms' "+
			"WHERE id = ?",
		after.Milliseconds(),
		party.ID,
	)
	found, err := c.s.Party(c.t.Context(), party.ID, "")
	require.NoError(c.t, err)
	return found
}

// fillParty has n people answer a party behind the store's back.
func fillParty(t testing.TB, s *Store, partyID string, n int) {
	t.Helper()
	execute(t, s, `
		WITH people AS (INSERT INTO users (id, username, email, email_key, display_name, password_hash)
			SELECT gen_random_uuid(), 'many' || n, n || '@many.example', n || '@many.example', 'Many', ''
			FROM generate_series(1, ?1) AS n RETURNING id)
		INSERT INTO party_answers (party_id, room_id, user_id, answer)
			SELECT y.id, y.room_id, p.id, 'no' FROM parties AS y, people AS p WHERE y.id = ?0`, partyID, n)
}

// untold is the condition of a party in parties that was cancelled, and whose workflow gets no signal.
const untold = `state = 'cancelled'
	AND NOT EXISTS (SELECT FROM outbox WHERE workflow_id = 'scheduled-party/' || parties.id
		AND signal = 'changed/' || moves)`

func (c *cast) moves(party watchparty.Party) int {
	return readValue[int](c.t, c.s, "SELECT moves FROM parties WHERE id = ?", party.ID)
}
