package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// ListRooms answers open public rooms.
func (s *Server) ListRooms(ctx context.Context, r ListRoomsRequestObject) (ListRoomsResponseObject, error) {
	p, err := page("cursor", r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	q := cache.Query{Key: fmt.Sprintf("rooms:%s:%d", p.After, p.Limit), Tags: []string{cache.TagRooms}, TTL: s.cfg.Cache.Rooms}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		rooms, err := s.store.Rooms(ctx, more(p))
		rooms, next := cut(rooms, p, func(r watchparty.Room) string { return r.ID })
		return list{Data: convert(rooms, room), NextCursor: next}, err
	})
}

// CreateRoom opens a room with the caller as its host.
func (s *Server) CreateRoom(ctx context.Context, r CreateRoomRequestObject) (CreateRoomResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	n := watchparty.NewRoom{
		Name: r.Body.Name, Description: value(r.Body.Description), MovieID: value(r.Body.MovieID),
		Visibility: watchparty.Visibility(value(r.Body.Visibility)), Capacity: value(r.Body.Capacity),
	}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	created, err := s.store.CreateRoom(ctx, id.UserID, n)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagRooms, cache.TagRoom(created.ID))
	return CreateRoom201JSONResponse{Data: room(created)}, nil
}

// GetRoom answers one room to whoever may know of it.
func (s *Server) GetRoom(ctx context.Context, r GetRoomRequestObject) (GetRoomResponseObject, error) {
	answer, err := s.visibleRoom(ctx, r.RoomID)
	answer.ifNoneMatch = r.Params.IfNoneMatch
	return answer, err
}

// visibleRoom reads a room and decides whether the viewer may know of it: a private room, and all that belongs to it,
// is a 404 to whoever is not in it. The cached entry is the same for all.
func (s *Server) visibleRoom(ctx context.Context, roomID string) (cached, error) {
	id, err := viewer(ctx)
	if err != nil {
		return cached{}, err
	}
	q := cache.Query{
		Key: "room:" + roomID, Tags: []string{cache.TagRoom(roomID)},
		TTL: s.cfg.Cache.Rooms, Missing: watchparty.ErrNotFound, MissingTTL: s.cfg.Cache.Missing,
	}
	entry, hit, err := s.cache.Get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		found, err := s.store.Room(ctx, roomID)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(single{Data: room(found)})
		return cache.Loaded{Body: body, Meta: string(found.Visibility)}, err
	})
	if err != nil {
		return cached{}, err
	}
	if entry.Meta == string(watchparty.Private) {
		if id.UserID == "" {
			return cached{}, watchparty.ErrNotFound
		}
		in, err := s.store.IsParticipant(ctx, roomID, id.UserID)
		if err != nil {
			return cached{}, err
		}
		if !in {
			return cached{}, watchparty.ErrNotFound
		}
	}
	return cached{entry: entry, hit: hit}, nil
}

// JoinRoom puts the caller into a room.
func (s *Server) JoinRoom(ctx context.Context, r JoinRoomRequestObject) (JoinRoomResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	joined, err := s.store.JoinRoom(ctx, r.RoomID, id.UserID)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagRooms, cache.TagRoom(r.RoomID))
	return JoinRoom200JSONResponse{Data: room(joined)}, nil
}

// LeaveRoom takes the caller out of a room.
func (s *Server) LeaveRoom(ctx context.Context, r LeaveRoomRequestObject) (LeaveRoomResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	if err := s.store.LeaveRoom(ctx, r.RoomID, id.UserID); err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagRooms, cache.TagRoom(r.RoomID))
	return LeaveRoom204Response{}, nil
}

// ListParticipants answers who is in a room. Presence changes with every act, so this is read from the store.
func (s *Server) ListParticipants(ctx context.Context, r ListParticipantsRequestObject) (ListParticipantsResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	participants, err := s.store.Participants(ctx, r.RoomID)
	if err != nil {
		return nil, err
	}
	return ListParticipants200JSONResponse{Data: convert(participants, participant)}, nil
}

func room(r watchparty.Room) Room {
	state := Open
	if !r.ArchivedAt.IsZero() {
		state = Archived
	}
	return Room{
		ID: r.ID, Name: r.Name, Description: r.Description, MovieID: pointer(r.MovieID),
		Host: Person{ID: r.HostID, Username: r.HostUsername}, Visibility: Visibility(r.Visibility),
		Capacity: r.Capacity, Participants: r.Participants, State: state, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

func participant(p watchparty.Participant) Participant {
	return Participant{
		ID: p.UserID, Username: p.Username, DisplayName: p.DisplayName, Role: ParticipantRole(p.Role),
		JoinedAt: p.JoinedAt, LastSeenAt: p.LastSeenAt,
	}
}
