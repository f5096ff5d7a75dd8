package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// GetRoomQueue answers what a room is to play.
func (s *Server) GetRoomQueue(
	ctx context.Context,
	r contract.GetRoomQueueRequestObject,
) (contract.GetRoomQueueResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	id, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	items, version, err := s.store.Queue(ctx, r.RoomID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GetRoomQueue200JSONResponse{
		Data: contract.Queue{Items: convert(items, s.queueItem), Version: version},
	}, nil
}

// AddToQueue adds an item for the caller.
func (s *Server) AddToQueue(
	ctx context.Context,
	r contract.AddToQueueRequestObject,
) (contract.AddToQueueResponseObject, error) {
	what := watchparty.Source{
		MovieID: value(r.Body.MovieID), StreamURL: value(r.Body.StreamURL), Title: value(r.Body.Title),
	}
	what.Normalise()
	if err := what.ValidateNew(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "addToQueue", r.Params.IdempotencyKey, []any{r.RoomID, what})
	if err != nil {
		return nil, err
	}
	added, err := s.store.AddToQueue(ctx, r.RoomID, caller(ctx), what, once)
	if err != nil {
		return nil, err
	}
	s.tellQueue(r.RoomID)
	answer := contract.QueueItemAnswer{Data: s.queueItem(added)}
	made, err := madeAt("/rooms/"+r.RoomID+"/queue/"+added.ID, 0, answer)
	return contract.AddToQueue201JSONResponse{Body: answer, Headers: contract.AddToQueue201ResponseHeaders(made)}, err
}

// GetQueueItem answers an item that is in the queue.
func (s *Server) GetQueueItem(
	ctx context.Context,
	r contract.GetQueueItemRequestObject,
) (contract.GetQueueItemResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	id, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.store.QueueItem(ctx, r.RoomID, r.ItemID, id.UserID)
	return tagged{contract.QueueItemAnswer{Data: s.queueItem(found)}, r.Params.IfNoneMatch}, err
}

// MoveInQueue changes the order of a queue.
func (s *Server) MoveInQueue(
	ctx context.Context,
	r contract.MoveInQueueRequestObject,
) (contract.MoveInQueueResponseObject, error) {
	if err := s.store.MoveInQueue(ctx, r.RoomID, caller(ctx), r.ItemID, value(r.Body.BeforeID)); err != nil {
		return nil, err
	}
	s.tellQueue(r.RoomID)
	return contract.MoveInQueue204Response{}, nil
}

// RemoveFromQueue removes an item, or skips it if it plays.
func (s *Server) RemoveFromQueue(
	ctx context.Context,
	r contract.RemoveFromQueueRequestObject,
) (contract.RemoveFromQueueResponseObject, error) {
	answer, err := s.store.RemoveFromQueue(ctx, r.RoomID, caller(ctx), r.ItemID)
	if err != nil {
		return nil, err
	}
	s.tell(answer)
	return contract.RemoveFromQueue204Response{}, nil
}

// VoteForItem stores the caller's vote for an item.
func (s *Server) VoteForItem(
	ctx context.Context,
	r contract.VoteForItemRequestObject,
) (contract.VoteForItemResponseObject, error) {
	if err := s.voteForItem(ctx, r.RoomID, r.ItemID, true); err != nil {
		return nil, err
	}
	return contract.VoteForItem204Response{}, nil
}

// WithdrawVote takes back the caller's vote for an item.
func (s *Server) WithdrawVote(
	ctx context.Context,
	r contract.WithdrawVoteRequestObject,
) (contract.WithdrawVoteResponseObject, error) {
	if err := s.voteForItem(ctx, r.RoomID, r.ItemID, false); err != nil {
		return nil, err
	}
	return contract.WithdrawVote204Response{}, nil
}

func (s *Server) voteForItem(ctx context.Context, roomID, itemID string, votes bool) error {
	if err := s.store.VoteForItem(ctx, roomID, caller(ctx), itemID, votes); err != nil {
		return err
	}
	s.tellQueue(roomID)
	return nil
}

func (s *Server) queueItem(i watchparty.QueueItem) contract.QueueItem {
	return contract.QueueItem{
		ID: i.ID, MovieID: pointer(i.MovieID), Title: i.Title, StreamURL: i.StreamURL, DurationMs: pointer(i.DurationMS),
		AddedBy: s.person(i.AddedBy), Votes: i.Votes, Voted: i.Voted, CreatedAt: i.CreatedAt,
	}
}
