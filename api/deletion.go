package api

import (
	"context"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
)

// DeleteMe deletes the caller's account. From now on nothing shows its names. The transaction queues the removal of
// files and of what else is stored.
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
