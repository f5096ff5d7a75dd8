package api

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/limit"
)

// passwordCheck is a password that a caller gives for an account.
type passwordCheck struct {
	act     string // what it allows, for the log
	userID  string // empty for an account that does not exist
	account string // whose guesses are counted together: the user's ID, or an address without an account
	client  string // the client, whose guesses are also counted separately
	known   bool   // whether the client has signed in to the account before
	hash    string // the account's hash; empty for an account that does not exist

	password string
}

// checkOwnPassword returns the hash that matches the caller's password, or ErrWrongPassword for the field of the
// request. The caller's sign-in is the client, so that other people's guesses do not count against it.
func (s *Server) checkOwnPassword(ctx context.Context, id auth.Identity, act, field, password string) (string, error) {
	hash, err := s.store.PasswordHash(ctx, id.UserID)
	if err != nil {
		return "", gone(err)
	}
	hash, err = s.checkPassword(ctx, passwordCheck{
		act:      act,
		userID:   id.UserID,
		account:  id.UserID,
		client:   "sign-in " + id.SessionID,
		known:    true,
		hash:     hash,
		password: password,
	})
	return hash, wrongPassword(err, field)
}

// wrongPassword makes an ErrWrongPassword name the field.
func wrongPassword(err error, field string) error {
	if errors.Is(err, watchparty.ErrWrongPassword) {
		return watchparty.WrongPassword(field)
	}
	return err
}

// checkPassword is the only place where a password is compared with a hash. It counts the guess first, so that
// concurrent guesses cannot exceed the limit, and takes it back if the password is right. Over the limit, a right
// password is refused too. It returns the account's hash, which may have been renewed, or ErrWrongPassword.
func (s *Server) checkPassword(ctx context.Context, p passwordCheck) (string, error) {
	// At most as many guesses are counted and undecided as can be computed at once.
	turn, err := s.passwords.Wait(ctx)
	if err != nil {
		return "", err
	}
	defer turn.End()
	takeBack, err := s.countGuess(ctx, p)
	if err != nil {
		return "", err
	}
	hash, err := s.matchHash(ctx, turn, p)
	if err != nil || hash != "" {
		takeBack()
		return hash, err
	}
	reason := "wrong_password"
	if p.userID == "" {
		reason = "unknown_account"
	}
	s.logRefusal(ctx, p, reason)
	return "", watchparty.ErrWrongPassword
}

// countGuess counts a guess of a password, and returns the function that uncounts it.
func (s *Server) countGuess(ctx context.Context, p passwordCheck) (takeBack func(), err error) {
	if s.limits == nil {
		return func() {}, nil
	}
	charges := []limit.Charge{{Rule: s.limits.guesses, Subject: p.account + " " + p.client}}
	if !p.known {
		charges = append(charges, limit.Charge{Rule: s.limits.strangers, Subject: p.account})
	}
	result, reservation := s.limits.guard.Reserve(ctx, p.account, charges...)
	if reservation == nil {
		if s.limits.refusals.Allow(p.account).Allowed {
			s.logRefusal(ctx, p, "too_many_guesses")
		}
		return nil, refuse(result)
	}
	return func() { reservation.Cancel(ctx) }, nil
}

// matchHash returns the account's hash in force if the password matches it, and an empty one if not.
func (s *Server) matchHash(ctx context.Context, turn *auth.Turn, p passwordCheck) (string, error) {
	for _, form := range watchparty.PasswordForms(p.password) {
		ok, err := turn.Verify(form, p.hash)
		if err != nil {
			return "", err
		}
		if ok {
			return s.renewHash(ctx, turn, p, form)
		}
	}
	return "", nil
}

// renewHash replaces the hash of a typed password by one of its normal form. It returns the account's hash. If another
// request has replaced the hash at the same time, it returns the stored one if the password matches, and an empty one
// otherwise.
func (s *Server) renewHash(ctx context.Context, turn *auth.Turn, p passwordCheck, matched string) (string, error) {
	normal, ok := watchparty.NormalPassword(p.password)
	if !ok || normal == matched {
		return p.hash, nil
	}
	renewed := turn.Hash(normal)
	changed, err := s.store.RenewHash(ctx, p.userID, p.hash, renewed)
	if err != nil {
		return "", err
	}
	if changed {
		return renewed, nil
	}
	stored, err := s.store.PasswordHash(ctx, p.userID)
	if watchparty.IsKind(err, watchparty.KindNotFound) { // the account was deleted at the same time
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if ok, err = turn.Verify(normal, stored); err != nil || !ok {
		return "", err
	}
	return stored, nil
}

// hashPassword hashes a new, valid password.
func (s *Server) hashPassword(ctx context.Context, password string) (string, error) {
	normal, _ := watchparty.NormalPassword(password)
	return s.passwords.Hash(ctx, normal)
}

// clientHash returns the hash under which a known client is stored.
func (s *Server) clientHash(ctx context.Context) []byte {
	return s.digests.Sum("known-client", clientOf(ctx))
}

// logRefusal logs a refused password, with the account and the client as keyed hashes, which are the same in every
// line. Each line except those of too_many_guesses is a counted guess.
func (s *Server) logRefusal(ctx context.Context, p passwordCheck, reason string) {
	level := slog.LevelInfo
	if reason == "too_many_guesses" || reason == "refresh_token_reused" {
		level = slog.LevelWarn
	}
	s.log.LogAttrs(ctx, level, "Sign-in refused", slog.String("act", p.act), slog.String("reason", reason),
		slog.String("account", s.logName("log-account", p.account)),
		slog.String("client", s.logName("log-client", clientOf(ctx))), slog.Bool("known_client", p.known))
}

func (s *Server) logName(purpose, value string) string {
	return hex.EncodeToString(s.digests.Sum(purpose, value)[:8])
}

// refusalsLogged limits the lines about one account's refusals over the limit: one a minute in each replica.
var refusalsLogged = limit.Rule{Name: "logged-refusals", Rate: 1, Period: time.Minute}
