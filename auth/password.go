package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"github.com/watchparty/watchparty"
)

// Cost is the cost of a hash.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// OWASP is the configuration with 19 MiB in OWASP's Password Storage Cheat Sheet.
var OWASP = Cost{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1}

// Lengths of a new hash's parts.
const (
	saltBytes = 16
	keyBytes  = 32
)

// Limits of what a stored hash may require: they allow the other parameters of the cheat sheet, and stop a damaged row.
// The smallest lengths are those of RFC 9106, 3.1.
const (
	maxMemoryKiB = 64 * 1024
	maxPasses    = 16
	minSaltBytes = 8
	minKeyBytes  = 16
)

// maxWait is how long a sign-in waits for its turn when there are too many.
const maxWait = 5 * time.Second

// errTooManySignIns is watchparty.ErrBusy when too many sign-ins are waiting.
var errTooManySignIns = &watchparty.Error{
	Kind:    watchparty.KindUnavailable,
	Code:    "busy",
	Message: "Too many people sign in at once. Try again in a moment.",
}

// ErrMalformedHash is the error for a stored hash that this package did not make.
var ErrMalformedHash = errors.New("auth: malformed password hash")

// Passwords hashes with argon2id, a limited number at a time, so that a flood of sign-ins cannot exhaust the memory.
type Passwords struct {
	slots *semaphore.Weighted
	cost  Cost
	decoy string
}

// NewPasswords returns Passwords that compute at most parallel hashes at once. New hashes have that cost.
func NewPasswords(parallel int, cost Cost) *Passwords {
	p := &Passwords{slots: semaphore.NewWeighted(int64(parallel)), cost: cost}
	p.decoy = cost.encode(make([]byte, saltBytes), make([]byte, keyBytes))
	return p
}

// Hash returns the PHC string of a new hash. It fails only when ctx ends during the wait for a slot, and with
// watchparty.ErrBusy when no slot becomes free in time.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	turn, err := p.Wait(ctx)
	if err != nil {
		return "", err
	}
	defer turn.End()
	return turn.Hash(password), nil
}

// Turn is a slot in which hashes can be computed, one after the other.
type Turn struct{ passwords *Passwords }

// Wait acquires a slot, which End releases. It fails like Hash.
func (p *Passwords) Wait(ctx context.Context) (*Turn, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, maxWait, errTooManySignIns)
	defer cancel()
	if err := p.slots.Acquire(waiting, 1); err != nil {
		return nil, fmt.Errorf("auth: wait for a hash: %w", context.Cause(waiting))
	}
	return &Turn{p}, nil
}

// End releases the slot. It must be called once.
func (t *Turn) End() { t.passwords.slots.Release(1) }

// Hash returns the PHC string of a new hash.
func (t *Turn) Hash(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	cost := t.passwords.cost
	return cost.encode(salt, argon2.IDKey([]byte(password), salt, cost.Passes, cost.MemoryKiB, cost.Lanes, keyBytes))
}

// Verify reports whether password has that hash. An empty hash stands for an account that does not exist: it takes as
// long as any other, and never matches.
func (t *Turn) Verify(password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = t.passwords.decoy
	}
	var (
		version        int
		memory, passes uint32
		lanes          uint8
	)
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, ErrMalformedHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, ErrMalformedHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false, ErrMalformedHash
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	want, errKey := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(salt) < minSaltBytes || len(want) < minKeyBytes ||
		passes < 1 || passes > maxPasses || lanes < 1 || memory > maxMemoryKiB {
		return false, ErrMalformedHash
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (c Cost) encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
