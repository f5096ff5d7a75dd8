package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// GetMyStanding answers with the caller's role and permissions in a room. It is read from the store, since it changes
// whenever people join or leave.
func (s *Server) GetMyStanding(
	ctx context.Context,
	r contract.GetMyStandingRequestObject,
) (contract.GetMyStandingResponseObject, error) {
	id := caller(ctx)
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	own, err := s.store.OwnStanding(ctx, r.RoomID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.GetMyStanding200JSONResponse{Data: contract.Standing{
		Role:       contract.Role(own.Role),
		Joined:     own.Joined,
		MutedUntil: pointer(own.MutedUntil),
		Permissions: convert(
			own.Permissions(), func(p watchparty.Permission) contract.Permission { return contract.Permission(p) },
		),
	}}, nil
}

// ListMyRooms lists the rooms that the caller is in or has a role in.
func (s *Server) ListMyRooms(
	ctx context.Context,
	r contract.ListMyRoomsRequestObject,
) (contract.ListMyRoomsResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listMyRooms", id.UserID, r.Params.Role, r.Params.State)
	if err != nil {
		return nil, err
	}
	f := watchparty.MyRoomFilter{Role: watchparty.Role(value(r.Params.Role))}
	if r.Params.State != nil {
		archived := *r.Params.State == contract.RoomStateArchived
		f.Archived = &archived
	}
	rooms, err := s.store.MyRooms(ctx, id.UserID, f, more(p))
	if err != nil {
		return nil, err
	}
	rooms, next := cut(rooms, p, func(r watchparty.MyRoom) store.Keys { return store.Keys{r.Room.ID} })
	return contract.ListMyRooms200JSONResponse{Data: convert(rooms, s.myRoom), NextCursor: next}, nil
}

func (s *Server) myRoom(r watchparty.MyRoom) contract.MyRoom {
	return contract.MyRoom{
		Role:          contract.Role(r.Role),
		Joined:        r.Joined,
		Room:          s.room(r.Room),
		Unread:        r.Unread,
		LastMessageAt: pointer(r.LastMessageAt),
	}
}
