package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// MarkRead moves a user's read marker of a room to a message; a marker never moves back. It returns ErrNotFound,
// ErrBanned, ErrUnauthenticated for an account that is deleted or suspended, ErrNotParticipant for a user who is not in
// the room and has no role there, and ErrUnknownMessage. A message that was taken back can be marked.
func (s *Store) MarkRead(ctx context.Context, roomID, userID, messageID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// The insert's foreign key takes the same lock.
		err := tx.NewSelect().Model((*roomRow)(nil)).Column("id").Where("r.id = ? AND "+roomThere, roomID).
			For("KEY SHARE").Scan(ctx, new(string))
		if err != nil {
			return err
		}
		if err := requireActive(ctx, tx, userID); err != nil {
			return err
		}
		if err := mayKnow(ctx, tx, roomID, userID); err != nil {
			return err
		}
		var state struct {
			Belongs bool `bun:"belongs"`
			Known   bool `bun:"known"`
		}
		err = tx.NewRaw(`SELECT EXISTS (SELECT FROM rooms WHERE id = ?0 AND host_id = ?1)
			OR EXISTS (SELECT FROM members WHERE room_id = ?0 AND user_id = ?1)
			OR EXISTS (SELECT FROM participants WHERE room_id = ?0 AND user_id = ?1) AS belongs,
			EXISTS (SELECT FROM messages WHERE id = ?2 AND room_id = ?0) AS known`, roomID, userID, messageID).Scan(ctx, &state)
		switch {
		case err != nil:
			return err
		case !state.Belongs:
			return watchparty.ErrNotParticipant
		case !state.Known:
			return watchparty.UnknownMessage("message_id")
		}
		// The IDs of a room's messages are in the order in which they were posted.
		_, err = tx.NewRaw(`INSERT INTO read_markers (room_id, user_id, message_id) VALUES (?, ?, ?)
			ON CONFLICT (room_id, user_id) DO UPDATE SET message_id = excluded.message_id, updated_at = now()
			WHERE read_markers.message_id < excluded.message_id`, roomID, userID, messageID).Exec(ctx)
		return err
	})
	return wrapErr(err, "mark read")
}

// maxUnreadRead is how many messages after a marker are looked at for those of others: somebody who writes much and
// marks nothing does not make the list of their rooms slow.
const maxUnreadRead = 10 * watchparty.MaxUnread

// unread counts the messages of others in room r that user ?0 has not read, up to MaxUnread. Those that were taken back
// or are hidden do not count. It reads the index from the marker on, and ends at the last message that counts.
var unread = fmt.Sprintf(`(SELECT count(*) FROM (
	SELECT FROM (
		SELECT user_id, deleted_at FROM messages WHERE room_id = r.id
			AND id > coalesce((SELECT message_id FROM read_markers WHERE room_id = r.id
				AND user_id = ?0), '00000000-0000-0000-0000-000000000000')
		ORDER BY id LIMIT %d) AS later
	WHERE later.user_id IS DISTINCT FROM ?0 AND later.deleted_at IS NULL
		AND NOT EXISTS (SELECT FROM users WHERE id = later.user_id AND hidden_at IS NOT NULL OFFSET 0)
	LIMIT %d) AS counted) AS unread`, maxUnreadRead, watchparty.MaxUnread)

// lastMessageAt is when the latest message of room r was posted, taken back or not.
const lastMessageAt = "(SELECT created_at FROM messages WHERE room_id = r.id ORDER BY id DESC LIMIT 1) " +
	"AS last_message_at"
