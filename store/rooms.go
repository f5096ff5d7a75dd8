package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

type roomRow struct {
	bun.BaseModel `bun:"table:rooms,alias:r"`

	ID            string               `bun:"id,pk"`
	Name          string               `bun:"name"`
	Description   string               `bun:"description"`
	MovieID       *string              `bun:"movie_id"`
	HostID        *string              `bun:"host_id"`
	Visibility    string               `bun:"visibility"`
	Capacity      int                  `bun:"capacity"`
	SlowMode      int                  `bun:"slow_mode_seconds"`
	Control       string               `bun:"control"`
	Queue         string               `bun:"queue"`
	QueueOrder    string               `bun:"queue_order"`
	WaitPolicy    string               `bun:"wait_policy"`
	NowPlaying    bool                 `bun:"now_playing"`
	Version       int                  `bun:"version"`
	ArchivedAt    *time.Time           `bun:"archived_at"`
	DeletedAt     *time.Time           `bun:"deleted_at"`
	RetiredAt     *time.Time           `bun:"retired_at"`
	ClosedAt      *time.Time           `bun:"closed_at"`
	CreatedAt     time.Time            `bun:"created_at"`
	UpdatedAt     time.Time            `bun:"updated_at"`
	Movie         watchparty.RoomMovie `bun:"movie,type:json,scanonly"`
	Host          watchparty.Person    `bun:"host,type:json,scanonly"`
	NextParty     watchparty.NextParty `bun:"next_party,type:json,scanonly"`
	People        roomPeople           `bun:"people,type:json,scanonly"`
	MyRole        string               `bun:"my_role,scanonly"`
	Joined        bool                 `bun:"joined,scanonly"`
	LastActiveAt  *time.Time           `bun:"last_active_at,scanonly"`
	Unread        int                  `bun:"unread,scanonly"`
	LastMessageAt *time.Time           `bun:"last_message_at,scanonly"`
	Hidden        bool                 `bun:"hidden,scanonly"` // for admins only
	Rank          int                  `bun:"rank,scanonly"`
}

func (r roomRow) room() watchparty.Room {
	return watchparty.Room{
		ID:           r.ID,
		Name:         r.Name,
		Description:  r.Description,
		Movie:        r.Movie,
		Host:         r.Host,
		Visibility:   watchparty.Visibility(r.Visibility),
		Capacity:     r.Capacity,
		Participants: r.People.Participants,
		Present:      r.People.Present,
		PresentUntil: r.People.PresentUntil.UTC(),
		SlowMode:     time.Duration(r.SlowMode) * time.Second,
		ArchivedAt:   valueOrZero(r.ArchivedAt).UTC(),
		RetiredAt:    valueOrZero(r.RetiredAt).UTC(),
		ClosedAt:     valueOrZero(r.ClosedAt).UTC(),
		Version:      r.Version,
		CreatedAt:    r.CreatedAt.UTC(),
		UpdatedAt:    r.UpdatedAt.UTC(),
		Rank:         r.Rank,
		LastActiveAt: valueOrZero(r.LastActiveAt).UTC(),
		Access:       r.access(),
		QueueOrder:   watchparty.QueueOrder(r.QueueOrder),
		WaitPolicy:   watchparty.WaitPolicy(r.WaitPolicy),
		NowPlaying:   r.NowPlaying,
		NextParty:    r.nextParty(),
	}
}

func (r roomRow) nextParty() watchparty.NextParty {
	next := r.NextParty
	utc(&next.StartsAt)
	return next
}

func (r roomRow) access() watchparty.RoomAccess {
	return watchparty.RoomAccess{Control: watchparty.AccessLevel(r.Control), Queue: watchparty.AccessLevel(r.Queue)}
}

// closedErr returns the error of an operation that an archived room does not allow.
func (r roomRow) closedErr() error { return closedError(r.ClosedAt != nil) }

// closedError is the error for an archived room, which an admin may have closed.
func closedError(closed bool) error {
	if closed {
		return watchparty.ErrRoomClosed
	}
	return watchparty.ErrRoomArchived
}

