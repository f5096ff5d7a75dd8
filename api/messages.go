package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// ListMessages lists messages of a room for everyone who may see the room.
func (s *Server) ListMessages(
	ctx context.Context,
	r contract.ListMessagesRequestObject,
) (contract.ListMessagesResponseObject, error) {
	v, err := s.messagesView(r.Params)
	if err != nil {
		return nil, err
	}
	roomID := r.Params.RoomID
	p, err := s.page(v.field, v.cursor, r.Params.Limit, v.list, roomID)
	if err != nil {
		return nil, err
	}
	q := cache.Query{
		Key:  fmt.Sprintf("chat:%s:%s:%s:%d", roomID, v.field, p.After, p.Limit),
		Tags: []string{coherence.TagMessages(roomID)}, TTL: s.cfg.Cache.Messages,
	}
	ctx = s.prefetch(ctx, append(s.roomQueries(ctx, roomID), q)...)
	if _, err := s.visibleRoom(ctx, roomID); err != nil {
		return nil, err
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		answer := messageList{NewerCursor: v.cursor}
		if v.field == "" { // read before the page, so that a change between the two is listed twice rather than missed
			last, err := s.store.LastMessageChange(ctx, roomID)
			if err != nil {
				return cache.Loaded{}, err
			}
			updates, err := s.cursorsOf(messageUpdates, []any{roomID})
			if err != nil {
				return cache.Loaded{}, err
			}
			answer.UpdatesCursor = updates.encode(last)
		}
		messages, err := v.read(ctx, roomID, more(p))
		messages, next := cut(messages, p, v.keys)
		answer.list = list{Data: convert(messages, s.message), NextCursor: next}
		v.setCursors(&answer, messages, p)
		loaded, err := encoded(answer, err)
		for _, m := range messages {
			loaded.Tags = append(loaded.Tags, tagsOfPeople(m.Author)...)
			if m.ReplyTo != nil {
				loaded.Tags = append(loaded.Tags, tagsOfPeople(m.ReplyTo.Author)...)
			}
		}
		slices.Sort(loaded.Tags)
		loaded.Tags = slices.Compact(loaded.Tags) // few people write most of a page
		return loaded, err
	})
}

// messageUpdates is the name, in cursors, of the list of changed messages.
const messageUpdates = "listMessages updates"

// messagesView is an order in which the messages of a room are listed.
type messagesView struct {
	field  string // parameter that has the cursor; empty for the newest messages
	cursor *string
	list   string // name in cursors
	read   func(ctx context.Context, roomID string, p store.Page) ([]watchparty.Message, error)
	keys   func(watchparty.Message) store.Keys
}

// messagesView returns the order that a request asks for.
func (s *Server) messagesView(params contract.ListMessagesParams) (messagesView, error) {
	v := messagesView{list: "listMessages", read: s.store.Messages, keys: messageKeys}
	for _, c := range []struct {
		field  string
		cursor *string
	}{{"before", params.Before}, {"after", params.After}, {"updated_after", params.UpdatedAfter}} {
		if c.cursor == nil {
			continue
		}
		if v.cursor != nil {
			return v, watchparty.Invalid(
				watchparty.FieldError{Field: c.field, Code: "conflict", Message: "cannot be used together with " + v.field},
			)
		}
		v.field, v.cursor = c.field, c.cursor
	}
	switch v.field {
	case "after":
		v.read = s.store.NewerMessages
	case "updated_after":
		v.list, v.read, v.keys = messageUpdates, s.store.ChangedMessages, changeKeys
	}
	return v, nil
}

// setCursors sets the cursors with which a client continues after an answer.
func (v messagesView) setCursors(answer *messageList, messages []watchparty.Message, p paging) {
	if v.field == "updated_after" {
		answer.NewerCursor, answer.UpdatesCursor = nil, v.cursor
	}
	if len(messages) == 0 {
		return
	}
	first, last := messages[0], messages[len(messages)-1]
	switch v.field {
	case "updated_after":
		answer.UpdatesCursor = p.encode(v.keys(last))
	case "after":
		answer.NewerCursor = p.encode(v.keys(last))
	default:
		answer.NewerCursor = p.encode(v.keys(first))
	}
}

func messageKeys(m watchparty.Message) store.Keys { return store.Keys{m.ID} }

func changeKeys(m watchparty.Message) store.Keys { return store.Keys{m.ChangedAt, m.ID} }

// messageList is a list that can be read in both directions, and by changes.
type messageList struct {
	list
	NewerCursor   *string `json:"newer_cursor"`
	UpdatesCursor *string `json:"updates_cursor"`
}

// PostMessage posts a message in a room that the caller is in.
func (s *Server) PostMessage(
	ctx context.Context,
	r contract.PostMessageRequestObject,
) (contract.PostMessageResponseObject, error) {
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
	answer := s.message(posted)
	made, err := madeAt("/chat/messages/"+answer.ID, 0, contract.MessageAnswer{Data: answer})
	return contract.PostMessage201JSONResponse{
		Body:    contract.MessageAnswer{Data: answer},
		Headers: contract.PostMessage201ResponseHeaders(made),
	}, err
}

// GetMessage answers with a message to everyone who may see its room.
func (s *Server) GetMessage(
	ctx context.Context,
	r contract.GetMessageRequestObject,
) (contract.GetMessageResponseObject, error) {
	found, err := s.store.Message(ctx, r.MessageID)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleRoom(ctx, found.RoomID); err != nil {
		return nil, err
	}
	return tagged{contract.MessageAnswer{Data: s.message(found)}, r.Params.IfNoneMatch}, nil
}

// EditMessage edits a message of the caller.
func (s *Server) EditMessage(
	ctx context.Context,
	r contract.EditMessageRequestObject,
) (contract.EditMessageResponseObject, error) {
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
	return contract.EditMessage200JSONResponse{Data: s.message(edited)}, nil
}

// DeleteMessage deletes a message of the caller, or of a person with a lower role.
func (s *Server) DeleteMessage(
	ctx context.Context,
	r contract.DeleteMessageRequestObject,
) (contract.DeleteMessageResponseObject, error) {
	id := caller(ctx)
	known, err := s.store.Message(ctx, r.MessageID)
	if err != nil {
		return nil, err
	}
	if known.Author.ID != id.UserID { // the own messages can be deleted from outside of the room, and when banned
		if _, err := s.visibleRoom(ctx, known.RoomID); err != nil {
			return nil, err
		}
	}
	if err := s.store.DeleteMessage(ctx, known.ID, id.UserID); err != nil {
		return nil, err
	}
	return contract.DeleteMessage204Response{}, nil
}

func (s *Server) message(m watchparty.Message) contract.Message {
	out := contract.Message{
		ID: m.ID, RoomID: m.RoomID, Author: s.person(m.Author), Body: m.Body, CreatedAt: m.CreatedAt,
		EditedAt: pointer(m.EditedAt), Deleted: !m.DeletedAt.IsZero(),
	}
	if m.ReplyTo != nil {
		out.ReplyTo = &contract.Quote{
			ID:      m.ReplyTo.ID,
			Author:  s.person(m.ReplyTo.Author),
			Excerpt: m.ReplyTo.Excerpt,
		}
	}
	return out
}
