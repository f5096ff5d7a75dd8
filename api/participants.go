package api

import (
	"context"
	"errors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// JoinRoom adds the caller to a room.
func (s *Server) JoinRoom(
	ctx context.Context,
	r contract.JoinRoomRequestObject,
) (contract.JoinRoomResponseObject, error) {
	id := caller(ctx)
	joined, err := s.store.JoinRoom(ctx, r.RoomID, id.UserID)
	if err != nil {
		return nil, err
	}
	return contract.JoinRoom200JSONResponse{Data: s.room(joined)}, nil
}

// LeaveRoom removes the caller from a room.
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

// QuitRoom ends the caller's membership of a room.
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

// SendHeartbeat stores that the caller is present. People who are in the room may see it, so only for others it checks
// that.
func (s *Server) SendHeartbeat(
	ctx context.Context,
	r contract.SendHeartbeatRequestObject,
) (contract.SendHeartbeatResponseObject, error) {
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
	return contract.SendHeartbeat204Response{}, nil
}

// ListParticipants lists the people in a room. It is read from the store, since presence changes all the time.
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
	return contract.ListParticipants200JSONResponse{Data: convert(participants, s.participant)}, nil
}

func (s *Server) participant(p watchparty.Participant) contract.Participant {
	return contract.Participant{
		User: s.requiredPerson(p.User), Role: contract.Role(p.Role), Present: p.Present(store.Now()),
		MutedUntil: pointer(p.MutedUntil), JoinedAt: p.JoinedAt, LastSeenAt: p.LastSeenAt,
	}
}
