package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

// A party is armed when its room has loaded a movie with a scheduled start at the party's starts_at. The party's
// workflow, a process with connections to the room, and every sweeper may each arm or start it. Each of them does
// so by one versioned write, and the row in parties decides which of them was first.

// startsAt is the instant of the party that the event may start.
func (t *transition) startsAt() time.Time {
	if begun, ok := t.event.(playback.Begun); ok {
		return begun.StartsAt
	}
	return t.before.StartsAt
}

// startsParty reports whether the event has started a party. A person who plays its movie by hand before the instant
// starts the party, too.
func (t *transition) startsParty(after playback.State) bool {
	if _, begun := t.event.(playback.Begun); begun {
		return true
	}
	moves := after.Status == playback.Playing || after.Status == playback.Waiting
	return !t.before.StartsAt.IsZero() && moves && after.Item.ID == t.before.Item.ID
}

// startParty stores that the party of a room at an instant has started.
func startParty(ctx context.Context, tx bun.Tx, roomID string, startsAt time.Time) error {
	result, err := tx.NewRaw(`UPDATE parties SET state = 'started', version = version + 1, ended_at = clock_timestamp(),
		updated_at = clock_timestamp() WHERE room_id = ? AND starts_at = ? AND state = 'scheduled'`, roomID, startsAt).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: start party: %w", err)
	}
	if affected(result) {
		changesListedRoom(ctx, roomID)
	}
	return nil
}

// disarm keeps a room from starting by itself at an instant. Nothing else changes what it plays.
func (t *transition) disarm(
	ctx context.Context, tx bun.Tx, startsAt time.Time, by string,
) (answer PlaybackAnswer, err error) {
	if !valueOrZero(t.row.StartsAt).Equal(startsAt) {
		return answer, nil
	}
	t.event = playback.Unscheduled{By: by}
	return t.apply(ctx, tx)
}

// playableMovie is the condition that the movie with an ID is in the catalogue and can be played.
func playableMovie(id string) string {
	return "EXISTS (SELECT FROM movies AS v WHERE v.id = " + id + " AND v.archived_at IS NULL AND v.stream_url <> '')"
}

// dueParties selects the parties that are to be armed or started now, and find something to play (partyItem): others
// would come again with each sweep, and take the place of those that can start.
var dueParties = `SELECT y.id FROM parties AS y JOIN rooms AS r ON r.id = y.room_id
	LEFT JOIN playbacks AS b ON b.room_id = y.room_id
	WHERE y.state = 'scheduled' AND y.starts_at <= clock_timestamp() + make_interval(secs => ?0)
		AND y.starts_at > clock_timestamp() - make_interval(secs => ?1) AND r.archived_at IS NULL AND ` + roomThere + `
		AND b.starts_at IS DISTINCT FROM y.starts_at
		AND (y.starts_at <= clock_timestamp() OR coalesce(b.state, 'idle') IN ('idle', 'paused'))
		AND CASE WHEN y.movie_id IS NOT NULL THEN ` + playableMovie("y.movie_id") + `
				OR EXISTS (SELECT FROM queue_items WHERE id = b.item_id AND movie_id = y.movie_id)
			ELSE b.item_id IS NOT NULL OR ` + playableMovie("r.movie_id") + `
				OR EXISTS (SELECT FROM queue_items AS i WHERE i.room_id = y.room_id AND ` + queued + `) END
	ORDER BY y.starts_at, y.id LIMIT ?2`

// SweepParties arms and starts parties that are due, whether their workflows run or not. It changes at most limit
// rooms, and returns what it has changed. A party that fails keeps no other one from its start.
func (s *Store) SweepParties(ctx context.Context, limit int) (changed []PlaybackAnswer, failed error) {
	var due []string
	err := s.db.NewRaw(dueParties, watchparty.PartyArming.Seconds(), watchparty.PartyLate.Seconds(), limit).Scan(ctx, &due)
	if err != nil {
		return nil, fmt.Errorf("store: sweep parties: %w", err)
	}
	return sweep(ctx, due, func(id string) (PlaybackAnswer, bool, error) { return s.AdvanceParty(ctx, id) })
}

