package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

type playbackRow struct {
	bun.BaseModel `bun:"table:playbacks,alias:b"`

	RoomID        string             `bun:"room_id,pk"`
	State         string             `bun:"state"`
	ItemID        *string            `bun:"item_id"`
	RuntimeMS     int64              `bun:"runtime_ms"`
	DurationMS    int64              `bun:"duration_ms"`
	DurationExact bool               `bun:"duration_exact"`
	CatalogueMS   int64              `bun:"catalogue_ms"`
	PositionMS    int64              `bun:"position_ms"`
	At            time.Time          `bun:"at"`
	Rate          float64            `bun:"rate"`
	Revision      int64              `bun:"revision"`
	Epoch         int64              `bun:"epoch"`
	Cue           int64              `bun:"cue"`
	Resume        bool               `bun:"resume"`
	WaitFor       string             `bun:"wait_for"`
	WaitUntil     *time.Time         `bun:"wait_until"`
	EndsAt        *time.Time         `bun:"ends_at"`
	StartsAt      *time.Time         `bun:"starts_at"`
	By            *string            `bun:"by"`
	Cause         string             `bun:"cause"`
	Recent        []playback.Applied `bun:"recent,type:jsonb"`
	Forgotten     int64              `bun:"forgotten"`
	QueueVersion  int64              `bun:"queue_version"`
	AttendedAt    time.Time          `bun:"attended_at"`
	UpdatedAt     time.Time          `bun:"updated_at"`

	Actor      watchparty.Person `bun:"actor,type:json,scanonly"`
	SkipVotes  int               `bun:"skip_votes,scanonly"`
	Movies     int64             `bun:"queue_movies,scanonly"`
	WaitPolicy string            `bun:"wait_policy,scanonly"`
	Now        time.Time         `bun:"now,scanonly"`
}

func (r playbackRow) state() playback.State {
	s := playback.State{
		RoomID: r.RoomID,
		Status: playback.Status(r.State),
		Item: playback.Item{
			ID: valueOrZero(r.ItemID), RuntimeMS: r.RuntimeMS, DurationMS: r.DurationMS, CatalogueMS: r.CatalogueMS,
			Exact: r.DurationExact,
		},
		PositionMS: r.PositionMS,
		At:         r.At,
		Rate:       r.Rate,
		Revision:   r.Revision,
		Epoch:      r.Epoch,
		Cue:        r.Cue,
		Resume:     r.Resume,
		WaitFor:    playback.Wait(r.WaitFor),
		WaitUntil:  valueOrZero(r.WaitUntil),
		EndsAt:     valueOrZero(r.EndsAt),
		StartsAt:   valueOrZero(r.StartsAt),
		By:         valueOrZero(r.By),
		Cause:      playback.Cause(r.Cause),
		Recent:     r.Recent,
		Forgotten:  r.Forgotten,
		UpdatedAt:  r.UpdatedAt,
	}
	utc(&s.At, &s.WaitUntil, &s.EndsAt, &s.StartsAt, &s.UpdatedAt)
	return s
}

// become stores a state in the row's fields.
func (r *playbackRow) become(s playback.State) {
	r.State, r.ItemID = string(s.Status), nullID(s.Item.ID)
	r.RuntimeMS, r.DurationMS, r.CatalogueMS = s.Item.RuntimeMS, s.Item.DurationMS, s.Item.CatalogueMS
	r.DurationExact = s.Item.Exact
	r.PositionMS, r.At, r.Rate = s.PositionMS, s.At, s.Rate
	r.Revision, r.Epoch, r.Cue = s.Revision, s.Epoch, s.Cue
	r.Resume, r.WaitFor, r.Cause, r.By = s.Resume, string(s.WaitFor), string(s.Cause), nullID(s.By)
	r.WaitUntil, r.EndsAt, r.StartsAt = nullTime(s.WaitUntil), nullTime(s.EndsAt), nullTime(s.StartsAt)
	r.Recent = append([]playback.Applied{}, s.Recent...)
	r.Forgotten, r.UpdatedAt = s.Forgotten, s.UpdatedAt
}

// Playback reads the playback of a room. It returns ErrNotFound if the room is deleted or hidden. A room that has never
// played anything is idle at revision 0.
func (s *Store) Playback(ctx context.Context, roomID string) (playback.Snapshot, error) {
	all, err := s.Playbacks(ctx, []string{roomID})
	if err != nil {
		return playback.Snapshot{}, err
	}
	if len(all) == 0 {
		return playback.Snapshot{}, wrapErr(watchparty.ErrNotFound, "playback")
	}
	return all[0], nil
}

