package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Digests hashes values that must be recognised and not be readable, such as values that may contain a password.
type Digests struct {
	secret string
	former []string
}

// NewDigests returns Digests that use secret. Former secrets are for recognising what was stored under them.
func NewDigests(secret string, former ...string) *Digests {
	return &Digests{secret: secret, former: former}
}

// Former returns the results of Sum under each of the former secrets.
func (d *Digests) Former(purpose string, parts ...string) [][]byte {
	var sums [][]byte
	for _, secret := range d.former {
		sums = append(sums, NewDigests(secret).Sum(purpose, parts...))
	}
	return sums
}

// Sum returns a MAC of the parts, of 32 bytes, with a key for the purpose.
func (d *Digests) Sum(purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, derive(d.secret, "digest/"+purpose))
	for _, part := range parts {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part))) // never fails; keeps "ab","c" from "a","bc"
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