// AdvanceParty arms or starts a party if it is time, and reports whether that has changed what the room plays. It
// returns ErrNotFound.
func (s *Store) AdvanceParty(ctx context.Context, id string) (answer PlaybackAnswer, done bool, err error) {
	err = s.inTx(WithKind(ctx, PlaybackKind), func(ctx context.Context, tx bun.Tx) (err error) {
		answer, done = PlaybackAnswer{}, false
		var first partyRow
		if err := tx.NewSelect().Model(&first).Where("y.id = ?", id).Scan(ctx); err != nil {
			return err
		}
		var t transition
		err = tx.NewSelect().Model(&t.room).Where("r.id = ? AND r.archived_at IS NULL AND "+roomThere, first.RoomID).
			For("KEY SHARE").Scan(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.chosen, err = first.choose(ctx, tx, t.room); err != nil {
			return err
		}
		if err := t.lock(ctx, tx); err != nil {
			return err
		}
		var row partyRow
		if err := tx.NewSelect().Model(&row).Where("y.id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		if valueOrZero(row.MovieID) != valueOrZero(first.MovieID) {
			return errLockedLate
		}
		if t.event, err = t.dueEvent(ctx, tx, row); err != nil || t.event == nil {
			return err
		}
		answer, err = t.apply(ctx, tx)
		done = answer.Effects.Changed
		return err
	})
	return answer, done, wrapErr(err, "advance party")
}

// choose finds the movie that the party plays unless something else is loaded: its own, or the room's. It returns the
// zero value if neither can be played. It locks the movie, which comes before playbacks in the order of locks.
func (r partyRow) choose(ctx context.Context, tx bun.Tx, room roomRow) (itemRow, error) {
	movieID := r.MovieID
	if movieID == nil {
		movieID = room.MovieID
	}
	if movieID == nil {
		return itemRow{}, nil
	}
	chosen, err := newItem(ctx, tx, r.RoomID, "", watchparty.Source{MovieID: *movieID})
	if errors.Is(err, watchparty.ErrNoStream) || errors.Is(err, watchparty.ErrUnknownMovie) {
		return itemRow{}, nil
	}
	chosen.AddedBy = nil
	return chosen, err
}

// dueEvent returns the event that is due for a locked party; nil for none.
func (t *transition) dueEvent(ctx context.Context, tx bun.Tx, party partyRow) (playback.Event, error) {
	now, err := clockTime(ctx, tx)
	if err != nil || party.State != string(watchparty.PartyScheduled) {
		return nil, err
	}
	at, state := party.StartsAt.UTC(), t.row.state()
	if now.Before(at.Add(-watchparty.PartyArming)) || now.After(at.Add(watchparty.PartyLate)) {
		return nil, nil
	}
	due, plays := !now.Before(at), state.Status == playback.Playing || state.Status == playback.Waiting
	if state.StartsAt.Equal(at) { // armed
		if due {
			return playback.Tick{}, nil
		}
		return nil, nil
	}
	item, position, err := t.partyItem(ctx, tx, party, state)
	switch {
	case err != nil || item.ID == "":
		return nil, err // time ends the party, unless somebody adds something to play
	case plays && item.ID == state.Item.ID && due: // a person has started it by hand
		return nil, startParty(ctx, tx, party.RoomID, at)
	case plays && !due:
		return nil, nil
	case due:
		return playback.Begun{Item: item, PositionMS: position, StartsAt: at}, nil
	default:
		return playback.Scheduled{Item: item, PositionMS: position, StartsAt: at}, nil
	}
}

// partyItem finds what a party plays, and where it begins: its movie, or else what is loaded, the first of the queue,
// or the room's movie.
func (t *transition) partyItem(
	ctx context.Context, tx bun.Tx, party partyRow, state playback.State,
) (item playback.Item, positionMS int64, err error) {
	if party.MovieID == nil && state.Item.ID != "" {
		return state.Item, state.PositionMS, nil
	}
	if party.MovieID != nil && state.Item.ID != "" {
		loaded, err := readItems(ctx, tx, []string{state.Item.ID})
		if err != nil || loaded[state.Item.ID].MovieID == *party.MovieID {
			return state.Item, 0, err
		}
	}
	if party.MovieID == nil {
		first, err := firstItem(ctx, tx, t.room)
		if err != nil || first.ID != "" {
			return first.item(), 0, err
		}
	}
	return t.chosen.item(), 0, nil
}

// clockTime is the database's time. Unlike now(), it advances during a transaction.
func clockTime(ctx context.Context, db bun.IDB) (now time.Time, err error) {
	err = db.NewRaw("SELECT clock_timestamp()").Scan(ctx, &now)
	return now.UTC(), err
}