// selectRooms selects rooms with what they show beside their own columns. Those are subqueries, since a list looks them
// up for the rows of its page only.
func selectRooms(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("?TableColumns").ColumnExpr(personOf("r.host_id")+" AS host").
		ColumnExpr(movieOfRoom).ColumnExpr(nextParty).ColumnExpr(peopleInRoom, watchparty.PresentFor.Seconds())
}

// movieOfRoom selects the movie of the room r.
var movieOfRoom = movieOf("r.movie_id") + " AS movie"

// movieOf selects the movie with an ID, which is given as an expression in SQL, as a watchparty.RoomMovie in JSON.
func movieOf(movieID string) string {
	return "(SELECT json_build_object('ID', id, 'Title', title, 'Year', year, 'RuntimeMinutes', " +
		"runtime_minutes, 'PosterURL', poster_url) FROM movies WHERE id = " + movieID + ")"
}

// peopleInRoom selects the roomPeople of the room r in JSON; ?0 is watchparty.PresentFor in seconds.
const peopleInRoom = "(SELECT json_build_object('Participants', count(*), " +
	"'Present', count(*) FILTER (WHERE seen.present), 'PresentUntil', min(p.last_seen_at) FILTER (WHERE seen.present) " +
	"+ make_interval(secs => ?0)) FROM participants AS p CROSS JOIN LATERAL " +
	"(SELECT p.last_seen_at > now() - make_interval(secs => ?0) AS present) AS seen WHERE p.room_id = r.id) AS people"

// roomPeople says how many people are in a room and present.
type roomPeople struct {
	Participants int
	Present      int
	PresentUntil time.Time // see watchparty.Room
}

// CreateRoom opens a room with its host in it. It returns ErrUnknownMovie, ErrUnauthenticated for a host whose account
// is deleted or suspended, and for a request that is repeated ErrKeyReused, ErrNotFound and ErrBanned.
func (s *Store) CreateRoom(
	ctx context.Context, hostID string, n watchparty.NewRoom, key IdempotencyKey,
) (watchparty.Room, error) {
	now := Now()
	row := roomRow{
		ID: newID(), Name: n.Name, Description: n.Description, MovieID: nullID(n.MovieID), HostID: &hostID,
		Visibility: string(n.Visibility), Capacity: n.Capacity, Version: 1, CreatedAt: now, UpdatedAt: now,
		Control: string(watchparty.DefaultRoomAccess.Control), Queue: string(watchparty.DefaultRoomAccess.Queue),
		QueueOrder: string(watchparty.OrderManual), WaitPolicy: string(watchparty.WaitPolicyAuto),
	}
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil {
			return err
		}
		if err := requireActive(ctx, tx, hostID); err != nil {
			return err
		}
		if former != "" {
			return formerRoom(ctx, tx, former, hostID, &row)
		}
		if err := inCatalogue(ctx, tx, n.MovieID); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		changesRoomAndStandings(ctx, row.ID)
		if err := addParticipant(ctx, tx, row.ID, hostID); err != nil {
			return err
		}
		tell(ctx, watchparty.WebhookEvent{
			Kind: watchparty.WebhookRoomOpened, UserID: hostID, RoomID: row.ID,
			Data: watchparty.RoomOpenedData{RoomID: row.ID, HostID: hostID, Visibility: n.Visibility},
		})
		return selectRooms(tx, &row).Where("r.id = ?", row.ID).Scan(ctx)
	})
	if err != nil {
		return watchparty.Room{}, wrapErr(err, "create room")
	}
	return row.room(), nil
}

// formerRoom finds the room that an earlier request with the same key has created. The user may have lost access to it
// meanwhile: it returns ErrNotFound and ErrBanned then.
func formerRoom(ctx context.Context, tx bun.Tx, roomID, userID string, row *roomRow) error {
	if err := mayKnow(ctx, tx, roomID, userID); err != nil {
		return err
	}
	return selectRooms(tx, row).Where("r.id = ?", roomID).Scan(ctx)
}

