package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

type itemRow struct {
	bun.BaseModel `bun:"table:queue_items,alias:i"`

	ID         string            `bun:"id,pk"`
	RoomID     string            `bun:"room_id"`
	MovieID    *string           `bun:"movie_id"`
	Title      string            `bun:"title"`
	StreamURL  string            `bun:"stream_url"`
	AddedBy    *string           `bun:"added_by"`
	Rank       int64             `bun:"rank"`
	PlayedAt   *time.Time        `bun:"played_at"`
	CreatedAt  time.Time         `bun:"created_at"`
	UpdatedAt  time.Time         `bun:"updated_at"`
	Adder      watchparty.Person `bun:"adder,type:json,scanonly"`
	Votes      int               `bun:"votes,scanonly"`
	Voted      bool              `bun:"voted,scanonly"`
	RuntimeMS  int64             `bun:"runtime_ms,scanonly"`
	DurationMS int64             `bun:"duration_ms,scanonly"`
	Version    int               `bun:"movie_version,scanonly"`

	Subtitles []watchparty.Subtitle `bun:"subtitles,type:jsonb,scanonly"`

	isNew bool // has no row yet
}

func (r itemRow) queueItem() watchparty.QueueItem {
	return watchparty.QueueItem{
		ID:           r.ID,
		RoomID:       r.RoomID,
		MovieID:      valueOrZero(r.MovieID),
		MovieVersion: r.Version,
		Title:        r.Title,
		StreamURL:    r.StreamURL,
		Subtitles:    r.Subtitles,
		RuntimeMS:    r.RuntimeMS,
		DurationMS:   r.DurationMS,
		AddedBy:      r.Adder,
		Votes:        r.Votes,
		Voted:        r.Voted,
		PlayedAt:     valueOrZero(r.PlayedAt).UTC(),
		CreatedAt:    r.CreatedAt.UTC(),
	}
}

// item returns what package playback needs to know of the item; the zero value for no row.
func (r itemRow) item() playback.Item {
	if r.ID == "" {
		return playback.Item{}
	}
	return playback.NewItem(r.ID, r.RuntimeMS, r.DurationMS)
}

// details returns what a room's log says of an item, without any text that people wrote.
func (r itemRow) details() map[string]any {
	details := map[string]any{"item_id": r.ID}
	if r.MovieID != nil {
		details["movie_id"] = *r.MovieID
	}
	return details
}

func (r itemRow) insert(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewRaw(`
		INSERT INTO queue_items (id, room_id, movie_id, title, stream_url, added_by, rank)
		SELECT ?0, ?1, ?2, ?3, ?4, ?5, coalesce(max(rank), 0) + 1 FROM queue_items WHERE room_id = ?1`,
		r.ID, r.RoomID, r.MovieID, ownText(r.MovieID, r.Title), ownText(r.MovieID, r.StreamURL), r.AddedBy).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: add item: %w", err)
	}
	return nil
}

// ownText returns the text to store for an item with an address of its own. It is empty for an item with a movie, which
// has the texts of the movie.
func ownText(movieID *string, text string) string {
	if movieID != nil {
		return ""
	}
	return text
}

// selectItems selects items with the data of their movies, and with the votes of people who are in the room.
func selectItems(db bun.IDB, rows any, viewerID string) *bun.SelectQuery {
	return db.NewSelect().Model(rows).
		ColumnExpr("i.id, i.room_id, i.movie_id, i.added_by, i.rank, i.played_at, i.created_at, i.updated_at").
		ColumnExpr("coalesce(m.title, CASE WHEN u.hidden_at IS NULL THEN i.title ELSE '' END) AS title").
		ColumnExpr("coalesce(m.stream_url, i.stream_url) AS stream_url").
		ColumnExpr("coalesce(m.runtime_minutes, 0)::bigint * 60000 AS runtime_ms").
		ColumnExpr("coalesce(m.duration_ms, 0) AS duration_ms").ColumnExpr("coalesce(m.version, 0) AS movie_version").
		ColumnExpr(subtitlesOf("i.movie_id")+" AS subtitles").
		ColumnExpr("CASE WHEN u.hidden_at IS NULL THEN "+personOf("u.id")+" END AS adder").ColumnExpr(itemVotes+" AS votes").
		ColumnExpr("EXISTS (SELECT FROM queue_votes WHERE item_id = i.id AND user_id = ?) AS voted", nullID(viewerID)).
		Join("LEFT JOIN movies AS m ON m.id = i.movie_id").
		Join("LEFT JOIN users AS u ON u.id = i.added_by AND u.deleted_at IS NULL")
}

