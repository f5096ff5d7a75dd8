package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// AdminListRooms lists all rooms, private and hidden ones included.
func (s *Server) AdminListRooms(
	ctx context.Context,
	r contract.AdminListRoomsRequestObject,
) (contract.AdminListRoomsResponseObject, error) {
	f := watchparty.AdminRoomFilter{
		Search: value(r.Params.Q), HostID: value(r.Params.HostID), State: watchparty.AdminRoomState(value(r.Params.State)),
	}
	if err := watchparty.ValidateSearch(f.Search); err != nil {
		return nil, err
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "adminListRooms", f)
	if err != nil {
		return nil, err
	}
	rooms, err := s.store.AdminRooms(ctx, f, more(p))
	if err != nil {
		return nil, err
	}
	rooms, next := cut(rooms, p, func(r watchparty.AdminRoom) store.Keys {
		return store.SearchKeys(r.Room.Rank, r.Room.ID)
	})
	return contract.AdminListRooms200JSONResponse{Data: convert(rooms, s.adminRoom), NextCursor: next}, nil
}

// AdminGetRoom answers with any room.
func (s *Server) AdminGetRoom(
	ctx context.Context,
	r contract.AdminGetRoomRequestObject,
) (contract.AdminGetRoomResponseObject, error) {
	found, err := s.store.AdminRoom(ctx, r.RoomID)
	if err != nil {
		return nil, err
	}
	return contract.AdminGetRoom200JSONResponse{Data: s.adminRoom(found)}, nil
}

// AdminListMessages lists the messages of any room. Reading those of a private room is audited first.
func (s *Server) AdminListMessages(
	ctx context.Context,
	r contract.AdminListMessagesRequestObject,
) (contract.AdminListMessagesResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "adminListMessages", r.RoomID)
	if err != nil {
		return nil, err
	}
	if err := s.store.AuditRoomRead(ctx, id.UserID, r.RoomID); err != nil {
		return nil, err
	}
	messages, err := s.store.AdminMessages(ctx, r.RoomID, more(p))
	if err != nil {
		return nil, err
	}
	messages, next := cut(messages, p, func(m watchparty.AdminMessage) store.Keys { return store.Keys{m.Message.ID} })
	return contract.AdminListMessages200JSONResponse{Data: convert(messages, s.adminMessage), NextCursor: next}, nil
}

// CloseRoom archives a room so that its host cannot open it.
func (s *Server) CloseRoom(
	ctx context.Context,
	r contract.CloseRoomRequestObject,
) (contract.CloseRoomResponseObject, error) {
	id := caller(ctx)
	why, err := moderation(r.Body.Reason, r.Body.AbuseReportID)
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

// AdminDeleteMessage deletes a message in any room.
func (s *Server) AdminDeleteMessage(
	ctx context.Context,
	r contract.AdminDeleteMessageRequestObject,
) (contract.AdminDeleteMessageResponseObject, error) {
	id := caller(ctx)
	why, err := moderation(r.Body.Reason, r.Body.AbuseReportID)
	if err != nil {
		return nil, err
	}
	if err := s.store.RemoveMessage(ctx, id.UserID, r.MessageID, why); err != nil {
		return nil, err
	}
	return contract.AdminDeleteMessage204Response{}, nil
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
