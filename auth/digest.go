package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Digests hides values that must be recognised and not read, such as what may hold a password.
type Digests struct{ secret string }

// NewDigests makes digests under secret.
func NewDigests(secret string) *Digests { return &Digests{secret: secret} }

// Sum is a MAC of the parts, 32 bytes, with a key of the purpose's own.
func (d *Digests) Sum(purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, derive(d.secret, "digest/"+purpose))
	for _, part := range parts {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part))) // never fails; keeps "ab","c" from "a","bc"
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
