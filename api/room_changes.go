package api

import (
	"context"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// UpdateRoom changes a room for whoever may.
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
	answer := room(changed)
	tag, err := tagOf(changed.Version, single{Data: answer})
	return contract.UpdateRoom200JSONResponse{
		Body:    contract.RoomAnswer{Data: answer},
		Headers: contract.UpdateRoom200ResponseHeaders{ETag: tag},
	}, err
}

func roomChange(b contract.UpdateRoomRequest) watchparty.RoomChange {
	c := watchparty.RoomChange{
		Name: b.Name, Description: b.Description, Visibility: (*watchparty.Visibility)(b.Visibility), Capacity: b.Capacity,
		Control: (*watchparty.Circle)(b.Control), Queue: (*watchparty.Circle)(b.Queue),
		QueueOrder: (*watchparty.QueueOrder)(b.QueueOrder), WaitPolicy: (*watchparty.WaitPolicy)(b.WaitPolicy),
	}
	if b.MovieID.IsSpecified() {
		movieID := ""
		if !b.MovieID.IsNull() {
			movieID = b.MovieID.MustGet()
		}
		c.MovieID = &movieID
	}
	if b.SlowModeSeconds != nil {
		wait := time.Duration(*b.SlowModeSeconds) * time.Second
		c.SlowMode = &wait
	}
	if b.State != nil {
		archived := *b.State == contract.RoomStateArchived
		c.Archived = &archived
	}
	return c
}

// DeleteRoom deletes a room for whoever may.
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
