package api

import (
	"context"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
)

// OnPlayback sets what is called, after the commit, with each state of a playback that a request has made, and with the
// ID of each room whose queue or votes a request has changed. Call it before the first request.
func (s *Server) OnPlayback(state func(playback.Snapshot), queue func(roomID string)) {
	s.tellState, s.tellQueue = state, queue
}

// tell passes on what a request has done to a room's playback.
func (s *Server) tell(answer store.PlaybackAnswer) {
	if answer.Effects.Changed {
		s.tellState(answer.Snapshot)
	}
	if answer.Effects.Started != "" || !answer.Effects.Changed && !answer.Effects.Replayed {
		s.tellQueue(answer.RoomID)
	}
}

// GetPlayback answers what a room watches. It is read from the store: a state that is late is wrong.
func (s *Server) GetPlayback(
	ctx context.Context,
	r contract.GetPlaybackRequestObject,
) (contract.GetPlaybackResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	now, err := s.store.Playback(ctx, r.RoomID)
	if err != nil {
		return nil, err
	}
	return contract.GetPlayback200JSONResponse{Data: s.playbackOf(now)}, nil
}

// SendPlaybackCommand controls what a room watches. The store judges whether the caller may.
func (s *Server) SendPlaybackCommand(
	ctx context.Context,
	r contract.SendPlaybackCommandRequestObject,
) (contract.SendPlaybackCommandResponseObject, error) {
	b := r.Body
	c := playback.Command{
		Kind: playback.Kind(b.Kind), ID: strings.ToLower(b.ID), Epoch: b.Epoch, Seen: b.Revision,
		IfRevision: b.IfRevision, PositionMS: b.PositionMs, Rate: value(b.Rate),
		Source: watchparty.Source{
			MovieID: value(b.MovieID), ItemID: value(b.ItemID), StreamURL: value(b.StreamURL), Title: value(b.Title),
		},
	}
	c.Source.Normalise()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	answer, err := s.store.ApplyPlaybackCommand(ctx, r.RoomID, caller(ctx), c)
	if err != nil {
		return nil, err
	}
	s.tell(answer)
	return contract.SendPlaybackCommand200JSONResponse{Data: contract.PlaybackCommandResult{
		Revision: answer.Effects.Revision, Replayed: answer.Effects.Replayed, Playback: s.playbackOf(answer.Snapshot),
	}}, nil
}

// VoteToSkip stores or takes back the caller's vote to skip what plays.
func (s *Server) VoteToSkip(
	ctx context.Context,
	r contract.VoteToSkipRequestObject,
) (contract.VoteToSkipResponseObject, error) {
	answer, err := s.store.VoteToSkip(ctx, r.RoomID, caller(ctx), r.Body.Epoch, r.Body.Skip)
	if err != nil {
		return nil, err
	}
	s.tell(answer)
	return contract.VoteToSkip200JSONResponse{Data: s.playbackOf(answer.Snapshot)}, nil
}

func (s *Server) playbackOf(p playback.Snapshot) contract.Playback {
	answer := contract.Playback{
		Revision: p.Revision, Epoch: p.Epoch, Cue: p.Cue, State: contract.PlaybackStatus(p.Status),
		PositionMs: p.PositionMS, At: p.At, Rate: p.Rate, EndsAt: pointer(p.EndsAt), StartsAt: pointer(p.StartsAt),
		Cause: pointer(contract.PlaybackCause(p.Cause)), By: s.person(p.Actor), SkipVotes: p.SkipVotes,
		QueueVersion: p.QueueVersion, Now: p.Now,
	}
	if p.Status != playback.Idle {
		answer.Item = &contract.PlaybackItem{
			ID: p.Item.ID, MovieID: pointer(p.Source.MovieID), Title: p.Source.Title,
			StreamURL: pointer(p.Source.StreamURL),
			Subtitles: convert(p.Source.Subtitles, subtitle), DurationMs: pointer(p.Item.DurationMS),
			DurationExact: p.Item.Exact,
		}
	}
	if p.Status == playback.Waiting {
		answer.Wait = &contract.PlaybackWait{
			Reason: contract.PlaybackWaitReason(p.WaitFor), Until: p.WaitUntil, ThenPlay: p.Resume,
			People: convert(p.Missing, s.requiredPerson),
		}
	}
	return answer
}

func subtitle(s watchparty.Subtitle) contract.Subtitle { return contract.Subtitle(s) }

// subtitlesIn reads those of a request; nil for none.
func subtitlesIn(given *[]contract.Subtitle) *[]watchparty.Subtitle {
	if given == nil {
		return nil
	}
	subtitles := convert(*given, func(s contract.Subtitle) watchparty.Subtitle { return watchparty.Subtitle(s) })
	return &subtitles
}
