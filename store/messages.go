package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

type messageRow struct {
	bun.BaseModel `bun:"table:messages,alias:m"`

	ID        string            `bun:"id,pk"`
	RoomID    string            `bun:"room_id"`
	UserID    *string           `bun:"user_id"`
	Body      string            `bun:"body"`
	ReplyToID *string           `bun:"reply_to_id"`
	CreatedAt time.Time         `bun:"created_at"`
	EditedAt  *time.Time        `bun:"edited_at"`
	DeletedAt *time.Time        `bun:"deleted_at"`
	Author    watchparty.Person `bun:"author,type:json,scanonly"`
	Quoted    watchparty.Person `bun:"quoted,type:json,scanonly"`
	Excerpt   *string           `bun:"excerpt,scanonly"`
	ChangedAt *time.Time        `bun:"changed_at,scanonly"`
	Hidden    bool              `bun:"hidden,scanonly"` // for admins only
}

func (r messageRow) message() watchparty.Message {
	m := watchparty.Message{
		ID: r.ID, RoomID: r.RoomID, Author: r.Author, Body: r.Body,
		CreatedAt: r.CreatedAt.UTC(), EditedAt: valueOrZero(r.EditedAt).UTC(), DeletedAt: valueOrZero(r.DeletedAt).UTC(),
		ChangedAt: valueOrZero(r.ChangedAt).UTC(),
	}
	if r.ReplyToID != nil {
		m.ReplyTo = &watchparty.Quote{ID: *r.ReplyToID, Author: r.Quoted, Excerpt: valueOrZero(r.Excerpt)}
	}
	return m
}

func selectMessages(db bun.IDB, rows any) *bun.SelectQuery {
	return selectMessagesAs(db, rows, messageShown)
}

func selectMessagesAs(db bun.IDB, rows any, texts string) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("m.id, m.room_id, m.user_id, m.reply_to_id, m.created_at, m.edited_at").
		ColumnExpr(texts, watchparty.MaxExcerpt).
		ColumnExpr(personOf("m.user_id") + " AS author").ColumnExpr(personOf("q.user_id") + " AS quoted").
		Join("LEFT JOIN users AS u ON u.id = m.user_id").
		Join("LEFT JOIN messages AS q ON q.id = m.reply_to_id").
		Join("LEFT JOIN users AS qu ON qu.id = q.user_id")
}

// PostMessage stores a message of a participant and refreshes the participant's presence. It returns ErrNotFound,
// ErrUnauthenticated, ErrRoomArchived, ErrRoomClosed, ErrNotParticipant, ErrMuted, ErrSlowMode with the time to wait,
// ErrUnknownMessage and ErrKeyReused; for a request that is repeated also ErrBanned.
//
// A room's messages commit in the order of their IDs, so that a reader who asks for the messages after the last one it
// saw misses none. The function next_message_id in the migrations ensures that with a lock.
func (s *Store) PostMessage(
	ctx context.Context, author watchparty.User, n watchparty.NewMessage, key IdempotencyKey,
) (watchparty.Message, error) {
	var row messageRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		former, err := claimKey(ctx, tx, key, newID()) // addMessage replaces the ID by that of the message
		if err != nil {
			return err
		}
		if former != "" {
			if err := mayKnow(ctx, tx, n.RoomID, author.ID); err != nil {
				return err
			}
			return selectMessages(tx, &row).Where("m.id = ?", former).Scan(ctx)
		}
		room, err := enterChat(ctx, tx, n.RoomID, author.ID)
		if err != nil {
			return err
		}
		if err := checkSlowMode(ctx, tx, room, author.ID); err != nil {
			return err
		}
		if n.ReplyToID != "" {
			if err := quote(ctx, tx, n, &row); err != nil {
				return err
			}
		}
		row.RoomID, row.UserID, row.Body = n.RoomID, &author.ID, n.Body
		return addMessage(ctx, tx, &row, key)
	})
	return row.message(), wrapErr(err, "post message")
}

// chat is the state of a room, and of a person in it, that decides whether the person may write.
type chat struct {
	RoomID   string `bun:"id"`
	Archived bool   `bun:"archived"`
	Closed   bool   `bun:"closed"`
	SlowMode int    `bun:"slow_mode_seconds"`
	Muted    bool   `bun:"muted"`

	Role watchparty.Role `bun:"role"` // of the person
}

