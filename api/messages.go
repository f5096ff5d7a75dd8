package api

import (
	"context"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// ListMessages answers what was said in a room, to whoever may know of the room.
func (s *Server) ListMessages(ctx context.Context, r ListMessagesRequestObject) (ListMessagesResponseObject, error) {
	p, err := page("before", r.Params.Before, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	roomID := r.Params.RoomID
	if _, err := s.visibleRoom(ctx, roomID); err != nil {
		return nil, err
	}
	q := cache.Query{
		Key:  fmt.Sprintf("messages:%s:%s:%d", roomID, p.After, p.Limit),
		Tags: []string{cache.TagMessages(roomID)}, TTL: s.cfg.Cache.Messages,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		messages, err := s.store.Messages(ctx, roomID, more(p))
		messages, next := cut(messages, p, func(m watchparty.Message) string { return m.ID })
		return list{Data: convert(messages, message), NextCursor: next}, err
	})
}

// PostMessage says something in a room that the caller is in.
func (s *Server) PostMessage(ctx context.Context, r PostMessageRequestObject) (PostMessageResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := watchparty.ValidateMessage(r.Body.Body); err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, r.Body.RoomID); err != nil {
		return nil, err
	}
	author := watchparty.User{ID: id.UserID, Username: id.Username}
	posted, err := s.store.PostMessage(ctx, r.Body.RoomID, author, r.Body.Body)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagMessages(r.Body.RoomID))
	return PostMessage201JSONResponse{Data: message(posted)}, nil
}

func message(m watchparty.Message) Message {
	out := Message{ID: m.ID, RoomID: m.RoomID, Body: m.Body, CreatedAt: m.CreatedAt}
	if m.UserID != "" {
		out.Author = &Person{ID: m.UserID, Username: m.Username}
	}
	return out
}
