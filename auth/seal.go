package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
)

// Sealer encrypts what has to be stored and read again, such as the keys of webhooks. It uses AES-256-GCM with a key
// that is derived from the secret. A sealed value begins with a mark of its key, so that one of a former secret is
// recognised.
type Sealer struct{ keys []sealKey } // the current one first

type sealKey struct {
	mark []byte
	aead cipher.AEAD
}

const sealMark = 8 // bytes

// ErrUnsealable is returned for a value that none of the secrets has sealed for this purpose and row.
var ErrUnsealable = errors.New("auth: none of the secrets has sealed the value")

// Sealer returns a Sealer with keys that are derived from the same secrets; nil for nil.
func (d *Digests) Sealer() *Sealer {
	if d == nil {
		return nil
	}
	s := &Sealer{}
	for _, secret := range append([]string{d.secret}, d.former...) {
		block, err := aes.NewCipher(derive(secret, "seal"))
		if err != nil {
			panic(err) // a derived key has 32 bytes
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			panic(err) // an AES block has 16 bytes
		}
		s.keys = append(s.keys, sealKey{mark: derive(secret, "seal/mark")[:sealMark], aead: aead})
	}
	return s
}

// Seal encrypts a value of a row. Only Open with the same purpose and row reads it.
func (s *Sealer) Seal(purpose, row string, value []byte) []byte {
	key := s.keys[0]
	nonce := make([]byte, key.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	sealed := append(append([]byte{}, key.mark...), nonce...)
	return key.aead.Seal(sealed, nonce, value, about(purpose, row))
}

// Open decrypts a value. It reports whether the current secret has sealed it; otherwise the value has to be sealed
// again while the former secret is known. It returns ErrUnsealable.
func (s *Sealer) Open(purpose, row string, sealed []byte) (value []byte, current bool, err error) {
	for i, key := range s.keys {
		head := sealMark + key.aead.NonceSize()
		if len(sealed) < head || subtle.ConstantTimeCompare(sealed[:sealMark], key.mark) != 1 {
			continue
		}
		value, err = key.aead.Open(nil, sealed[sealMark:head], sealed[head:], about(purpose, row))
		if err == nil {
			return value, i == 0, nil
		}
	}
	return nil, false, ErrUnsealable
}

// about binds a sealed value to where it is stored, so that it cannot be moved to another row.
func about(purpose, row string) []byte { return []byte(purpose + "\x00" + row) }