// enterChat locks a room, an account and its row in participants, and refreshes the person's presence. Because of the
// last lock, the messages of one person in a room are written one after the other. It returns ErrNotFound,
// ErrUnauthenticated for an account that is deleted or suspended, ErrRoomArchived, ErrRoomClosed, ErrNotParticipant,
// ErrForbidden and ErrMuted.
func enterChat(ctx context.Context, tx bun.Tx, roomID, userID string) (chat, error) {
	var room chat
	// KEY SHARE is what the foreign key of a message takes anyway. Taken here, it keeps the room from being archived until
	// the end of the transaction. In a quiet room touchRoom needs the stronger lock.
	lock := "KEY SHARE"
	quiet, err := tx.NewSelect().Model((*roomRow)(nil)).
		Where("id = ? AND "+quietRoom, roomID, activityPrecision.Seconds()).Exists(ctx)
	if err != nil {
		return room, err
	}
	if quiet {
		lock = "NO KEY UPDATE"
	}
	err = tx.NewSelect().Model((*roomRow)(nil)).
		ColumnExpr("id, archived_at IS NOT NULL AS archived, closed_at IS NOT NULL AS closed, slow_mode_seconds").
		ColumnExpr("coalesce("+roleInRoom("host_id", "r.id", "?0")+", 'viewer') AS role", userID).
		ColumnExpr("EXISTS (SELECT FROM mutes WHERE room_id = r.id AND user_id = ? AND until > now()) AS muted", userID).
		Where("r.id = ? AND "+roomThere, roomID).For(lock).Scan(ctx, &room)
	if err != nil {
		return room, err
	}
	if err := requireActive(ctx, tx, userID); err != nil {
		return room, err
	}
	if room.Archived {
		return room, closedError(room.Closed)
	}
	if quiet {
		if err := touchRoom(ctx, tx, roomID); err != nil {
			return room, err
		}
	}
	in, err := touchParticipant(ctx, tx, roomID, userID)
	switch {
	case err != nil:
		return room, err
	case !in:
		return room, watchparty.ErrNotParticipant
	case !room.Role.May(watchparty.MayPost):
		return room, watchparty.ErrForbidden
	case room.Muted:
		return room, watchparty.ErrMuted
	}
	return room, nil
}

// clockSkew is the largest difference that is expected between the clocks of two processes.
const clockSkew = 10 * time.Minute

// checkSlowMode returns an error with the time to wait if a room is in slow mode and the person's last message in it,
// deleted or not, is too recent.
func checkSlowMode(ctx context.Context, tx bun.Tx, room chat, userID string) error {
	if room.SlowMode == 0 || room.Role.May(watchparty.MaySkipSlowMode) {
		return nil
	}
	slow := time.Duration(room.SlowMode) * time.Second
	var wait float64
	// The bound of the IDs lets the index find the few rows that matter.
	err := tx.NewSelect().Model((*messageRow)(nil)).
		ColumnExpr("coalesce(max(extract(epoch FROM created_at + make_interval(secs => ?) - now())), 0)", room.SlowMode).
		Where("user_id = ? AND id > ? AND room_id = ?", userID, firstID(Now().Add(-slow-clockSkew)), room.RoomID).
		Scan(ctx, &wait)
	if err != nil {
		return err
	}
	if wait > 0 {
		return watchparty.TooSoon(time.Duration(wait * float64(time.Second)))
	}
	return nil
}

// quote fills in the message that a new message replies to. It returns ErrUnknownMessage.
func quote(ctx context.Context, tx bun.Tx, n watchparty.NewMessage, row *messageRow) error {
	var quoted messageRow
	err := selectMessages(tx, &quoted).
		Where("m.id = ? AND m.room_id = ? AND "+messageThere, n.ReplyToID, n.RoomID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return watchparty.UnknownMessage("reply_to_id")
	}
	if err != nil {
		return err
	}
	excerpt := []rune(quoted.Body)
	text := string(excerpt[:min(len(excerpt), watchparty.MaxExcerpt)])
	row.ReplyToID, row.Quoted, row.Excerpt = &quoted.ID, quoted.Author, &text
	return nil
}

// addMessage inserts a message and stores its ID with its idempotency key. It is one statement, because from the choice
// of the ID to the end of the transaction nobody else can post in the room.
func addMessage(ctx context.Context, tx bun.Tx, row *messageRow, key IdempotencyKey) error {
	changes(ctx, coherence.TagMessages(row.RoomID))
	return tx.NewRaw(`
		WITH made AS (
			INSERT INTO messages (id, room_id, user_id, body, reply_to_id, created_at)
			VALUES (next_message_id(?0), ?0, ?1, ?2, ?3, clock_timestamp()) RETURNING id, created_at),
		settled AS (UPDATE idempotency_keys SET resource_id = made.id FROM made WHERE key_hash = ?4)
		SELECT id, created_at, `+personOf("?1")+` AS author FROM made`,
		row.RoomID, row.UserID, row.Body, row.ReplyToID, key.Hash).Scan(ctx, row)
}

// firstID is the lowest UUIDv7 of its millisecond.
func firstID(t time.Time) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(max(t.UnixMilli(), 0))<<16)
	return id.String()
}

// Message finds a message that is neither deleted nor hidden. It returns ErrNotFound.
func (s *Store) Message(ctx context.Context, id string) (watchparty.Message, error) {
	var row messageRow
	err := selectMessages(s.db, &row).Where("m.id = ? AND "+messageThere, id).Scan(ctx)
	return row.message(), wrapErr(err, "message")
}