// Playbacks reads the playbacks of those rooms that exist and are visible, in one snapshot of the database, in the
// order of their IDs.
func (s *Store) Playbacks(ctx context.Context, roomIDs []string) (all []playback.Snapshot, err error) {
	if len(roomIDs) == 0 {
		return nil, nil
	}
	err = s.db.RunInTx(ctx, snapshotOptions, func(ctx context.Context, tx bun.Tx) error {
		all, err = readPlaybacks(ctx, tx, roomIDs)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: playbacks: %w", err)
	}
	return all, nil
}

// readPlaybacks takes three statements, for any number of rooms, and one more if some of them wait.
func readPlaybacks(ctx context.Context, db bun.IDB, roomIDs []string) ([]playback.Snapshot, error) {
	var rows []playbackRow
	err := db.NewRaw(`
		SELECT r.id AS room_id, coalesce(b.state, 'idle') AS state, b.item_id, coalesce(b.runtime_ms, 0) AS runtime_ms,
			coalesce(b.duration_ms, 0) AS duration_ms, coalesce(b.duration_exact, false) AS duration_exact,
			coalesce(b.catalogue_ms, 0) AS catalogue_ms,
			coalesce(b.position_ms, 0) AS position_ms, coalesce(b.at, r.created_at) AS at, coalesce(b.rate, 1) AS rate,
			coalesce(b.revision, 0) AS revision, coalesce(b.epoch, 0) AS epoch, coalesce(b.cue, 0) AS cue,
			coalesce(b.resume, false) AS resume, coalesce(b.wait_for, '') AS wait_for, b.wait_until, b.ends_at, b.starts_at,
			b.by, coalesce(b.cause, '') AS cause, coalesce(b.recent, '[]') AS recent,
			coalesce(b.forgotten, 0) AS forgotten,
			coalesce(b.queue_version, 0) AS queue_version, coalesce(b.updated_at, r.created_at) AS updated_at,
			`+personOf("b.by")+` AS actor, r.wait_policy, clock_timestamp() AS now,
			(SELECT count(*) FROM skip_votes AS v WHERE v.room_id = r.id AND v.epoch = b.epoch AND `+
		presentIn("v.room_id", "v.user_id")+`) AS skip_votes, `+moviesOf("r.id")+` AS queue_movies
		FROM rooms AS r LEFT JOIN playbacks AS b ON b.room_id = r.id
		WHERE r.id IN (?) AND `+roomThere+` ORDER BY r.id`, bun.List(roomIDs)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var itemIDs, waiting []string
	for _, row := range rows {
		if row.ItemID != nil {
			itemIDs = append(itemIDs, *row.ItemID)
		}
		if row.State == string(playback.Waiting) {
			waiting = append(waiting, row.RoomID)
		}
	}
	items, err := readItems(ctx, db, itemIDs)
	if err != nil {
		return nil, err
	}
	members, err := readMembers(ctx, db, waiting...)
	if err != nil {
		return nil, err
	}
	missing := make([][]string, len(rows))
	for i, row := range rows {
		missing[i] = row.missing(members[row.RoomID])
	}
	people, err := readPeople(ctx, db, slices.Concat(missing...))
	if err != nil {
		return nil, err
	}
	snapshots := make([]playback.Snapshot, len(rows))
	for i, row := range rows {
		snapshots[i] = row.snapshot(items[valueOrZero(row.ItemID)], missing[i], people)
	}
	return snapshots, nil
}

// snapshot is the row as people see it. people has the people who are missing, by their IDs.
func (r playbackRow) snapshot(
	item watchparty.QueueItem, missing []string, people map[string]watchparty.Person,
) playback.Snapshot {
	s := playback.Snapshot{
		State: r.state().Renewed(itemOf(item)), Source: item, Actor: r.Actor, QueueVersion: r.QueueVersion,
		QueueMovies: r.Movies, SkipVotes: r.SkipVotes, Now: r.Now.UTC(),
	}
	for _, id := range missing {
		if person, ok := people[id]; ok {
			s.Missing = append(s.Missing, person)
		}
	}
	return s
}

// itemOf returns what package playback needs to know of an item, as the catalogue has it.
func itemOf(i watchparty.QueueItem) playback.Item {
	return playback.NewItem(i.ID, i.RuntimeMS, i.DurationMS)
}

// missing returns the IDs of the people for whom the room waits, each once.
func (r playbackRow) missing(members []memberRow) (ids []string) {
	if r.State != string(playback.Waiting) {
		return nil
	}
	policy, known := watchparty.WaitPolicy(r.WaitPolicy), map[string]bool{}
	for _, m := range r.state().Missing(mapRows(members, memberRow.member), policy, r.Now.UTC()) {
		if !known[m.UserID] {
			known[m.UserID] = true
			ids = append(ids, m.UserID)
		}
	}
	return ids
}