// itemVotes is the number of votes for the item i.
const itemVotes = "(SELECT count(*) FROM queue_votes AS v JOIN participants AS p " +
	"ON p.room_id = v.room_id AND p.user_id = v.user_id WHERE v.item_id = i.id)"

// readItems reads items by their IDs.
func readItems(ctx context.Context, db bun.IDB, ids []string) (map[string]watchparty.QueueItem, error) {
	items := map[string]watchparty.QueueItem{}
	if len(ids) == 0 {
		return items, nil
	}
	var rows []itemRow
	if err := selectItems(db, &rows, "").Where("i.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: read items: %w", err)
	}
	for _, row := range rows {
		items[row.ID] = row.queueItem()
	}
	return items, nil
}

const (
	// notPlayed is the condition of an item that waits to be played.
	notPlayed = "i.played_at IS NULL"
	// queued is the condition of an item that is in the queue. Items that a hidden account has added are hidden, too, and
	// those of a movie that has lost its stream since, until it has one again.
	queued = notPlayed + " AND NOT EXISTS (SELECT FROM users WHERE id = i.added_by AND hidden_at IS NOT NULL) " +
		"AND NOT EXISTS (SELECT FROM movies WHERE id = i.movie_id AND stream_url = '')"
)

// moviesOf selects the sum of the versions of the movies in the queue of a room, given as an expression in SQL. With
// the version of the queue, it shows whether a movie was changed: while that stays, the queue has the same movies.
func moviesOf(roomID string) string {
	return "(SELECT coalesce(sum(m.version), 0)::bigint FROM queue_items AS i JOIN movies AS m ON m.id = i.movie_id " +
		"WHERE i.room_id = " + roomID + " AND " + notPlayed + ")"
}

// inOrder sorts a room's queue.
func inOrder(q *bun.SelectQuery, order string) *bun.SelectQuery {
	if order == string(watchparty.OrderVotes) {
		return q.OrderExpr("votes DESC, i.created_at, i.id")
	}
	return q.OrderExpr("i.rank, i.id")
}

// firstItem finds the next item of the queue, and locks it. It returns the zero value for an empty queue.
func firstItem(ctx context.Context, tx bun.Tx, room roomRow) (itemRow, error) {
	var row itemRow
	q := selectItems(tx, &row, "").Where("i.room_id = ?", room.ID).Where(queued)
	err := inOrder(q, room.QueueOrder).Limit(1).For("UPDATE OF i").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return itemRow{}, nil
	}
	return row, err
}

// findSource finds the item that a person wants to play: an item of the queue, which it locks, or a new item without a
// row. It returns ErrUnknownItem, ErrUnknownMovie and ErrNoStream.
func findSource(
	ctx context.Context, tx bun.Tx, roomID, userID string, what watchparty.Source,
) (itemRow, error) {
	if what.IsZero() {
		return itemRow{}, nil
	}
	if what.ItemID == "" {
		return newItem(ctx, tx, roomID, userID, what)
	}
	var row itemRow
	err := selectItems(tx, &row, "").Where("i.id = ? AND i.room_id = ?", what.ItemID, roomID).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return row, watchparty.ErrUnknownItem
	case err == nil && row.StreamURL == "":
		return row, watchparty.ErrNoStream
	}
	return row, err
}