// EditMessage changes the text of the user's own message. It returns ErrNotFound, ErrForbidden to anyone else,
// ErrEditWindowOver, and what PostMessage returns to those who may not write in the room.
func (s *Store) EditMessage(ctx context.Context, id, userID, body string) (watchparty.Message, error) {
	var row messageRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := selectMessages(tx, &row).Where("m.id = ? AND "+messageThere, id).Scan(ctx); err != nil {
			return err
		}
		if valueOrZero(row.UserID) != userID {
			return watchparty.ErrForbidden
		}
		if _, err := enterChat(ctx, tx, row.RoomID, userID); err != nil {
			return err
		}
		// While this waited for the locks, the message may have been deleted, and the edit window may have ended.
		changes(ctx, coherence.TagMessages(row.RoomID))
		result, err := tx.NewUpdate().Model((*messageRow)(nil)).Set("body = ?", body).
			Set("edited_at = CASE WHEN body = ? THEN edited_at ELSE clock_timestamp() END", body).
			Set("updated_at = CASE WHEN body = ? THEN updated_at ELSE next_message_change(room_id) END", body).
			Where("id = ? AND deleted_at IS NULL", id).
			Where("created_at >= now() - make_interval(secs => ?)", watchparty.EditWindow.Seconds()).Exec(ctx)
		if err != nil {
			return err
		}
		err = selectMessages(tx, &row).Where("m.id = ? AND "+messageThere, id).Scan(ctx)
		if err == nil && !affected(result) {
			return watchparty.ErrEditWindowOver
		}
		return err
	})
	return row.message(), wrapErr(err, "edit message")
}

// DeleteMessage soft-deletes the user's own message, or, with a role that allows it, a message of a person with a lower
// role. The room's log records the latter. It returns ErrNotFound, also for a deleted message, and ErrForbidden.
func (s *Store) DeleteMessage(ctx context.Context, id, userID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var row messageRow
		err := tx.NewSelect().Model(&row).Where("id = ? AND deleted_at IS NULL", id).Scan(ctx)
		if err != nil {
			return err
		}
		own := valueOrZero(row.UserID) == userID
		if !own {
			err = moderate(ctx, tx, &row, userID)
		} else {
			err = requireActive(ctx, tx, userID)
		}
		if err != nil {
			return err
		}
		if err := blankMessage(ctx, tx, row); err != nil {
			return err
		}
		if own {
			return nil
		}
		return logAct(ctx, tx, row.RoomID, userID, valueOrZero(row.UserID), watchparty.ActMessageDeleted,
			map[string]any{"message_id": id})
	})
	return wrapErr(err, "delete message")
}

// blankMessage soft-deletes a message and removes its text. It returns ErrNotFound for a message that is deleted
// already.
func blankMessage(ctx context.Context, tx bun.Tx, m messageRow) error {
	changes(ctx, coherence.TagMessages(m.RoomID))
	result, err := tx.NewUpdate().Model((*messageRow)(nil)).Set("body = ''").
		Set("deleted_at = clock_timestamp()").Set("updated_at = next_message_change(room_id)").
		Where("id = ? AND deleted_at IS NULL", m.ID).Exec(ctx)
	if err == nil && !affected(result) {
		err = watchparty.ErrNotFound
	}
	return err
}

// moderate locks the message's room and returns ErrForbidden unless the actor may delete the message of its author. An
// author without a role in the room, or whose account is deleted, counts as a viewer.
func moderate(ctx context.Context, tx bun.Tx, m *messageRow, actorID string) error {
	_, role, err := permittedBeside(ctx, tx, m.RoomID, actorID, watchparty.MayDeleteMessage, "id = ?", m.UserID)
	if err != nil {
		return err
	}
	below := watchparty.Viewer
	if m.UserID != nil {
		author, err := readStanding(ctx, tx, m.RoomID, *m.UserID)
		if err != nil {
			return err
		}
		below = cmp.Or(author.Role, below)
	}
	if !role.Outranks(below) {
		return watchparty.ErrForbidden
	}
	return shareLockAuthor(ctx, tx, m)
}

// shareLockAuthor keeps the row of a message's author until the transaction ends: the room's log names the author. A
// message whose author's row is gone loses its author.
func shareLockAuthor(ctx context.Context, tx bun.Tx, m *messageRow) error {
	if m.UserID == nil {
		return nil
	}
	err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR KEY SHARE", m.UserID).Scan(ctx, new(string))
	if errors.Is(err, sql.ErrNoRows) {
		m.UserID, err = nil, nil
	}
	return err
}

// Messages lists a room's messages, newest first.
func (s *Store) Messages(ctx context.Context, roomID string, p Page) ([]watchparty.Message, error) {
	return s.messages(ctx, roomID, p, descending)
}

// NewerMessages lists a room's messages, oldest first.
func (s *Store) NewerMessages(ctx context.Context, roomID string, p Page) ([]watchparty.Message, error) {
	return s.messages(ctx, roomID, p, ascending)
}

func (s *Store) messages(ctx context.Context, roomID string, p Page, d direction) ([]watchparty.Message, error) {
	var rows []messageRow
	q := selectMessages(s.db, &rows).Where("m.room_id = ?", roomID)
	if err := p.of(q, d, "m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: messages: %w", err)
	}
	return mapRows(rows, messageRow.message), nil
}
