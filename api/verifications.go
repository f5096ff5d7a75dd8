package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// VerifyEmail confirms the address that the token was sent to, and makes it the account's.
func (s *Server) VerifyEmail(
	ctx context.Context,
	r contract.VerifyEmailRequestObject,
) (contract.VerifyEmailResponseObject, error) {
	id, err := s.oneTime.Row(auth.ForEmail, r.Body.Token)
	if err != nil {
		return nil, err
	}
	if err := s.store.VerifyEmail(ctx, id); err != nil {
		return nil, err
	}
	return contract.VerifyEmail204Response{}, nil
}

// ChangeEmail queues an email to the new address, unless another account has it, which the answer does not reveal. The
// change happens when the link in the email is confirmed.
func (s *Server) ChangeEmail(
	ctx context.Context,
	r contract.ChangeEmailRequestObject,
) (contract.ChangeEmailResponseObject, error) {
	id := caller(ctx)
	if err := watchparty.ValidateEmail(r.Body.Email); err != nil {
		return nil, err
	}
	hash, err := s.checkOwnPassword(ctx, id, "change_email", "password", r.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := s.store.RequestEmailChange(ctx, id.UserID, hash, r.Body.Email); err != nil {
		return nil, gone(wrongPassword(err, "password"))
	}
	return contract.ChangeEmail202Response{}, nil
}

// ResendVerification queues another email to the caller's address, unless that is confirmed already.
func (s *Server) ResendVerification(
	ctx context.Context,
	r contract.ResendVerificationRequestObject,
) (contract.ResendVerificationResponseObject, error) {
	id := caller(ctx)
	once, err := s.once(ctx, "resendVerification", r.Params.IdempotencyKey, nil)
	if err != nil {
		return nil, err
	}
	if err := s.store.ResendVerification(ctx, id.UserID, once); err != nil {
		return nil, gone(err)
	}
	return contract.ResendVerification202Response{}, nil
}
