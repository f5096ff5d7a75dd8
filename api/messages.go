package api

import (
	"context"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
)

// ListMessages answers what was said in a room, to whoever may know of the room.
func (s *Server) ListMessages(ctx context.Context, r contract.ListMessagesRequestObject) (contract.ListMessagesResponseObject, error) {
	field, cursor, direction, read := "before", r.Params.Before, "", s.store.Messages
	if r.Params.After != nil {
		field, cursor, direction, read = "after", r.Params.After, "after:", s.store.NewerMessages
	}
	if r.Params.Before != nil && r.Params.After != nil {
		return nil, watchparty.Invalid(watchparty.FieldError{Field: "after", Code: "conflict", Message: "does not go with before"})
	}
	roomID := r.Params.RoomID
	p, err := s.page(field, cursor, r.Params.Limit, "listMessages", roomID)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, roomID); err != nil {
		return nil, err
	}
	q := cache.Query{
		Key:  fmt.Sprintf("messages:%s:%s%s:%d", roomID, direction, p.After, p.Limit),
		Tags: []string{cache.TagMessages(roomID)}, TTL: s.cfg.Cache.Messages,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		messages, err := read(ctx, roomID, more(p))
		messages, next := cut(messages, p, messageKeys)
		answer := messageList{list: list{Data: convert(messages, message), NextCursor: next}, NewerCursor: cursor}
		if len(messages) > 0 {
			newest := messages[0]
			if direction != "" {
				newest = messages[len(messages)-1]
			}
			answer.NewerCursor = p.encode(messageKeys(newest))
		}
		return answer, err
	})
}

func messageKeys(m watchparty.Message) store.Keys { return store.Keys{m.ID} }

// messageList is a list that can be read in both directions.
type messageList struct {
	list
	NewerCursor *string `json:"newer_cursor"`
}

// PostMessage says something in a room that the caller is in.
func (s *Server) PostMessage(ctx context.Context, r contract.PostMessageRequestObject) (contract.PostMessageResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewMessage{RoomID: r.Body.RoomID, Body: r.Body.Body, ReplyToID: value(r.Body.ReplyToID)}
	if err := watchparty.ValidateMessage(n.Body); err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, n.RoomID); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "postMessage", r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	posted, err := s.store.PostMessage(ctx, watchparty.User{ID: id.UserID, Username: id.Username}, n, once)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagMessages(n.RoomID))
	answer := message(posted)
	made, err := madeAt("/chat/messages/"+answer.ID, 0, contract.MessageAnswer{Data: answer})
	return contract.PostMessage201JSONResponse{Body: contract.MessageAnswer{Data: answer}, Headers: contract.PostMessage201ResponseHeaders(made)}, err
}

// GetMessage answers one message, to whoever may know of its room.
func (s *Server) GetMessage(ctx context.Context, r contract.GetMessageRequestObject) (contract.GetMessageResponseObject, error) {
	found, err := s.store.Message(ctx, r.MessageID)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, found.RoomID); err != nil {
		return nil, err
	}
	return tagged{contract.MessageAnswer{Data: message(found)}, r.Params.IfNoneMatch}, nil
}

// EditMessage changes what the caller said.
func (s *Server) EditMessage(ctx context.Context, r contract.EditMessageRequestObject) (contract.EditMessageResponseObject, error) {
	id := caller(ctx)
	if err := watchparty.ValidateMessage(r.Body.Body); err != nil {
		return nil, err
	}
	known, err := s.store.Message(ctx, r.MessageID)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, known.RoomID); err != nil {
		return nil, err
	}
	edited, err := s.store.EditMessage(ctx, known.ID, id.UserID, r.Body.Body)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagMessages(known.RoomID))
	return contract.EditMessage200JSONResponse{Data: message(edited)}, nil
}

// DeleteMessage takes back what the caller said, or someone below them in the room.
func (s *Server) DeleteMessage(ctx context.Context, r contract.DeleteMessageRequestObject) (contract.DeleteMessageResponseObject, error) {
	id := caller(ctx)
	known, err := s.store.Message(ctx, r.MessageID)
	if err != nil {
		return nil, err
	}
	if known.UserID != id.UserID { // one's own words one may take back from anywhere, banned or put out
		if _, err := s.visibleRoom(ctx, known.RoomID); err != nil {
			return nil, err
		}
	}
	if err := s.store.DeleteMessage(ctx, known.ID, id.UserID); err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagMessages(known.RoomID))
	return contract.DeleteMessage204Response{}, nil
}

func message(m watchparty.Message) contract.Message {
	out := contract.Message{
		ID: m.ID, RoomID: m.RoomID, Author: personOf(m.UserID, m.Username), Body: m.Body, CreatedAt: m.CreatedAt,
		EditedAt: pointer(m.EditedAt), Deleted: !m.DeletedAt.IsZero(),
	}
	if m.ReplyTo != nil {
		out.ReplyTo = &contract.Quote{ID: m.ReplyTo.ID, Author: personOf(m.ReplyTo.UserID, m.ReplyTo.Username), Excerpt: m.ReplyTo.Excerpt}
	}
	return out
}
