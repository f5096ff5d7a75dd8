package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func scheduleIn(t *testing.T, c *cast, after time.Duration) (watchparty.Party, error) {
	t.Helper()
	return c.s.ScheduleParty(t.Context(), c.room.ID, c.boss.ID, newPartyIn(after), IdempotencyKey{})
}

func TestScheduleParty(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	first, err := scheduleIn(t, c, 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, watchparty.PartyScheduled, first.State)
	require.Equal(t, c.room.Name, first.RoomName)
	room, err := s.Room(t.Context(), c.room.ID)
	require.NoError(t, err)
	require.Equal(t, watchparty.NextParty{ID: first.ID, Title: first.Title, StartsAt: first.StartsAt}, room.NextParty)

	for name, test := range map[string]struct {
		after time.Duration
		want  error
	}{
		"too soon":                  {watchparty.MinPartyNotice - time.Minute, watchparty.ErrPartyTime},
		"in the past":               {-time.Hour, watchparty.ErrPartyTime},
		"too far":                   {watchparty.MaxPartyNotice + time.Minute, watchparty.ErrPartyTime},
		"at the time of another":    {2 * time.Hour, watchparty.ErrPartyClose},
		"just before another":       {2*time.Hour - watchparty.PartyGap + time.Minute, watchparty.ErrPartyClose},
		"just after another":        {2*time.Hour + watchparty.PartyGap - time.Minute, watchparty.ErrPartyClose},
		"long enough after another": {2*time.Hour + watchparty.PartyGap + time.Minute, nil},
		"at the earliest":           {watchparty.MinPartyNotice + time.Minute, nil},
		"at the latest":             {watchparty.MaxPartyNotice - time.Minute, nil},
	} {
		_, err := scheduleIn(t, c, test.after)
		require.ErrorIs(t, err, test.want, name)
	}
	_, err = s.ScheduleParty(t.Context(), c.room.ID, c.guest.ID, newPartyIn(time.Hour), IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrForbidden)
	n := newPartyIn(5 * time.Hour)
	n.MovieID = addMovie(t, s, "Metropolis")
	_, err = s.ScheduleParty(t.Context(), c.room.ID, c.host.ID, n, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrNoStream)
	for n := range watchparty.MaxParties - 4 {
		_, err := scheduleIn(t, c, time.Duration(6+n)*time.Hour)
		require.NoError(t, err)
	}
	_, err = scheduleIn(t, c, 100*time.Hour)
	require.ErrorIs(t, err, watchparty.ErrTooManyParties)
	parties, err := s.Parties(t.Context(), c.room.ID, "")
	require.NoError(t, err)
	require.Len(t, parties, watchparty.MaxParties)
}

// TestSchedulersAtOnce: of those who schedule at one time one succeeds.
func TestSchedulersAtOnce(t *testing.T) {
	t.Parallel()
	c := newCast(t, openStore(t), false)
	n := newPartyIn(3 * time.Hour)
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			by := []watchparty.User{c.host, c.holder, c.deputy}[i%3]
			_, errs[i] = c.s.ScheduleParty(t.Context(), c.room.ID, by.ID, n, IdempotencyKey{})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, watchparty.ErrPartyClose)
	}
	require.Equal(t, 1, won)
}

func TestUpdateParty(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.scheduleParty()
	same, _, err := s.UpdateParty(
		t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{Title: &party.Title}, []int{1},
	)
	require.NoError(t, err)
	require.Equal(t, party, same, "nothing has changed")
	title := "Third part"
	changed, _, err := s.UpdateParty(t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{Title: &title}, []int{1})
	require.NoError(t, err)
	require.Equal(t, []any{title, 2}, []any{changed.Title, changed.Version})
	_, _, err = s.UpdateParty(t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{Title: &title}, []int{1})
	require.ErrorIs(t, err, watchparty.ErrChangedSince)
	soon := Now().Add(time.Minute)
	_, _, err = s.UpdateParty(t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{StartsAt: &soon}, nil)
	require.ErrorIs(t, err, watchparty.ErrPartyTime)
	later := party.StartsAt.Add(time.Minute)
	moved, _, err := s.UpdateParty(t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{StartsAt: &later}, nil)
	require.NoError(t, err, "a party is not too close to itself")
	require.Equal(t, later, moved.StartsAt)
	require.ErrorIs(t, second(s.CancelParty(t.Context(), party.ID, c.guest.ID, nil)), watchparty.ErrForbidden)
	require.NoError(t, second(s.CancelParty(t.Context(), party.ID, c.host.ID, []int{3})))
	require.ErrorIs(t, second(s.CancelParty(t.Context(), party.ID, c.host.ID, nil)), watchparty.ErrPartyEnded)
	_, _, err = s.UpdateParty(t.Context(), party.ID, c.holder.ID, watchparty.PartyChange{Title: &title}, nil)
	require.ErrorIs(t, err, watchparty.ErrPartyEnded)
	require.ErrorIs(t, s.AnswerParty(t.Context(), party.ID, c.guest.ID, watchparty.AnswerYes), watchparty.ErrPartyEnded)
	require.Equal(t, "party_scheduled party_changed party_changed party_cancelled", readValue[string](t, s,
		"SELECT string_agg(action, ' ' ORDER BY id) FROM room_log WHERE room_id = ? AND action LIKE 'party%'", c.room.ID))
}

