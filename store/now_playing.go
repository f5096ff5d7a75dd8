package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/playback"
)

// NowPlaying is what a room shows to everyone of what it plays.
type NowPlaying struct {
	Room     watchparty.Room
	Playback playback.Snapshot
	Movie    watchparty.RoomMovie // zero for no movie of the catalogue
}

// NowPlaying reads what an open room plays. It returns ErrNotFound for a room whose host does not allow it, and for a
// private one: people who are not in it must not learn that it exists.
func (s *Store) NowPlaying(ctx context.Context, roomID string) (now NowPlaying, err error) {
	err = s.db.RunInTx(ctx, snapshotOptions, func(ctx context.Context, tx bun.Tx) error {
		now = NowPlaying{}
		var row roomRow
		err := selectRooms(tx, &row).Where("r.id = ? AND r.now_playing AND r.archived_at IS NULL AND "+roomThere, roomID).
			Where("r.visibility <> ?", string(watchparty.Private)).Scan(ctx)
		if err != nil {
			return err
		}
		now.Room = row.room()
		all, err := readPlaybacks(ctx, tx, []string{roomID})
		if err != nil || len(all) == 0 {
			return err
		}
		now.Playback = all[0]
		if now.Playback.Source.MovieID == "" {
			return nil
		}
		var shown struct {
			Movie watchparty.RoomMovie `bun:"movie,type:json"`
		}
		err = tx.NewRaw("SELECT "+movieOfRoom+" FROM (SELECT ?::uuid AS movie_id) AS r", now.Playback.Source.MovieID).
			Scan(ctx, &shown)
		now.Movie = shown.Movie
		return err
	})
	return now, wrapErr(err, "now playing")
}

// changesPlayback says that what a room plays changes, if the room shows it to everyone.
func changesPlayback(ctx context.Context, room roomRow) {
	if room.NowPlaying {
		changes(ctx, coherence.TagNowPlaying(room.ID))
	}
}
