// Package auth authenticates callers: password hashes, access tokens, refresh tokens and one-time tokens.
package auth
