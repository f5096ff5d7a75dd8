package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/watchparty/watchparty/config"
)

// cacheVersion returns a version for the entries in Redis: a hash of this program and of the settings from which cached
// answers have addresses. Programs of another release, or with other settings, do not share entries.
func cacheVersion(cfg config.Config) (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program: %w", err)
	}
	program, err := os.Open(path) //nolint:gosec // the program itself
	if err != nil {
		return "", fmt.Errorf("read the program: %w", err)
	}
	defer func() { _ = program.Close() }()
	digest := sha256.New()
	if _, err := io.Copy(digest, program); err != nil {
		return "", fmt.Errorf("read the program: %w", err)
	}
	fmt.Fprintf(digest, "%q %q", cfg.HTTP.PublicURL, cfg.Avatar.CDNURL)
	return hex.EncodeToString(digest.Sum(nil)[:8]), nil
}
