// Package auth proves who asks: password hashes, access tokens and refresh tokens.
package auth