func TestAnswerParty(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.scheduleParty()
	for _, answer := range []watchparty.PartyAnswer{watchparty.AnswerYes, watchparty.AnswerYes, watchparty.AnswerMaybe} {
		require.NoError(t, s.AnswerParty(t.Context(), party.ID, c.guest.ID, answer))
	}
	require.NoError(t, s.AnswerParty(t.Context(), party.ID, c.host.ID, watchparty.AnswerNo))
	require.ErrorIs(t, s.AnswerParty(t.Context(), party.ID, c.root.ID, watchparty.AnswerYes), watchparty.ErrNotFound,
		"the room is private")
	found, err := s.Party(t.Context(), party.ID, c.guest.ID)
	require.NoError(t, err)
	require.Equal(t, watchparty.AnswerMaybe, found.Answer)
	require.Equal(t, []int{0, 1, 1}, []int{found.Yes, found.Maybe, found.No})
	guests, err := s.PartyGuests(t.Context(), party.ID, "", Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, guests, 2)
	require.Equal(t, []any{c.guest.ID, watchparty.AnswerMaybe}, []any{guests[0].User.ID, guests[0].Answer})
	mine, err := s.MyParties(t.Context(), c.guest.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []watchparty.Party{found}, mine)
	require.NoError(t, s.Kick(t.Context(), c.room.ID, c.host.ID, c.guest.Username))
	found, err = s.Party(t.Context(), party.ID, "")
	require.NoError(t, err)
	require.Zero(t, found.Maybe, "whoever is put out does not come")
	mine, err = s.MyParties(t.Context(), c.guest.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, mine)
}

// TestManyAnswers: a party takes MaxAnswers. Those who have answered can still change their minds.
func TestManyAnswers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.scheduleParty()
	fillParty(t, s, party.ID, watchparty.MaxAnswers-1)
	var wg sync.WaitGroup
	var errs [2]error
	for i, user := range []watchparty.User{c.guest, c.holder} {
		wg.Go(func() { errs[i] = s.AnswerParty(t.Context(), party.ID, user.ID, watchparty.AnswerYes) })
	}
	wg.Wait()
	require.ElementsMatch(t, []bool{true, false},
		[]bool{errors.Is(errs[0], watchparty.ErrTooManyAnswers), errors.Is(errs[1], watchparty.ErrTooManyAnswers)})
	first := c.guest
	if errs[0] != nil {
		first = c.holder
	}
	require.NoError(t, s.AnswerParty(t.Context(), party.ID, first.ID, watchparty.AnswerMaybe))
}

// TestManyMoves: a party that was moved as often as allowed can still be changed in other ways.
func TestManyMoves(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.scheduleParty()
	_, err := s.db.NewRaw("UPDATE parties SET moves = ? WHERE id = ?", watchparty.MaxPartyMoves-1, party.ID).
		Exec(t.Context())
	require.NoError(t, err)
	later := party.StartsAt.Add(time.Hour)
	_, _, err = s.UpdateParty(t.Context(), party.ID, c.host.ID, watchparty.PartyChange{StartsAt: &later}, nil)
	require.NoError(t, err)
	_, _, err = s.UpdateParty(t.Context(), party.ID, c.host.ID, watchparty.PartyChange{StartsAt: &party.StartsAt}, nil)
	require.ErrorIs(t, err, watchparty.ErrTooManyMoves)
	title := "Another title"
	changed, _, err := s.UpdateParty(t.Context(), party.ID, c.host.ID, watchparty.PartyChange{Title: &title}, nil)
	require.NoError(t, err)
	require.Equal(t, title, changed.Title)
	require.True(t, changed.StartsAt.Equal(later))
}

