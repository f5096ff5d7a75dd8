package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// roomOrder is an order in which public rooms are listed.
type roomOrder struct {
	list string // name in cursors
	key  string // name in cache keys
	read func(ctx context.Context, f watchparty.RoomFilter, p store.Page) ([]watchparty.Room, error)
	keys func(watchparty.Room) store.Keys
}

// roomOrder returns the order that a request asks for. A search has its own order, the closest room first.
func (s *Server) roomOrder(sort *contract.ListRoomsParamsSort, f watchparty.RoomFilter) (roomOrder, error) {
	if sort != nil && f.Search != "" {
		return roomOrder{}, watchparty.Invalid(
			watchparty.FieldError{Field: "sort", Code: "conflict", Message: "cannot be used together with q"},
		)
	}
	switch value(sort) {
	case contract.ListRoomsParamsSortActive:
		return roomOrder{
			list: "listRooms active", key: "active:", read: s.store.ActiveRooms,
			keys: func(r watchparty.Room) store.Keys { return store.Keys{r.LastActiveAt, r.ID} },
		}, nil
	case contract.ListRoomsParamsSortPeople:
		return roomOrder{
			list: "listRooms people", key: "people:", read: s.store.RoomsByPeople,
			keys: func(r watchparty.Room) store.Keys { return store.Keys{float64(r.Present), r.ID} },
		}, nil
	}
	return roomOrder{
		list: "listRooms", read: s.store.Rooms,
		keys: func(r watchparty.Room) store.Keys { return store.SearchKeys(r.Rank, r.ID) },
	}, nil
}
