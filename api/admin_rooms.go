package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListAnyRooms lists all rooms, private and hidden ones included.
func (s *Server) ListAnyRooms(
	ctx context.Context,
	r contract.ListAnyRoomsRequestObject,
) (contract.ListAnyRoomsResponseObject, error) {
	f := watchparty.AdminRoomFilter{
		Search: value(r.Params.Q), HostID: value(r.Params.HostID), State: watchparty.AdminRoomState(value(r.Params.State)),
	}
	if err := watchparty.ValidateSearch(f.Search); err != nil {
		return nil, err
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listAnyRooms", f)
	if err != nil {
		return nil, err
	}
	rooms, err := s.store.AnyRooms(ctx, f, more(p))
	if err != nil {
		return nil, err
	}
	rooms, next := cut(rooms, p, func(r watchparty.AdminRoom) store.Keys {
		return store.SearchKeys(r.Room.Rank, r.Room.ID)
	})
	return contract.ListAnyRooms200JSONResponse{Data: convert(rooms, s.adminRoom), NextCursor: next}, nil
}

// GetAnyRoom answers with any room.
func (s *Server) GetAnyRoom(
	ctx context.Context,
	r contract.GetAnyRoomRequestObject,
) (contract.GetAnyRoomResponseObject, error) {
	found, err := s.store.AnyRoom(ctx, r.RoomID)
	if err != nil {
		return nil, err
	}
	return contract.GetAnyRoom200JSONResponse{Data: s.adminRoom(found)}, nil
}

// ListAnyMessages lists the messages of any room. Reading those of a private room is audited first.
func (s *Server) ListAnyMessages(
	ctx context.Context,
	r contract.ListAnyMessagesRequestObject,
) (contract.ListAnyMessagesResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listAnyMessages", r.RoomID)
	if err != nil {
		return nil, err
	}
	if err := s.store.NoteRoomRead(ctx, id.UserID, r.RoomID); err != nil {
		return nil, err
	}
	messages, err := s.store.AnyMessages(ctx, r.RoomID, more(p))
	if err != nil {
		return nil, err
	}
	messages, next := cut(messages, p, func(m watchparty.AdminMessage) store.Keys { return store.Keys{m.Message.ID} })
	return contract.ListAnyMessages200JSONResponse{Data: convert(messages, s.adminMessage), NextCursor: next}, nil
}

// CloseRoom archives a room so that its host cannot open it.
func (s *Server) CloseRoom(
	ctx context.Context,
	r contract.CloseRoomRequestObject,
) (contract.CloseRoomResponseObject, error) {
	id := caller(ctx)
	why, err := moderation(r.Body.Reason, r.Body.ReportID)
	if err != nil {
		return nil, err
	}
	closed, err := s.store.CloseRoom(ctx, id.UserID, r.RoomID, why)
	if err != nil {
		return nil, err
	}
	return contract.CloseRoom200JSONResponse{Data: s.adminRoom(closed)}, nil
}

// ReopenRoom opens a room, whoever archived it.
func (s *Server) ReopenRoom(
	ctx context.Context,
	r contract.ReopenRoomRequestObject,
) (contract.ReopenRoomResponseObject, error) {
	id := caller(ctx)
	why, err := moderation(r.Body.Reason, nil)
	if err != nil {
		return nil, err
	}
	opened, err := s.store.ReopenRoom(ctx, id.UserID, r.RoomID, why.Reason)
	if err != nil {
		return nil, err
	}
	return contract.ReopenRoom200JSONResponse{Data: s.adminRoom(opened)}, nil
}

// RemoveMessage deletes a message in any room.
func (s *Server) RemoveMessage(
	ctx context.Context,
	r contract.RemoveMessageRequestObject,
) (contract.RemoveMessageResponseObject, error) {
	id := caller(ctx)
	why, err := moderation(r.Body.Reason, r.Body.ReportID)
	if err != nil {
		return nil, err
	}
	if err := s.store.RemoveMessage(ctx, id.UserID, r.MessageID, why); err != nil {
		return nil, err
	}
	return contract.RemoveMessage204Response{}, nil
}

// moderation returns the reason of an admin's act in a request.
func moderation(reason string, reportID *string) (watchparty.Moderation, error) {
	why := watchparty.Moderation{Reason: reason, ReportID: value(reportID)}
	why.Normalise()
	return why, why.Validate()
}

func (s *Server) adminRoom(r watchparty.AdminRoom) contract.AdminRoom {
	return contract.AdminRoom{Room: s.room(r.Room), ClosedAt: pointer(r.Room.ClosedAt), Hidden: r.Hidden}
}

func (s *Server) adminMessage(m watchparty.AdminMessage) contract.AdminMessage {
	return contract.AdminMessage{Message: s.message(m.Message), Hidden: m.Hidden}
}
