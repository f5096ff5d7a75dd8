package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListSessions answers the caller's sign-ins.
func (s *Server) ListSessions(
	ctx context.Context,
	r contract.ListSessionsRequestObject,
) (contract.ListSessionsResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listSessions", id.UserID)
	if err != nil {
		return nil, err
	}
	sessions, err := s.store.Sessions(ctx, id.UserID, more(p))
	if err != nil {
		return nil, err
	}
	sessions, next := cut(sessions, p, func(s watchparty.Session) store.Keys { return store.Keys{s.ID} })
	return contract.ListSessions200JSONResponse{Data: convert(sessions, sessionOf(id.SessionID)), NextCursor: next}, nil
}

// sessionOf makes answers for who asks with the sign-in current.
func sessionOf(current string) func(watchparty.Session) contract.Session {
	return func(s watchparty.Session) contract.Session {
		return contract.Session{
			ID: s.ID, UserAgent: s.UserAgent, SignedInAt: s.SignedInAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
			Current: s.ID == current,
		}
	}
}

// EndOtherSessions ends every sign-in of the caller's but the one that asks.
func (s *Server) EndOtherSessions(
	ctx context.Context,
	_ contract.EndOtherSessionsRequestObject,
) (contract.EndOtherSessionsResponseObject, error) {
	id := caller(ctx)
	if err := s.store.EndSessions(ctx, id.UserID, id.SessionID); err != nil {
		return nil, gone(err)
	}
	return contract.EndOtherSessions204Response{}, nil
}

// EndSession ends one sign-in of the caller's, be it the one that asks.
func (s *Server) EndSession(
	ctx context.Context,
	r contract.EndSessionRequestObject,
) (contract.EndSessionResponseObject, error) {
	id := caller(ctx)
	if err := s.store.EndSession(ctx, id.UserID, r.SessionID); err != nil {
		return nil, err
	}
	return contract.EndSession204Response{}, nil
}
