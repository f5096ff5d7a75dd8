package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecretsReachTheirReaders: what is in files reaches the parts that do not read it from the configuration.
func TestSecretsReachTheirReaders(t *testing.T) {
	dir := t.TempDir()
	secret := func(name, value string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(value+"\n"), 0o600))
		return name + "_FILE=" + path
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	p := program{stderr: io.Discard, environ: []string{
		"APP_ENV=production", "DATABASE_HOST=db", "REDIS_HOST=cache", "SMTP_HOST=smtp", "BLOB_URL=mem://",
		"AWS_ACCESS_KEY_ID=key", secret("AUTH_SECRET", strings.Repeat("s", 32)), secret("TEMPORAL_API_KEY", "an API key"),
		secret("AWS_SECRET_ACCESS_KEY", "a/secret+key"), secret("DATABASE_PASSWORD", "p/q#r"),
	}}
	cfg, environ, err := p.settings()
	require.NoError(t, err)
	require.Equal(t, "postgres://watchparty:p%2Fq%23r@db:5432/watchparty", cfg.Database.URL)
	require.Contains(t, environ, "TEMPORAL_API_KEY=an API key")
	require.Equal(t, "key", os.Getenv("AWS_ACCESS_KEY_ID"))
	require.Equal(t, "a/secret+key", os.Getenv("AWS_SECRET_ACCESS_KEY"))
}

// An empty line in a file of settings is the default: an empty path must not turn TLS on.
func TestEmptyTemporalSettings(t *testing.T) {
	l := lookup{vars: map[string]string{"TEMPORAL_TLS_CLIENT_CERT_PATH": "", "TEMPORAL_ADDRESS": "temporal:7233"}}
	_, set := l.LookupEnv("TEMPORAL_TLS_CLIENT_CERT_PATH")
	require.False(t, set)
	address, set := l.LookupEnv("TEMPORAL_ADDRESS")
	require.True(t, set)
	require.Equal(t, "temporal:7233", address)
}
