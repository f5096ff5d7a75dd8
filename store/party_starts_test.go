package store

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/workflows/job"
)

// advance has the store do what is due for a party.
func (c *cast) advance(party watchparty.Party) (PlaybackAnswer, bool) {
	c.t.Helper()
	answer, done, err := c.s.AdvanceParty(c.t.Context(), party.ID)
	require.NoError(c.t, err)
	return answer, done
}

func (c *cast) sweepUntil(state watchparty.PartyState, party watchparty.Party) playback.Snapshot {
	c.t.Helper()
	require.EventuallyWithT(c.t, func(t *assert.CollectT) {
		_, err := c.s.SweepParties(c.t.Context(), 10)
		require.NoError(t, err)
		_, err = c.s.SweepPlaybacks(c.t.Context(), 10)
		require.NoError(t, err)
		found, err := c.s.Party(c.t.Context(), party.ID, "")
		require.NoError(t, err)
		require.Equal(t, state, found.State)
	}, patience, 5*time.Millisecond)
	now, err := c.s.Playback(c.t.Context(), c.room.ID)
	require.NoError(c.t, err)
	return now
}

// TestPartyStarts: a party is armed before its start, and starts at its instant to the microsecond, whoever notices.
func TestPartyStarts(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.dueParty()
	armed, done := c.advance(party)
	require.True(t, done)
	require.Equal(t, []any{playback.Paused, playback.CauseScheduled, party.StartsAt},
		[]any{armed.Status, armed.Cause, armed.StartsAt})
	_, done = c.advance(party)
	require.False(t, done, "it is armed")
	_, err := c.disarmAll()
	require.NoError(t, err)

	party = c.startIn(party, 3*time.Second)
	armed, done = c.advance(party)
	require.True(t, done)
	require.Equal(t, party.StartsAt, armed.StartsAt)
	now := c.sweepUntil(watchparty.PartyStarted, party)
	require.Equal(t, []any{playback.Playing, playback.CauseStarted, party.StartsAt, int64(0)},
		[]any{now.Status, now.Cause, now.At, now.PositionMS})
	room, err := s.Room(t.Context(), c.room.ID)
	require.NoError(t, err)
	require.Zero(t, room.NextParty)
	_, err = s.CancelParty(t.Context(), party.ID, c.host.ID, nil)
	require.ErrorIs(t, err, watchparty.ErrPartyEnded)
}

// disarmAll makes rooms forget what they wait for, as if another process had.
func (c *cast) disarmAll() (int64, error) {
	result, err := c.s.db.NewRaw("UPDATE playbacks SET starts_at = NULL, revision = revision + 1 WHERE room_id = ?", c.room.ID).
		Exec(c.t.Context())
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// TestPartyThatNobodyArmed: the row decides. It starts late, and is where it would be.
func TestPartyThatNobodyArmed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.startIn(c.dueParty(), -20*time.Second)
	answer, done := c.advance(party)
	require.True(t, done)
	require.Equal(t, []any{playback.Playing, party.StartsAt}, []any{answer.Status, answer.At})
	require.InDelta(t, 20_000, answer.Position(answer.Now), 5_000)

	t.Run("whose movie takes the place of another one", func(t *testing.T) {
		c := newCast(t, s, false)
		c.loadItem()
		movie := addStreamedMovie(t, s, "Movie of "+c.room.ID)
		party := c.dueParty()
		execute(t, s, "UPDATE parties SET movie_id = ? WHERE id = ?", movie, party.ID)
		_, done := c.advance(party)
		require.False(t, done, "until the start people watch what they watch")
		party = c.startIn(party, -time.Second)
		answer, done := c.advance(party)
		require.True(t, done)
		require.Equal(t, []any{movie, party.StartsAt, playback.Playing},
			[]any{answer.Source.MovieID, answer.At, answer.Status})
	})
	t.Run("without anything to play is missed", func(t *testing.T) {
		c := newCast(t, s, false)
		party := c.startIn(c.scheduleParty(), -time.Second)
		_, done := c.advance(party)
		require.False(t, done)
		c.startIn(party, -watchparty.PartyLate-time.Second)
		endOverdue(t, s)
		found, err := s.Party(t.Context(), party.ID, "")
		require.NoError(t, err)
		require.Equal(t, watchparty.PartyMissed, found.State)
	})
	t.Run("that is long past stays", func(t *testing.T) {
		c := newCast(t, s, false)
		_, done := c.advance(c.startIn(c.dueParty(), -watchparty.PartyLate-time.Second))
		require.False(t, done)
	})
	t.Run("of a hidden room stays", func(t *testing.T) {
		c := newCast(t, s, false)
		party := c.startIn(c.dueParty(), -time.Second)
		execute(t, s, "UPDATE users SET suspended_at = now(), hidden_at = now() WHERE id = ?", c.host.ID)
		_, done := c.advance(party)
		require.False(t, done)
	})
}