// newItem makes an item that has no row yet. It locks the item's movie, so that the movie stays in the catalogue until
// the transaction ends.
func newItem(ctx context.Context, tx bun.Tx, roomID, userID string, what watchparty.Source) (itemRow, error) {
	row := itemRow{
		ID: newID(), RoomID: roomID, MovieID: nullID(what.MovieID), Title: what.TitleOr(), StreamURL: what.StreamURL,
		AddedBy: &userID, isNew: true,
	}
	if what.MovieID == "" {
		return row, nil
	}
	if err := inCatalogue(ctx, tx, what.MovieID); err != nil {
		return itemRow{}, err
	}
	var movie movieRow
	if err := tx.NewSelect().Model(&movie).Where("id = ?", what.MovieID).Scan(ctx); err != nil {
		return itemRow{}, err
	}
	if movie.StreamURL == "" {
		return itemRow{}, watchparty.ErrNoStream
	}
	row.RuntimeMS, row.DurationMS = int64(movie.RuntimeMinutes)*60_000, movie.DurationMS
	return row, nil
}

// Queue lists the items of a room's queue in the order in which they are played. Each item says whether the viewer has
// voted for it; viewerID may be empty. watchparty.MaxQueue bounds the list. version is the version of the list.
func (s *Store) Queue(
	ctx context.Context, roomID, viewerID string,
) (items []watchparty.QueueItem, version int64, err error) {
	err = s.db.RunInTx(ctx, snapshotOptions, func(ctx context.Context, tx bun.Tx) error {
		var room struct {
			Order   string `bun:"queue_order"`
			Version int64  `bun:"queue_version"`
		}
		err := tx.NewRaw(`SELECT r.queue_order, coalesce(b.queue_version, 0) AS queue_version FROM rooms AS r
			LEFT JOIN playbacks AS b ON b.room_id = r.id WHERE r.id = ? AND `+roomThere, roomID).Scan(ctx, &room)
		if err != nil {
			return err
		}
		version = room.Version
		var rows []itemRow
		q := selectItems(tx, &rows, viewerID).Where("i.room_id = ?", roomID).Where(queued).Limit(watchparty.MaxQueue)
		if err := inOrder(q, room.Order).Scan(ctx); err != nil {
			return err
		}
		items = mapRows(rows, itemRow.queueItem)
		return nil
	})
	return items, version, wrapErr(err, "queue")
}

// changeQueue runs a change of a room's queue by a person who has a permission, under the lock of the room's playback.
// change counts what it changes, by countQueue. It returns the errors of enterPlayback.
func (s *Store) changeQueue(
	ctx context.Context, roomID string, by auth.Identity, may watchparty.Permission,
	change func(ctx context.Context, tx bun.Tx, own watchparty.OwnStanding, t *transition) error,
) error {
	return s.inTx(WithKind(ctx, PlaybackKind), func(ctx context.Context, tx bun.Tx) error {
		own, room, err := enterPlayback(ctx, tx, roomID, by, may)
		if err != nil {
			return err
		}
		t := &transition{room: room}
		if err := t.lock(ctx, tx); err != nil {
			return err
		}
		return change(ctx, tx, own, t)
	})
}

// countQueue counts a change of the queue whose playback is locked.
func countQueue(ctx context.Context, tx bun.Tx, roomID string) error {
	_, err := tx.NewRaw("UPDATE playbacks SET queue_version = queue_version + 1 WHERE room_id = ?", roomID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: count queue: %w", err)
	}
	return nil
}

