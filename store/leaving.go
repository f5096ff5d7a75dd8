package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty/coherence"
)

// tablesOfPeople have rows with a room_id and a user_id. They are listed in the order in which their rows are locked.
var tablesOfPeople = []string{"participants", "members", "bans", "mutes", "read_markers"}

// tablesOfWatching are further such tables, whose rows are locked after those of playbacks and queue_items.
var tablesOfWatching = []string{"queue_votes", "skip_votes", "live_members", "party_answers"}

// seat is a deleted row of one of these tables.
type seat struct {
	RoomID string `bun:"room_id"`
	UserID string `bun:"user_id"`
}

// removePeople removes the rows that tie people to rooms, and returns them: those of the given people in all rooms, and
// those of everybody in the given rooms, which are locked alone. The playbacks come between the two groups of tables in
// the order of locks, so that removePeople also locks the playbacks of the rooms that the caller is going to archive.
func removePeople(ctx context.Context, tx bun.Tx, people, rooms, archived []string) (seats []seat, err error) {
	people, rooms = append([]string{nilUUID}, people...), append([]string{nilUUID}, rooms...)
	remove := func(tables []string) error {
		for _, table := range tables {
			var removed []seat
			err := tx.NewRaw(`DELETE FROM ?0 WHERE (room_id, user_id) IN (
				SELECT room_id, user_id FROM ?0 WHERE user_id IN (?1) OR room_id IN (?2) ORDER BY room_id, user_id FOR UPDATE)
				RETURNING room_id, user_id`, bun.Ident(table), bun.List(people), bun.List(rooms)).Scan(ctx, &removed)
			if err != nil {
				return fmt.Errorf("store: take people out of rooms: %w", err)
			}
			seats = append(seats, removed...)
		}
		return nil
	}
	if err := remove(tablesOfPeople); err != nil {
		return nil, err
	}
	_, err = tx.NewRaw(`SELECT FROM playbacks WHERE room_id IN (?0) OR room_id IN (
		SELECT room_id FROM queue_items WHERE added_by IN (?1)) ORDER BY room_id FOR UPDATE`,
		bun.List(append(rooms, archived...)), bun.List(people)).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: lock playbacks: %w", err)
	}
	if err := leaveQueues(ctx, tx, people); err != nil {
		return nil, err
	}
	return seats, remove(tablesOfWatching)
}

// leaveQueues removes the items that people have added to queues, whose playbacks are locked. An item that plays is
// kept, without them.
func leaveQueues(ctx context.Context, tx bun.Tx, people []string) error {
	for _, statement := range []string{
		`UPDATE playbacks SET queue_version = queue_version + 1 WHERE room_id IN (
			SELECT room_id FROM queue_items AS i WHERE added_by IN (?0) AND ` + notPlayed + `)`,
		`DELETE FROM queue_items WHERE id IN (
			SELECT id FROM queue_items AS i WHERE added_by IN (?0) AND ` + notPlayed + ` ORDER BY id FOR UPDATE)`,
		`UPDATE queue_items SET added_by = NULL WHERE id IN (
			SELECT id FROM queue_items WHERE added_by IN (?0) ORDER BY id FOR UPDATE)`,
	} {
		if _, err := tx.NewRaw(statement, bun.List(people)).Exec(ctx); err != nil {
			return fmt.Errorf("store: leave queues: %w", err)
		}
	}
	return nil
}

// removeEverybody takes everybody out of rooms that are locked alone, and ends everybody's role, ban and mute there.
func removeEverybody(ctx context.Context, tx bun.Tx, roomIDs []string) error {
	changes(ctx, coherence.TagsOfRooms(roomIDs)...)
	_, err := removePeople(ctx, tx, nil, roomIDs, nil)
	return err
}

// endRooms soft-deletes rooms that are locked alone and empty. Their invitations are the caller's to end.
func endRooms(ctx context.Context, tx bun.Tx, roomIDs []string) error {
	changes(ctx, coherence.TagsOfRooms(roomIDs)...)
	_, err := tx.NewRaw(`
		UPDATE rooms SET deleted_at = now(), archived_at = coalesce(archived_at, now()), updated_at = now()
		WHERE id IN (?)`, bun.List(append([]string{nilUUID}, roomIDs...))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: end rooms: %w", err)
	}
	return nil
}