var searchableRooms = searchable{
	alias: "r", from: "(SELECT * FROM rooms WHERE visibility = 'public' AND archived_at IS NULL) AS r",
	length: "char_length(r.name)", newest: true,
}

// Rooms lists open public rooms whose host is not suspended, newest first, or the closest first when the filter
// searches for something.
func (s *Store) Rooms(ctx context.Context, f watchparty.RoomFilter, p Page) ([]watchparty.Room, error) {
	list := func(rows *[]roomRow) *bun.SelectQuery { return selectRooms(s.db, rows) }
	rows, err := searchPage(ctx, s, searchableRooms, list, chooseRooms(f), f.Search, p)
	if err != nil {
		return nil, fmt.Errorf("store: rooms: %w", err)
	}
	return mapRows(rows, roomRow.room), nil
}

// Room finds a room by its ID, archived or not. It returns ErrNotFound, also for a hidden one.
func (s *Store) Room(ctx context.Context, id string) (watchparty.Room, error) {
	var row roomRow
	err := selectRooms(s.db, &row).Where("r.id = ? AND "+roomThere, id).Scan(ctx)
	return row.room(), wrapErr(err, "room")
}

// JoinRoom adds a user to the participants of a room. If the user is in the room already, it refreshes the presence. It
// returns ErrNotFound (also for a private room of which the user is not a member), ErrBanned, ErrRoomArchived,
// ErrRoomClosed and ErrRoomFull, and ErrUnauthenticated for a user whose account is deleted or suspended.
func (s *Store) JoinRoom(ctx context.Context, roomID, userID string) (watchparty.Room, error) {
	var row roomRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if row, err = lockRoom(ctx, tx, roomID); err != nil {
			return err
		}
		if err := requireActive(ctx, tx, userID); err != nil {
			return err
		}
		return enter(ctx, tx, &row, userID)
	})
	return row.room(), wrapErr(err, "join room")
}

// enter adds a user to the participants of a locked room, or refreshes the presence, and reads the room again.
func enter(ctx context.Context, tx bun.Tx, room *roomRow, userID string) error {
	seen, err := touchParticipant(ctx, tx, room.ID, userID)
	if err != nil {
		return err
	}
	if !seen {
		if err := admit(ctx, tx, *room, userID); err != nil {
			return err
		}
	}
	if err := touchRoom(ctx, tx, room.ID); err != nil {
		return err
	}
	return selectRooms(tx, room).Where("r.id = ?", room.ID).Scan(ctx)
}

// admit adds a user to the participants of a locked room, if the room's rules allow it.
func admit(ctx context.Context, tx bun.Tx, room roomRow, userID string) error {
	standing, err := readStanding(ctx, tx, room.ID, userID)
	if err != nil {
		return err
	}
	if standing.Banned {
		return watchparty.ErrBanned
	}
	if room.Visibility == string(watchparty.Private) && standing.Role == "" {
		return watchparty.ErrNotFound
	}
	if room.ArchivedAt != nil {
		return room.closedErr()
	}
	count, err := tx.NewSelect().Model((*participantRow)(nil)).Where("room_id = ?", room.ID).Count(ctx)
	if err != nil {
		return err
	}
	if count >= room.Capacity {
		return watchparty.ErrRoomFull
	}
	return addParticipant(ctx, tx, room.ID, userID)
}

// activityPrecision is the precision of last_active_at in rooms. A row that is written with each message would be a
// bottleneck.
const activityPrecision = 10 * time.Minute

// touchRoom stores that something happens in the room now.
func touchRoom(ctx context.Context, tx bun.Tx, roomID string) error {
	result, err := tx.NewUpdate().Model((*roomRow)(nil)).Set("last_active_at = now()").
		Where("id = ? AND "+quietRoom, roomID, activityPrecision.Seconds()).Exec(ctx)
	if err == nil && affected(result) {
		changes(ctx, coherence.TagRooms) // one of their orders is by activity
	}
	return err
}

// quietRoom is the condition of a room in which nothing has happened for a number of seconds.
const quietRoom = "last_active_at < now() - make_interval(secs => ?)"
