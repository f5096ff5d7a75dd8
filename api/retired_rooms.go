package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListRetiredRooms lists the rooms that clean-up has archived and not deleted yet.
func (s *Server) ListRetiredRooms(
	ctx context.Context,
	r contract.ListRetiredRoomsRequestObject,
) (contract.ListRetiredRoomsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listRetiredRooms")
	if err != nil {
		return nil, err
	}
	rooms, err := s.store.RetiredRooms(ctx, more(p))
	if err != nil {
		return nil, err
	}
	rooms, next := cut(rooms, p, func(r watchparty.Room) store.Keys { return store.Keys{r.RetiredAt, r.ID} })
	return contract.ListRetiredRooms200JSONResponse{Data: convert(rooms, s.retiredRoom), NextCursor: next}, nil
}

// RestoreRoom opens a room that clean-up archived.
func (s *Server) RestoreRoom(
	ctx context.Context,
	r contract.RestoreRoomRequestObject,
) (contract.RestoreRoomResponseObject, error) {
	id := caller(ctx)
	restored, err := s.store.RestoreRoom(ctx, id.UserID, r.RoomID)
	if err != nil {
		return nil, err
	}
	return contract.RestoreRoom200JSONResponse{Data: s.room(restored)}, nil
}

func (s *Server) retiredRoom(r watchparty.Room) contract.RetiredRoom {
	out := contract.RetiredRoom{ID: r.ID, Name: r.Name, Host: s.person(r.Host), RetiredAt: r.RetiredAt}
	if age, on := s.cfg.Cleanup.Ages()[watchparty.PolicyArchived]; on {
		out.DeletionDueAt = pointer(r.RetiredAt.Add(age))
	}
	return out
}
