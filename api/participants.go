package api

import (
	"context"
	"errors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// JoinRoom puts the caller into a room.
func (s *Server) JoinRoom(
	ctx context.Context,
	r contract.JoinRoomRequestObject,
) (contract.JoinRoomResponseObject, error) {
	id := caller(ctx)
	joined, err := s.store.JoinRoom(ctx, r.RoomID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.JoinRoom200JSONResponse{Data: room(joined)}, nil
}

// LeaveRoom takes the caller out of a room.
func (s *Server) LeaveRoom(
	ctx context.Context,
	r contract.LeaveRoomRequestObject,
) (contract.LeaveRoomResponseObject, error) {
	id := caller(ctx)
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	if err := s.store.LeaveRoom(ctx, r.RoomID, id.UserID); err != nil {
		return nil, err
	}
	return contract.LeaveRoom204Response{}, nil
}

// QuitRoom takes the caller out of a room for good.
func (s *Server) QuitRoom(
	ctx context.Context,
	r contract.QuitRoomRequestObject,
) (contract.QuitRoomResponseObject, error) {
	id := caller(ctx)
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	if err := s.store.QuitRoom(ctx, r.RoomID, id.UserID); err != nil {
		return nil, err
	}
	return contract.QuitRoom204Response{}, nil
}

// Heartbeat notes that the caller is still there. Whoever is in the room may be, so only for others is it decided what
// they may know.
func (s *Server) Heartbeat(
	ctx context.Context,
	r contract.HeartbeatRequestObject,
) (contract.HeartbeatResponseObject, error) {
	id := caller(ctx)
	_, err := s.store.Heartbeat(ctx, r.RoomID, id.UserID, s.cfg.Room.HostSilence)
	if errors.Is(err, watchparty.ErrNotParticipant) {
		if _, unseen := s.visibleRoom(ctx, r.RoomID); unseen != nil {
			return nil, unseen
		}
	}
	if err != nil {
		return nil, err
	}
	return contract.Heartbeat204Response{}, nil
}

// ListParticipants answers who is in a room. Presence changes with every act, so this is read from the store.
func (s *Server) ListParticipants(
	ctx context.Context,
	r contract.ListParticipantsRequestObject,
) (contract.ListParticipantsResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	participants, err := s.store.Participants(ctx, r.RoomID)
	if err != nil {
		return nil, err
	}
	return contract.ListParticipants200JSONResponse{Data: convert(participants, participant)}, nil
}

func participant(p watchparty.Participant) contract.Participant {
	return contract.Participant{
		ID: p.UserID, Username: p.Username, DisplayName: p.DisplayName, Role: contract.Role(p.Role),
		Present: p.Present(store.Now()), MutedUntil: pointer(p.MutedUntil), JoinedAt: p.JoinedAt, LastSeenAt: p.LastSeenAt,
	}
}
