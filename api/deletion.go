package api

import (
	"context"

	"github.com/watchparty/watchparty/cache"
)

// DeleteMe ends the caller's account. Nothing names them from now on; files and the rest of what is stored are promised
// to go.
func (s *Server) DeleteMe(ctx context.Context, _ DeleteMeRequestObject) (DeleteMeResponseObject, error) {
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	deleted, err := s.store.DeleteAccount(ctx, id.UserID)
	if err != nil {
		return nil, gone(err)
	}
	tags := append(cache.TagsOfRooms(deleted.Rooms), cache.TagProfile(deleted.Username), cache.TagAccount(id.UserID))
	for _, room := range deleted.Wrote {
		tags = append(tags, cache.TagMessages(room))
	}
	s.cache.Invalidate(ctx, tags...)
	return DeleteMe204Response{}, nil
}