// TestPartiesThatCannotStart keep no other party from its start, however many they are.
func TestPartiesThatCannotStart(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	movie := addMovie(t, s, "Without a stream")
	for _, movieID := range []*string{nil, &movie} {
		c := newCast(t, s, false)
		party := c.startIn(c.scheduleParty(), -time.Minute)
		execute(t, s, "UPDATE parties SET movie_id = ? WHERE id = ?", movieID, party.ID)
		if movieID != nil {
			c.addItem() // another party would play this
		}
	}
	streamed := addStreamedMovie(t, s, "With a stream")
	for name, provide := range map[string]func(c *cast, party watchparty.Party){
		"the queue":         func(c *cast, _ watchparty.Party) { c.addItem() },
		"what is loaded":    func(c *cast, _ watchparty.Party) { c.loadItem() },
		"the room's movie":  func(c *cast, _ watchparty.Party) { c.changeRoom(watchparty.RoomChange{MovieID: &streamed}) },
		"the party's movie": func(c *cast, party watchparty.Party) { c.giveMovie(party, streamed) },
		"the party's movie, which was loaded and archived since": func(c *cast, party watchparty.Party) {
			archived := addStreamedMovie(t, s, "To be archived "+c.room.ID)
			c.giveMovie(party, archived)
			c.startIn(party, time.Minute)
			_, done := c.advance(party)
			require.True(t, done)
			_, err := c.disarmAll()
			require.NoError(t, err)
			execute(t, s, "UPDATE movies SET archived_at = now() WHERE id = ?", archived)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, s, false)
			party := c.scheduleParty()
			provide(c, party)
			party = c.startIn(party, -time.Second)
			require.NoError(t, second(s.SweepParties(t.Context(), 1)))
			found, err := s.Party(t.Context(), party.ID, "")
			require.NoError(t, err)
			require.Equal(t, watchparty.PartyStarted, found.State)
		})
	}
}

func (c *cast) giveMovie(party watchparty.Party, movieID string) {
	c.t.Helper()
	_, _, err := c.s.UpdateParty(c.t.Context(), party.ID, c.boss.ID, watchparty.PartyChange{MovieID: &movieID}, nil)
	require.NoError(c.t, err)
}

// TestPartyThatFails keeps no other party from its start.
func TestPartyThatFails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	first, second := newCast(t, s, false), newCast(t, s, false)
	fails, party := first.startIn(first.dueParty(), -time.Minute), second.startIn(second.dueParty(), -time.Second)
	execute(t, s, "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'")
	execute(t, s, "CREATE TRIGGER fail BEFORE UPDATE ON playbacks FOR EACH ROW WHEN (NEW.room_id = '"+fails.RoomID+
		"') EXECUTE FUNCTION fail()")
	changed, err := s.SweepParties(t.Context(), 10)
	require.Error(t, err)
	require.Len(t, changed, 1)
	found, err := s.Party(t.Context(), party.ID, "")
	require.NoError(t, err)
	require.Equal(t, watchparty.PartyStarted, found.State)
}