// AddToQueue adds an item at the end of a room's queue. It returns the errors of ApplyPlaybackCommand, ErrQueueFull,
// ErrTooManyOwnItems, ErrKeyReused, and for a request that is repeated ErrNotFound if the item was played or removed.
func (s *Store) AddToQueue(
	ctx context.Context, roomID string, by auth.Identity, what watchparty.Source, key IdempotencyKey,
) (added watchparty.QueueItem, err error) {
	err = s.inTx(WithKind(ctx, PlaybackKind), func(ctx context.Context, tx bun.Tx) error {
		id := newID()
		former, err := claimKey(ctx, tx, key, id)
		if err != nil {
			return err
		}
		own, room, err := enterPlayback(ctx, tx, roomID, by, watchparty.MayAddToQueue)
		if err != nil {
			return err
		}
		if former != "" {
			added, err = readItem(ctx, tx, roomID, former, by.UserID)
			return err
		}
		if what.StreamURL != "" && !own.May(watchparty.MayEditQueue) {
			return watchparty.ErrForbidden
		}
		row, err := newItem(ctx, tx, roomID, by.UserID, what)
		if err != nil {
			return err
		}
		row.ID = id
		t := transition{room: room}
		if err := t.lock(ctx, tx); err != nil {
			return err
		}
		if err := checkQueueLimits(ctx, tx, roomID, by.UserID); err != nil {
			return err
		}
		if err := row.insert(ctx, tx); err != nil {
			return err
		}
		if err := countQueue(ctx, tx, roomID); err != nil {
			return err
		}
		if err := logAct(ctx, tx, roomID, by.UserID, "", watchparty.ActQueueAdded, row.details()); err != nil {
			return err
		}
		added, err = readItem(ctx, tx, roomID, id, by.UserID)
		return err
	})
	return added, wrapErr(err, "add to queue")
}

// QueueItem finds an item that is in a room's queue. The item says whether the viewer has voted for it; viewerID may be
// empty. It returns ErrNotFound.
func (s *Store) QueueItem(ctx context.Context, roomID, id, viewerID string) (watchparty.QueueItem, error) {
	item, err := readItem(ctx, s.db, roomID, id, viewerID)
	return item, wrapErr(err, "queue item")
}

func readItem(ctx context.Context, db bun.IDB, roomID, id, viewerID string) (watchparty.QueueItem, error) {
	var row itemRow
	err := selectItems(db, &row, viewerID).Where("i.id = ? AND i.room_id = ?", id, roomID).Where(queued).Scan(ctx)
	return row.queueItem(), err
}

// checkQueueLimits returns ErrQueueFull if a queue is full, and ErrTooManyOwnItems if it has as many items of the
// person as allowed. The caller holds the lock of the playback.
func checkQueueLimits(ctx context.Context, tx bun.Tx, roomID, userID string) error {
	var all, mine int
	err := tx.NewRaw("SELECT count(*), count(*) FILTER (WHERE added_by = ?1) FROM queue_items AS i "+
		"WHERE room_id = ?0 AND "+queued, roomID, userID).Scan(ctx, &all, &mine)
	switch {
	case err != nil:
		return err
	case all >= watchparty.MaxQueue:
		return watchparty.ErrQueueFull
	case mine >= watchparty.MaxQueuePerUser:
		return watchparty.ErrTooManyOwnItems
	}
	return nil
}

// RemoveFromQueue removes an item from a room's queue. People can remove their own items; the items of others, and the
// item that plays, need the permission. Removing the item that plays skips it. It returns ErrNotFound for an item that
// is not in the queue, and the errors of enterPlayback.
func (s *Store) RemoveFromQueue(
	ctx context.Context, roomID string, by auth.Identity, itemID string,
) (answer PlaybackAnswer, err error) {
	err = s.changeQueue(ctx, roomID, by, watchparty.MayAddToQueue, func(
		ctx context.Context, tx bun.Tx, own watchparty.OwnStanding, t *transition,
	) error {
		var row itemRow
		err := tx.NewSelect().Model(&row).Where("id = ? AND room_id = ?", itemID, roomID).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		plays := valueOrZero(t.row.ItemID) == itemID
		if (plays || valueOrZero(row.AddedBy) != by.UserID) && !own.May(watchparty.MayEditQueue) {
			return watchparty.ErrForbidden
		}
		if plays {
			t.event = playback.Removed{ItemID: itemID}
			answer, err = t.apply(ctx, tx)
		} else {
			answer, err = t.removeQueued(ctx, tx, itemID)
		}
		if err != nil {
			return err
		}
		return logAct(ctx, tx, roomID, by.UserID, "", watchparty.ActQueueRemoved, row.details())
	})
	return answer, wrapErr(err, "remove from queue")
}

