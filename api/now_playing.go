package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

// nowPlayingPath is the route of GetNowPlaying.
const nowPlayingPath = basePath + "/rooms/:room_id/now-playing"

// GetNowPlaying tells everyone what a room plays, if its host allows it. The answer does not depend on the caller.
func (s *Server) GetNowPlaying(
	ctx context.Context,
	r contract.GetNowPlayingRequestObject,
) (contract.GetNowPlayingResponseObject, error) {
	q := cache.Query{
		Key: "now-playing:" + r.RoomID, Tags: []string{coherence.TagRoom(r.RoomID), coherence.TagNowPlaying(r.RoomID)},
		TTL: s.cfg.Cache.Rooms, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		now, err := s.store.NowPlaying(ctx, r.RoomID)
		if err != nil {
			return cache.Loaded{}, err
		}
		loaded, err := encoded(single{Data: nowPlaying(now)}, nil)
		// The title of an address is the one that the person who added it has given.
		loaded.Tags = append(loaded.Tags, tagsOfPeople(now.Playback.Source.AddedBy)...)
		if now.Movie.ID != "" {
			loaded.Tags = append(loaded.Tags, coherence.TagMovie(now.Movie.ID))
		}
		return showing(loaded, now.Room), err
	})
}

func nowPlaying(now store.NowPlaying) contract.NowPlaying {
	p := now.Playback
	answer := contract.NowPlaying{
		RoomID: now.Room.ID, State: contract.PlaybackStatus(p.Status), PositionMs: p.PositionMS, At: p.At, Rate: p.Rate,
		Present: now.Room.Present,
	}
	if p.Status != playback.Idle {
		answer.Title, answer.Movie, answer.DurationMs = &p.Source.Title, roomMovie(now.Movie), pointer(p.Item.DurationMS)
	}
	return answer
}