// TestMovieOfParty: a movie that a scheduled party is to play cannot be deleted.
func TestMovieOfParty(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.scheduleParty()
	movie := addStreamedMovie(t, s, "Movie of a party")
	c.giveMovie(party, movie)
	require.ErrorIs(t, s.DeleteMovie(t.Context(), c.root.ID, movie, nil), watchparty.ErrMovieInUse)
	require.NoError(t, second(s.CancelParty(t.Context(), party.ID, c.host.ID, nil)))
	require.NoError(t, s.DeleteMovie(t.Context(), c.root.ID, movie, nil))
}

// TestReminderThatIsLate: nobody is reminded of the day before in the last hour.
func TestReminderThatIsLate(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.startIn(c.dueParty(), 61*time.Minute)
	in := job.PartyNoticesInput{PartyID: party.ID, Kind: watchparty.NoticeDay, Moves: c.moves(party)}
	queued, _, err := s.QueuePartyNotices(t.Context(), in, nilUUID)
	require.NoError(t, err)
	require.Equal(t, 2, queued)
	notice := readValue[string](t, s, "SELECT id FROM party_notices WHERE user_id = ?", c.guest.ID)
	require.NoError(t, second(s.PartyEmail(t.Context(), notice)))
	c.startIn(party, 59*time.Minute)
	require.ErrorIs(t, second(s.PartyEmail(t.Context(), notice)), watchparty.ErrNotFound)
}

// TestPartyPlayedEarly: who plays by hand what is loaded for the party has started it.
func TestPartyPlayedEarly(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.dueParty()
	armed, _ := c.advance(party)
	play := newCommand(playback.Play)
	play.Epoch = armed.Epoch
	_, err := s.ApplyPlaybackCommand(t.Context(), c.room.ID, c.identity(), play)
	require.NoError(t, err)
	found, err := s.Party(t.Context(), party.ID, "")
	require.NoError(t, err)
	require.Equal(t, watchparty.PartyStarted, found.State)
}

// TestMovedAndCancelledParties start nothing at the former time, and the emails about it are void.
func TestMovedAndCancelledParties(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	later := Now().Add(5 * time.Hour)
	for name, end := range map[string]func(c *cast, id string) (PlaybackAnswer, error){
		"moved": func(c *cast, id string) (PlaybackAnswer, error) {
			_, answer, err := s.UpdateParty(t.Context(), id, c.host.ID, watchparty.PartyChange{StartsAt: &later}, nil)
			return answer, err
		},
		"cancelled": func(c *cast, id string) (PlaybackAnswer, error) {
			return s.CancelParty(t.Context(), id, c.host.ID, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCast(t, s, false)
			party := c.dueParty()
			c.advance(party)
			queued, _, err := s.QueuePartyNotices(t.Context(), job.PartyNoticesInput{
				PartyID: party.ID, Kind: watchparty.NoticeHour, Moves: c.moves(party),
			}, nilUUID)
			require.NoError(t, err)
			require.Equal(t, 2, queued)
			answer, err := end(c, party.ID)
			require.NoError(t, err)
			require.Equal(t, []any{playback.Paused, playback.CauseUnscheduled, true},
				[]any{answer.Status, answer.Cause, answer.StartsAt.IsZero()})
			require.Equal(t, 2, readValue[int](t, s, "SELECT count(*) FROM emails WHERE state = 'cancelled' AND subject_id IN "+
				"(SELECT id FROM party_notices WHERE party_id = ?)", party.ID))
			require.Equal(
				t,
				"changed/1",
				readValue[string](t, s, "SELECT signal FROM outbox WHERE workflow_id = ? AND signal <> ''",
					job.ScheduledPartyID(party.ID)),
			)
			c.startIn(party, -time.Second)
			if name == "cancelled" {
				_, done := c.advance(party)
				require.False(t, done)
			}
		})
	}
}