// removeQueued removes an item that does not play.
func (t *transition) removeQueued(ctx context.Context, tx bun.Tx, itemID string) (PlaybackAnswer, error) {
	if _, err := tx.NewRaw("DELETE FROM queue_items WHERE id = ?", itemID).Exec(ctx); err != nil {
		return PlaybackAnswer{}, err
	}
	return t.answerQueueChange(ctx, tx)
}

// answerQueueChange counts a change of the queue or of its votes that leaves the state as it is, and returns the state.
func (t *transition) answerQueueChange(ctx context.Context, tx bun.Tx) (PlaybackAnswer, error) {
	if err := countQueue(ctx, tx, t.room.ID); err != nil {
		return PlaybackAnswer{}, err
	}
	if err := t.read(ctx, tx); err != nil {
		return PlaybackAnswer{}, err
	}
	t.row.QueueVersion++
	return t.answer(ctx, tx, playback.Effects{Revision: t.row.Revision})
}

// MoveInQueue puts an item of a room's queue before another one, or at the end with an empty ID. It returns ErrNotFound
// if one of them is not in the queue, and the errors of enterPlayback.
func (s *Store) MoveInQueue(ctx context.Context, roomID string, by auth.Identity, itemID, beforeID string) error {
	err := s.changeQueue(ctx, roomID, by, watchparty.MayEditQueue, func(
		ctx context.Context, tx bun.Tx, _ watchparty.OwnStanding, _ *transition,
	) error {
		var rows []itemRow
		err := tx.NewSelect().Model(&rows).Where("room_id = ?", roomID).Where(queued).Order("rank", "id").Scan(ctx)
		if err != nil {
			return err
		}
		ids := mapRows(rows, func(r itemRow) string { return r.ID })
		from := slices.Index(ids, itemID)
		if from < 0 || beforeID != "" && !slices.Contains(ids, beforeID) {
			return watchparty.ErrNotFound
		}
		moved := rows[from]
		if beforeID != itemID {
			ids = slices.Delete(ids, from, from+1)
			to := slices.Index(ids, beforeID)
			if to < 0 {
				to = len(ids)
			}
			ids = slices.Insert(ids, to, itemID)
		}
		if err := renumber(ctx, tx, ids); err != nil {
			return err
		}
		if err := countQueue(ctx, tx, roomID); err != nil {
			return err
		}
		return logAct(ctx, tx, roomID, by.UserID, "", watchparty.ActQueueMoved, moved.details())
	})
	return wrapErr(err, "move in queue")
}

// renumber gives items of one queue, whose playback is locked, the ranks 1, 2, and so on.
func renumber(ctx context.Context, tx bun.Tx, ids []string) error {
	_, err := tx.NewRaw(`
		WITH wanted AS (SELECT id, rank FROM unnest(?0::uuid[]) WITH ORDINALITY AS w (id, rank)),
		locked AS (SELECT id FROM queue_items WHERE id = ANY(?0::uuid[]) ORDER BY id FOR NO KEY UPDATE)
		UPDATE queue_items AS i SET rank = w.rank, updated_at = now() FROM wanted AS w JOIN locked AS l ON l.id = w.id
		WHERE i.id = w.id AND i.rank <> w.rank`, pgdialect.Array(ids)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: renumber queue: %w", err)
	}
	return nil
}

