package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListRoomLog lists the log of a room.
func (s *Server) ListRoomLog(
	ctx context.Context,
	r contract.ListRoomLogRequestObject,
) (contract.ListRoomLogResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listRoomLog", r.RoomID)
	if err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, r.RoomID, watchparty.MayReadLog); err != nil {
		return nil, err
	}
	acts, err := s.store.RoomLog(ctx, r.RoomID, more(p))
	if err != nil {
		return nil, err
	}
	acts, next := cut(acts, p, func(a watchparty.RoomAct) store.Keys { return store.Keys{a.ID} })
	return contract.ListRoomLog200JSONResponse{Data: convert(acts, s.roomAct), NextCursor: next}, nil
}

func (s *Server) roomAct(a watchparty.RoomAct) contract.RoomAct {
	return contract.RoomAct{
		ID: a.ID, Action: contract.RoomAction(a.Action), Actor: s.person(a.Actor),
		Target: s.person(a.Target), Details: a.Details, CreatedAt: a.CreatedAt,
	}
}