// TestRoomEndsItsParties: whoever archives, closes or deletes a room cancels its parties, of which their workflows are
// told. TestNoDeadlocks checks that for all operations.
func TestRoomEndsItsParties(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, end := range map[string]func(c *cast) error{
		"archived": func(c *cast) error { c.setArchived(true); return nil },
		"deleted":  func(c *cast) error { return s.DeleteRoom(t.Context(), c.room.ID, c.host.ID, nil) },
		"closed": func(c *cast) error {
			return second(s.CloseRoom(t.Context(), c.root.ID, c.room.ID, watchparty.Moderation{Reason: "Spam"}))
		},
		"left by its host's account": func(c *cast) error {
			execute(t, s, "DELETE FROM participants WHERE room_id = ?0; DELETE FROM members WHERE room_id = ?0", c.room.ID)
			return s.DeleteAccount(t.Context(), c.host.ID, "hash of "+c.host.Username)
		},
		"deleted with its hidden host's account": func(c *cast) error {
			execute(t, s, "UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id = ?", c.host.ID)
			return s.DeleteAccount(t.Context(), c.host.ID, "hash of "+c.host.Username)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, s, false)
			party := c.scheduleParty()
			require.NoError(t, end(c))
			require.Equal(t, "cancelled 2", readValue[string](t, s, "SELECT state || ' ' || version FROM parties WHERE id = ?",
				party.ID))
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM parties WHERE id = ? AND "+untold, party.ID))
		})
	}
}

// TestRoomThatBecomesPrivate: the answers of people who may not know of the room any more are gone, those of the others
// stay.
func TestRoomThatBecomesPrivate(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	c.setVisibility(watchparty.Public)
	party := c.scheduleParty()
	outside, left := newUser(t, s, "outside"), newUser(t, s, "left")
	joinRoom(t, s, c.room, left)
	require.NoError(t, s.LeaveRoom(t.Context(), c.room.ID, left.ID))
	for _, user := range []watchparty.User{c.host, c.holder, c.guest, outside, left} {
		require.NoError(t, s.AnswerParty(t.Context(), party.ID, user.ID, watchparty.AnswerYes))
	}
	c.setVisibility(watchparty.Unlisted)
	found, err := s.Party(t.Context(), party.ID, "")
	require.NoError(t, err)
	require.Equal(t, 5, found.Yes, "whoever has the address may come")
	theirs, err := s.MyParties(t.Context(), outside.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, theirs, 1, "who has answered need not be in the room")
	c.setVisibility(watchparty.Private)
	found, err = s.Party(t.Context(), party.ID, "")
	require.NoError(t, err)
	require.Equal(t, 3, found.Yes)
	guests, err := s.PartyGuests(t.Context(), party.ID, "", Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{c.host.ID, c.holder.ID, c.guest.ID},
		mapRows(guests, func(g watchparty.PartyGuest) string { return g.User.ID }))
	require.ErrorIs(t, s.AnswerParty(t.Context(), party.ID, outside.ID, watchparty.AnswerYes), watchparty.ErrNotFound)
	theirs, err = s.MyParties(t.Context(), outside.ID, Page{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, theirs)
}

// TestAnswersWhileRoomBecomesPrivate: an answer of somebody outside either came before, and is gone, or is refused.
func TestAnswersWhileRoomBecomesPrivate(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	private := watchparty.Private
	for range 5 {
		c := newCast(t, s, false)
		c.setVisibility(watchparty.Public)
		party := c.scheduleParty()
		var answered, changed error
		var wg sync.WaitGroup
		wg.Go(func() { answered = s.AnswerParty(t.Context(), party.ID, c.root.ID, watchparty.AnswerYes) })
		wg.Go(func() {
			changed = second(s.UpdateRoom(t.Context(), c.room.ID, c.host.ID,
				watchparty.RoomChange{Visibility: &private}, nil))
		})
		wg.Wait()
		require.NoError(t, changed)
		if answered != nil {
			require.ErrorIs(t, answered, watchparty.ErrNotFound)
		}
		require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM party_answers WHERE party_id = ?", party.ID))
	}
}

// TestAnswersWhileCancelled: an answer either came before the cancelling, or is refused.
func TestAnswersWhileCancelled(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for range 5 {
		c := newCast(t, s, false)
		party := c.scheduleParty()
		var answered, cancelled error
		var wg sync.WaitGroup
		wg.Go(func() { answered = s.AnswerParty(t.Context(), party.ID, c.guest.ID, watchparty.AnswerYes) })
		wg.Go(func() { cancelled = second(s.CancelParty(t.Context(), party.ID, c.host.ID, nil)) })
		wg.Wait()
		require.NoError(t, cancelled)
		if answered != nil {
			require.True(t, errors.Is(answered, watchparty.ErrPartyEnded), "%v", answered)
		}
		require.Equal(
			t,
			answered == nil,
			readValue[bool](t, s, "SELECT EXISTS (SELECT FROM party_answers WHERE party_id = ?)",
				party.ID),
		)
	}
}
