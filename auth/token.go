package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"github.com/watchparty/watchparty"
)

// issuer is the access tokens' iss and aud.
const issuer = "watchparty"

// Identity is who an access token speaks for.
type Identity struct {
	UserID    string
	Username  string
	SessionID string
}

// Tokens issues and checks tokens. Each use of the secret has a key of its own.
type Tokens struct {
	keys     [][]byte // the current one first
	ttl      time.Duration
	verified *otter.Cache[string, verified] // tokens that were found genuine
}

// verified is what a genuine token says.
type verified struct {
	identity Identity
	expires  time.Time
}

// maxVerified is how many genuine tokens are kept, of some 600 bytes each. Forged ones are not kept.
const maxVerified = 1 << 14

// NewTokens signs with a key derived from secret; access tokens live for ttl.
func NewTokens(secret string, ttl time.Duration, former ...string) *Tokens {
	t := &Tokens{ttl: ttl, verified: otter.Must(&otter.Options[string, verified]{MaximumSize: maxVerified})}
	for _, s := range append([]string{secret}, former...) {
		t.keys = append(t.keys, derive(s, "access-token"))
	}
	return t
}

type claims struct {
	jwt.RegisteredClaims
	Username  string `json:"name"`
	SessionID string `json:"sid"`
}

// Access returns a signed access token for the user. It lives for ttl, or shorter: a sign-in may end before.
func (t *Tokens) Access(id Identity, now time.Time, ttl time.Duration) (string, error) {
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{issuer}, Subject: id.UserID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Username: id.Username, SessionID: id.SessionID,
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(t.keys[0])
}

// Verify returns who the token speaks for, or ErrUnauthenticated when it is forged, expired or not an access token.
func (t *Tokens) Verify(token string, now time.Time) (Identity, error) {
	id, _, err := t.VerifyUntil(token, now)
	return id, err
}

// VerifyUntil is Verify, and also returns when the token expires.
func (t *Tokens) VerifyUntil(token string, now time.Time) (Identity, time.Time, error) {
	if known, ok := t.verified.GetIfPresent(token); ok && now.Before(known.expires) {
		return known.identity, known.expires, nil
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return t.verificationKeys(), nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Name}), jwt.WithIssuer(issuer), jwt.WithAudience(issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil || c.Subject == "" || c.Username == "" || c.SessionID == "" {
		return Identity{}, time.Time{}, watchparty.ErrUnauthenticated
	}
	id := verified{Identity{UserID: c.Subject, Username: c.Username, SessionID: c.SessionID}, c.ExpiresAt.UTC()}
	t.verified.Set(token, id)
	return id.identity, id.expires, nil
}

func (t *Tokens) verificationKeys() jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, key := range t.keys {
		set.Keys = append(set.Keys, key)
	}
	return set
}

// TTL is how long an access token lives at most.
func (t *Tokens) TTL() time.Duration { return t.ttl }

// NewRefresh returns a random refresh token (256 bits) and the hash under which it is stored.
func NewRefresh() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, HashRefresh(token)
}

// HashRefresh is the hash under which a refresh token is stored. The token is random, so a plain hash is enough.
func HashRefresh(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func derive(secret, purpose string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}
