package api

import (
	"context"
	"errors"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/cache"
)

// RequestPasswordReset promises a mail, if the address has an account. It does not tell whether it has, in answer or in
// time.
func (s *Server) RequestPasswordReset(ctx context.Context, r RequestPasswordResetRequestObject) (RequestPasswordResetResponseObject, error) {
	email := strings.TrimSpace(r.Body.Email)
	if err := watchparty.ValidateAccountAddress(email); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "requestPasswordReset", r.Params.IdempotencyKey, strings.ToLower(email))
	if err != nil {
		return nil, err
	}
	if err := s.limitMails(ctx, email); err != nil {
		return nil, err
	}
	if err := s.store.RequestReset(ctx, email, once); err != nil {
		return nil, err
	}
	return RequestPasswordReset202Response{}, nil
}

// ConfirmPasswordReset sets a password with the token from the mail, and ends every sign-in.
func (s *Server) ConfirmPasswordReset(ctx context.Context, r ConfirmPasswordResetRequestObject) (ConfirmPasswordResetResponseObject, error) {
	if err := watchparty.ValidatePassword("password", r.Body.Password); err != nil {
		return nil, err
	}
	id, err := s.oneTime.Row(auth.ForReset, r.Body.Token)
	if err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, r.Body.Password)
	if err != nil {
		return nil, err
	}
	userID, err := s.store.ResetPassword(ctx, id, hash)
	if err != nil {
		return nil, err
	}
	s.cache.Invalidate(ctx, cache.TagAccount(userID))
	return ConfirmPasswordReset204Response{}, nil
}

// ChangePassword sets a password for who knows the present one, and ends the account's other sign-ins.
func (s *Server) ChangePassword(ctx context.Context, r ChangePasswordRequestObject) (ChangePasswordResponseObject, error) {
	const field = "current_password"
	id, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := watchparty.ValidatePassword("new_password", r.Body.NewPassword); err != nil {
		return nil, err
	}
	former, err := s.provePassword(ctx, id, field, r.Body.CurrentPassword)
	if err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, r.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	err = s.store.ChangePassword(ctx, id.UserID, former, hash, id.SessionID)
	if errors.Is(err, watchparty.ErrWrongPassword) { // changed in the meantime
		return nil, watchparty.WrongPassword(field)
	}
	if err != nil {
		return nil, gone(err)
	}
	s.cache.Invalidate(ctx, cache.TagAccount(id.UserID))
	return ChangePassword204Response{}, nil
}

// provePassword returns the hash that the caller's password was found to have, or ErrWrongPassword for the field in which
// they gave it.
func (s *Server) provePassword(ctx context.Context, id auth.Identity, field, password string) (string, error) {
	if err := s.checkFailures(ctx, id.UserID); err != nil {
		return "", err
	}
	hash, err := s.store.PasswordHash(ctx, id.UserID)
	if err != nil {
		return "", gone(err)
	}
	ok, err := s.passwords.Verify(ctx, password, hash)
	if err != nil {
		return "", err
	}
	if !ok {
		if err := s.countFailure(ctx, id.UserID); err != nil {
			return "", err
		}
		return "", watchparty.WrongPassword(field)
	}
	return hash, nil
}
