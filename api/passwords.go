package api

import (
	"context"
	"log/slog"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// RequestPasswordReset queues an email if the address has an account. Neither the answer nor its timing reveals whether
// it has.
func (s *Server) RequestPasswordReset(
	ctx context.Context,
	r contract.RequestPasswordResetRequestObject,
) (contract.RequestPasswordResetResponseObject, error) {
	if err := watchparty.ValidateAccountAddress(r.Body.Email); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "requestPasswordReset", r.Params.IdempotencyKey, watchparty.AccountKey(r.Body.Email))
	if err != nil {
		return nil, err
	}
	if err := s.store.RequestReset(ctx, r.Body.Email, once); err != nil {
		return nil, err
	}
	return contract.RequestPasswordReset202Response{}, nil
}

// ConfirmPasswordReset sets a password with the token from the email, and ends every sign-in.
func (s *Server) ConfirmPasswordReset(
	ctx context.Context,
	r contract.ConfirmPasswordResetRequestObject,
) (contract.ConfirmPasswordResetResponseObject, error) {
	if err := watchparty.ValidatePassword("password", r.Body.Password); err != nil {
		return nil, err
	}
	id, err := s.oneTime.Row(auth.ForReset, r.Body.Token)
	if err != nil {
		return nil, err
	}
	user, err := s.store.ResetUser(ctx, id)
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		err = watchparty.ErrBadToken
	}
	if err != nil {
		return nil, err
	}
	if err := watchparty.ValidatePassword("password", r.Body.Password, user.Username, user.Email); err != nil {
		return nil, err
	}
	hash, err := s.hashPassword(ctx, r.Body.Password)
	if err != nil {
		return nil, err
	}
	userID, err := s.store.ResetPassword(ctx, id, hash)
	if err != nil {
		return nil, err
	}
	s.rememberClient(ctx, userID)
	return contract.ConfirmPasswordReset204Response{}, nil
}

// ChangePassword sets a password, given the present one, and ends the account's other sign-ins.
func (s *Server) ChangePassword(
	ctx context.Context,
	r contract.ChangePasswordRequestObject,
) (contract.ChangePasswordResponseObject, error) {
	const field = "current_password"
	id := caller(ctx)
	user, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	if err := watchparty.ValidatePassword("new_password", r.Body.NewPassword, user.Username, user.Email); err != nil {
		return nil, err
	}
	former, err := s.checkOwnPassword(ctx, id, "change_password", field, r.Body.CurrentPassword)
	if err != nil {
		return nil, err
	}
	if err := s.limitPasswords(ctx, id.UserID); err != nil {
		return nil, err
	}
	hash, err := s.hashPassword(ctx, r.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	err = s.store.ChangePassword(ctx, id.UserID, former, hash, id.SessionID)
	if err != nil { // ErrWrongPassword if it was changed at the same time
		return nil, gone(wrongPassword(err, field))
	}
	s.rememberClient(ctx, id.UserID)
	return contract.ChangePassword204Response{}, nil
}

// rememberClient stores the client as known after a change of the password, which has deleted the known clients.
func (s *Server) rememberClient(ctx context.Context, userID string) {
	if err := s.store.RememberClient(ctx, userID, s.clientHash(ctx)); err != nil { // the password is set all the same
		s.log.WarnContext(ctx, "A client was not remembered", slog.Any("error", err))
	}
}
