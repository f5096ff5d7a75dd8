package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

// roomName is that of the room in which Alice and Bob have met each week.
const roomName = "Movie night"

const weeks = 5

// evening is what was said each week.
var evening = []struct {
	after time.Duration
	bob   bool
	text  string
}{
	{0, false, "Popcorn is ready."},
	{2 * time.Minute, true, "One minute, my tea is not."},
	{3 * time.Minute, false, "We wait for you."},
	{5 * time.Minute, true, "Here I am. Go!"},
	{31 * time.Minute, true, "Did you see his face?"},
	{32 * time.Minute, false, "Twice. I went back for it."},
	{74 * time.Minute, false, "That was a good one. Same time next week?"},
	{75 * time.Minute, true, "I choose next time."},
}

// addRoom makes the room, with its movies and what happened in it, unless it is there. Of two processes that fill one
// database at once, one waits for the other.
func addRoom(ctx context.Context, s *store.Store) error {
	alice, _, err := s.Credentials(ctx, "alice@watchparty.test")
	if err != nil {
		return err
	}
	bob, _, err := s.Credentials(ctx, "bob@watchparty.test")
	if err != nil {
		return err
	}
	return s.DB().RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext('watchparty demo'))"); err != nil {
			return fmt.Errorf("demo: wait for another process: %w", err)
		}
		there, err := tx.NewSelect().Table("rooms").Where("name = ? AND host_id = ?", roomName, alice.ID).Exists(ctx)
		if err != nil || there {
			return err
		}
		var playable []string
		err = tx.NewRaw("SELECT id FROM movies WHERE stream_url <> '' AND archived_at IS NULL ORDER BY title, id").
			Scan(ctx, &playable)
		if err != nil || len(playable) == 0 { // a developer has taken them away
			return err
		}
		room, err := openRoom(ctx, s, alice, bob, playable)
		if err != nil {
			return err
		}
		if err := fillQueue(ctx, tx, room.ID, alice.ID, playable); err != nil {
			return err
		}
		return tellHistory(ctx, tx, room, alice, bob)
	})
}

// openRoom makes the room, for the first movie that can be played.
func openRoom(
	ctx context.Context, s *store.Store, alice, bob watchparty.User, playable []string,
) (watchparty.Room, error) {
	room, err := s.CreateRoom(ctx, alice.ID, watchparty.NewRoom{
		Name: roomName, Description: "Each week, with popcorn", MovieID: playable[0], Visibility: watchparty.Public,
		Capacity: 20,
	}, store.IdempotencyKey{})
	if err != nil {
		return room, err
	}
	_, err = s.JoinRoom(ctx, room.ID, bob.ID)
	return room, err
}

// fillQueue adds all that can be played to the queue.
func fillQueue(ctx context.Context, tx bun.Tx, roomID, by string, playable []string) error {
	const gap = 1 << 20 // between ranks, for items that are moved in between
	for i, movie := range playable {
		_, err := tx.NewRaw("INSERT INTO queue_items (id, room_id, movie_id, added_by, rank) VALUES (?, ?, ?, ?, ?)",
			idOf(time.Now()), roomID, movie, by, (i+1)*gap).Exec(ctx)
		if err != nil {
			return fmt.Errorf("demo: fill the queue: %w", err)
		}
	}
	return nil
}

// tellHistory adds the evenings of the last weeks, so that reports and charts have something to show.
func tellHistory(ctx context.Context, tx bun.Tx, room watchparty.Room, alice, bob watchparty.User) error {
	first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -7*weeks)
	for week := range weeks {
		began := first.AddDate(0, 0, 7*week).Add(19 * time.Hour)
		for _, line := range evening {
			author, at := alice.ID, began.Add(line.after)
			if line.bob {
				author = bob.ID
			}
			_, err := tx.NewRaw(
				"INSERT INTO messages (id, room_id, user_id, body, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
				idOf(at), room.ID, author, line.text, at, at,
			).Exec(ctx)
			if err != nil {
				return fmt.Errorf("demo: add a message: %w", err)
			}
		}
		for _, person := range []string{alice.ID, bob.ID} {
			_, err := tx.NewRaw("INSERT INTO stays (room_id, user_id, started_at, ended_at) VALUES (?, ?, ?, ?)",
				room.ID, person, began.Add(-5*time.Minute), began.Add(80*time.Minute)).Exec(ctx)
			if err != nil {
				return fmt.Errorf("demo: add a stay: %w", err)
			}
		}
	}
	for _, statement := range []string{
		"UPDATE users SET created_at = ?0 WHERE id IN (?1, ?2)",
		"UPDATE rooms SET created_at = ?0 WHERE id = ?3",
		"UPDATE activity_since SET day = LEAST(day, ?0::date)",
	} {
		if _, err := tx.NewRaw(statement, first, alice.ID, bob.ID, room.ID).Exec(ctx); err != nil {
			return fmt.Errorf("demo: set back the beginning: %w", err)
		}
	}
	return nil
}

// idOf is a new UUIDv7 of a time.
func idOf(at time.Time) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(at.UnixMilli())<<16)
	copy(id[:6], milliseconds[:6])
	return id
}
