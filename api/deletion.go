package api

import (
	"context"

	"github.com/watchparty/watchparty/api/contract"
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
	if err := s.store.DeleteAccount(ctx, id.UserID, hash); err != nil {
		return nil, gone(wrongPassword(err, field))
	}
	return contract.DeleteMe204Response{}, nil
}
