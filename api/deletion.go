package api

import (
	"context"

	"github.com/watchparty/watchparty/api/contract"
)

// DeleteMe deletes the caller's account. From now on nothing shows its names. The transaction queues the removal of
// files and of what else is stored.
func (s *Server) DeleteMe(
	ctx context.Context,
	r contract.DeleteMeRequestObject,
) (contract.DeleteMeResponseObject, error) {
	const field = "password"
	id := caller(ctx)
	hash, err := s.checkOwnPassword(ctx, id, "delete_account", field, r.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := s.store.DeleteAccount(ctx, id.UserID, hash); err != nil {
		return nil, gone(wrongPassword(err, field))
	}
	return contract.DeleteMe204Response{}, nil
}
