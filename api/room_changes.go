package api

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// UpdateRoom changes a room. The store checks the permission.
func (s *Server) UpdateRoom(
	ctx context.Context,
	r contract.UpdateRoomRequestObject,
) (contract.UpdateRoomResponseObject, error) {
	id := caller(ctx)
	c := roomChange(*r.Body)
	c.Normalise()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	changed, err := s.store.UpdateRoom(ctx, r.RoomID, id.UserID, c, ifMatch(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	answer := s.room(changed)
	tag, err := tagOf(changed.Version, single{Data: answer})
	return contract.UpdateRoom200JSONResponse{
		Body:    contract.RoomAnswer{Data: answer},
		Headers: contract.UpdateRoom200ResponseHeaders{ETag: tag},
	}, err
}

func roomChange(b contract.UpdateRoomRequest) watchparty.RoomChange {
	c := watchparty.RoomChange{
		Name: b.Name, Description: patched(b.Description, ""), MovieID: patched(b.MovieID, ""),
		Visibility: (*watchparty.Visibility)(b.Visibility), Capacity: b.Capacity,
		Control: (*watchparty.AccessLevel)(b.Control), Queue: (*watchparty.AccessLevel)(b.Queue),
		QueueOrder: (*watchparty.QueueOrder)(b.QueueOrder), WaitPolicy: (*watchparty.WaitPolicy)(b.WaitPolicy),
		NowPlaying: b.NowPlaying,
	}
	if seconds := patched(b.SlowModeSeconds, 0); seconds != nil {
		wait := time.Duration(*seconds) * time.Second
		c.SlowMode = &wait
	}
	if b.State != nil {
		archived := *b.State == contract.RoomStateArchived
		c.Archived = &archived
	}
	return c
}

// DeleteRoom deletes a room. The store checks the permission.
func (s *Server) DeleteRoom(
	ctx context.Context,
	r contract.DeleteRoomRequestObject,
) (contract.DeleteRoomResponseObject, error) {
	id := caller(ctx)
	if err := s.store.DeleteRoom(ctx, r.RoomID, id.UserID, ifMatch(r.Params.IfMatch)); err != nil {
		return nil, err
	}
	return contract.DeleteRoom204Response{}, nil
}