// VoteForItem stores a person's vote for an item of a room's queue, or takes it back. Repeating either changes nothing.
// It returns ErrNotFound for an item that is not in the queue, and the errors of enterPlayback.
func (s *Store) VoteForItem(ctx context.Context, roomID string, by auth.Identity, itemID string, votes bool) error {
	err := s.changeQueue(ctx, roomID, by, watchparty.MayVote, func(
		ctx context.Context, tx bun.Tx, _ watchparty.OwnStanding, _ *transition,
	) error {
		err := tx.NewRaw("SELECT id FROM queue_items AS i WHERE id = ? AND room_id = ? AND "+queued+" FOR KEY SHARE", itemID,
			roomID).Scan(ctx, new(string))
		if err != nil {
			return err
		}
		statement := "DELETE FROM queue_votes WHERE item_id = ?0 AND user_id = ?2"
		if votes {
			statement = `INSERT INTO queue_votes (item_id, room_id, user_id) VALUES (?0, ?1, ?2)
				ON CONFLICT ON CONSTRAINT queue_votes_pkey DO NOTHING`
		}
		result, err := tx.NewRaw(statement, itemID, roomID, by.UserID).Exec(ctx)
		if err != nil || !affected(result) {
			return err
		}
		return countQueue(ctx, tx, roomID)
	})
	return wrapErr(err, "vote for item")
}

// VoteToSkip stores a person's vote to skip the item of an epoch, or takes it back. It skips the item when enough of
// the people who are present have voted to skip it. It returns playback.ErrStale for another epoch,
// playback.ErrNothingPlaying, and the errors of enterPlayback.
func (s *Store) VoteToSkip(
	ctx context.Context, roomID string, by auth.Identity, epoch int64, votes bool,
) (answer PlaybackAnswer, err error) {
	err = s.changeQueue(ctx, roomID, by, watchparty.MayVote, func(
		ctx context.Context, tx bun.Tx, _ watchparty.OwnStanding, t *transition,
	) error {
		switch {
		case t.row.Epoch != epoch:
			return t.row.state().Stale()
		case t.row.State == string(playback.Idle):
			return playback.ErrNothingPlaying
		}
		passed, err := voteToSkip(ctx, tx, roomID, by.UserID, epoch, votes)
		if err != nil {
			return err
		}
		if !passed {
			answer, err = t.answerQueueChange(ctx, tx)
			return err
		}
		t.event = playback.Voted{Epoch: epoch}
		if answer, err = t.apply(ctx, tx); err != nil {
			return err
		}
		return logAct(ctx, tx, roomID, "", "", watchparty.ActSkipped, nil)
	})
	return answer, wrapErr(err, "vote to skip")
}

// voteToSkip stores a vote, or takes it back, and reports whether there are enough votes to skip the item.
func voteToSkip(ctx context.Context, tx bun.Tx, roomID, userID string, epoch int64, votes bool) (bool, error) {
	if !votes {
		_, err := tx.NewRaw("DELETE FROM skip_votes WHERE room_id = ? AND user_id = ?", roomID, userID).Exec(ctx)
		return false, err
	}
	_, err := tx.NewRaw(`INSERT INTO skip_votes (room_id, user_id, epoch) VALUES (?, ?, ?)
		ON CONFLICT ON CONSTRAINT skip_votes_pkey DO UPDATE SET epoch = excluded.epoch, updated_at = now()`,
		roomID, userID, epoch).Exec(ctx)
	if err != nil {
		return false, err
	}
	var count, eligible int
	err = tx.NewRaw(`
		SELECT count(v.user_id), count(*) FROM participants AS p
		LEFT JOIN skip_votes AS v ON v.room_id = p.room_id AND v.user_id = p.user_id AND v.epoch = ?1
		WHERE p.room_id = ?0 AND (p.last_seen_at > now() - make_interval(secs => ?2) OR p.user_id = ?3)`,
		roomID, epoch, watchparty.PresentFor.Seconds(), userID).Scan(ctx, &count, &eligible)
	return playback.SkipPasses(count, eligible), err
}

// presentIn is the condition that a person is present in a room, each given as an expression in SQL.
func presentIn(roomID, userID string) string {
	return fmt.Sprintf("EXISTS (SELECT FROM participants WHERE room_id = %s AND user_id = %s "+
		"AND last_seen_at > now() - interval '%d seconds')", roomID, userID, int(watchparty.PresentFor.Seconds()))
}
