package api

import (
	"context"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
)

// DeleteMe ends the caller's account. Nothing names them from now on; files and the rest of what is stored are promised
// to go.
func (s *Server) DeleteMe(
	ctx context.Context,
	r contract.DeleteMeRequestObject,
) (contract.DeleteMeResponseObject, error) {
	const field = "password"
	id := caller(ctx)
	hash, err := s.provePassword(ctx, id, "delete_account", field, r.Body.Password)
	if err != nil {
		return nil, err
	}
	deleted, err := s.store.DeleteAccount(ctx, id.UserID, hash)
	if err != nil {
		return nil, gone(wrongPassword(err, field))
	}
	s.cache.Invalidate(ctx, cache.TagsOfDeleted(id.UserID, deleted.Username, deleted.Rooms, deleted.Wrote)...)
	return contract.DeleteMe204Response{}, nil
}