// TestMovedWhileStarting: either the party starts, or it is moved.
func TestMovedWhileStarting(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for range 5 {
		c := newCast(t, s, false)
		party := c.startIn(c.dueParty(), -time.Second)
		later := Now().Add(5 * time.Hour)
		var started bool
		var startErr, moveErr error
		var wg sync.WaitGroup
		wg.Go(func() { _, started, startErr = s.AdvanceParty(t.Context(), party.ID) })
		wg.Go(func() {
			_, _, moveErr = s.UpdateParty(
				t.Context(), party.ID, c.host.ID, watchparty.PartyChange{StartsAt: &later}, nil,
			)
		})
		wg.Wait()
		require.NoError(t, startErr)
		if moveErr != nil {
			require.ErrorIs(t, moveErr, watchparty.ErrPartyEnded)
		}
		require.NotEqual(t, started, moveErr == nil)
		now, err := s.Playback(t.Context(), c.room.ID)
		require.NoError(t, err)
		require.Equal(t, started, now.Status == playback.Playing)
	}
}

// TestStartersAtOnce: of many who start a party one does.
func TestStartersAtOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.startIn(c.dueParty(), -time.Second)
	done := make([]bool, 6)
	var wg sync.WaitGroup
	for i := range done {
		wg.Go(func() {
			var err error
			_, done[i], err = s.AdvanceParty(t.Context(), party.ID)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	started := 0
	for _, d := range done {
		if d {
			started++
		}
	}
	require.Equal(t, 1, started)
	require.Equal(t, 1, readValue[int](t, s, "SELECT revision FROM playbacks WHERE room_id = ?", c.room.ID))
}

// TestPartyNotices: each guest who comes, and may know of it, is told once, in pages.
func TestPartyNotices(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := newCast(t, s, false)
	party := c.dueParty()
	require.NoError(t, s.AnswerParty(t.Context(), party.ID, c.deputy.ID, watchparty.AnswerNo))
	require.NoError(t, s.AnswerParty(t.Context(), party.ID, c.host.ID, watchparty.AnswerMaybe))
	execute(t, s, "UPDATE users SET email_verified_at = NULL WHERE id = ?", c.guest.ID)
	many := noticePage + 20
	execute(
		t,
		s,
		`WITH made AS (INSERT INTO users (id, username, email, email_key, display_name, password_hash, email_verified_at)
		SELECT id, 'g' || right(id::text, 20), id || '@guests.example', id || '@guests.example', 'Guest', '', now()
		FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?1)) AS ids RETURNING id),
		inside AS (INSERT INTO members (room_id, user_id, role) SELECT ?2, id, 'viewer' FROM made)
		INSERT INTO party_answers (party_id, room_id, user_id, answer) SELECT ?0, ?2, id, 'yes' FROM made`,
		party.ID,
		many,
		c.room.ID,
	)
	in := job.PartyNoticesInput{PartyID: party.ID, Kind: watchparty.NoticeHour, Moves: c.moves(party)}
	tellAll := func() (queued, pages int) {
		for last := nilUUID; last != ""; pages++ {
			n, next, err := s.QueuePartyNotices(t.Context(), in, last)
			require.NoError(t, err)
			queued, last = queued+n, next
		}
		return queued, pages
	}
	queued, pages := tellAll()
	require.Equal(t, []int{many + 2, 2}, []int{queued, pages}, "the holder and the host, too")
	queued, _ = tellAll()
	require.Zero(t, queued, "each has it once")
	require.Equal(t, many+2, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow = 'PartyEmail'"))
	notice := readValue[string](t, s, "SELECT id FROM party_notices WHERE user_id = ?", c.holder.ID)
	letter, err := s.PartyEmail(t.Context(), notice)
	require.NoError(t, err)
	require.Equal(t, []any{c.holder.ID, party.ID, watchparty.NoticeHour},
		[]any{letter.Guest.ID, letter.Party.ID, letter.Kind})
	require.NoError(t, s.AnswerParty(t.Context(), party.ID, c.holder.ID, watchparty.AnswerNo))
	_, err = s.PartyEmail(t.Context(), notice)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	in.Moves++
	queued, _ = tellAll()
	require.Zero(t, queued, "another worker has old news")
	var ids []string
	require.NoError(
		t,
		s.db.NewRaw("SELECT DISTINCT user_id FROM emails WHERE kind IN (?)", bun.List(watchparty.PartyEmails())).
			Scan(t.Context(), &ids),
	)
	require.NotContains(t, ids, c.deputy.ID)
	require.NotContains(t, ids, c.guest.ID)
}
