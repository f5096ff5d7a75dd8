package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
)

// Purpose says what a one-time token is for. A token is valid for its purpose only.
type Purpose string

const (
	ForEmail      Purpose = "email-verification"
	ForReset      Purpose = "password-reset"
	ForInvitation Purpose = "room-invitation"
	ForOptOut     Purpose = "invitation-opt-out"
	ForReport     Purpose = "report"
)

// OneTime derives tokens for links in emails. A token is the ID of a row and a MAC of it. So a repeated email has the
// same link, nothing of the token has to be stored, and a forged token is refused without a query. The row says whether
// the token was used, and until when it works.
type OneTime struct{ secrets []string } // the current one first

// NewOneTime returns a OneTime with keys that are derived from secret. It also accepts tokens of former secrets.
func NewOneTime(secret string, former ...string) *OneTime {
	return &OneTime{secrets: append([]string{secret}, former...)}
}

const tokenLength = (len(uuid.UUID{}) + sha256.Size) * 4 / 3

// Token returns the token for a row, tokenLength characters of base64url. The ID has to be a UUID.
func (o *OneTime) Token(purpose Purpose, id string) string {
	row := uuid.MustParse(id)
	return base64.RawURLEncoding.EncodeToString(append(row[:], mac(o.secrets[0], purpose, row)...))
}

// Row returns the ID of the token's row, or ErrBadToken.
func (o *OneTime) Row(purpose Purpose, token string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(token) != tokenLength { // the decoder ignores line breaks
		return "", watchparty.ErrBadToken
	}
	row := uuid.UUID(raw[:len(uuid.UUID{})])
	for _, secret := range o.secrets {
		if hmac.Equal(raw[len(row):], mac(secret, purpose, row)) {
			return row.String(), nil
		}
	}
	return "", watchparty.ErrBadToken
}

func mac(secret string, purpose Purpose, row uuid.UUID) []byte {
	mac := hmac.New(sha256.New, derive(secret, "one-time/"+string(purpose)))
	mac.Write(row[:])
	return mac.Sum(nil)
}
