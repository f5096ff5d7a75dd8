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
	s.cache.Invalidate(ctx, cache.TagsOfDeleted(id.UserID, deleted.Username, deleted.Rooms, deleted.Wrote)...)
	return DeleteMe204Response{}, nil
}
