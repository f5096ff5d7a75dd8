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

// An error about .env goes into logs, so that it must not repeat a secret.
func TestReadEnv(t *testing.T) {
	const secret = "hunter2hunter2"
	for name, tt := range map[string]struct {
		content string
		broken  bool
	}{
		"plain":                   {content: "AUTH_SECRET=" + secret + "\n"},
		"quoted":                  {content: "AUTH_SECRET='" + secret + "'\n"},
		"after export":            {content: "export AUTH_SECRET=" + secret + "\n"},
		"with CRLF":               {content: "AUTH_SECRET=" + secret + "\r\nLOG_LEVEL=info\r\n"},
		"after a byte order mark": {content: "\ufeffAUTH_SECRET=" + secret + "\n"},
		"a quote that is open":    {content: "AUTH_SECRET='" + secret + "\n", broken: true},
		"a line without a value":  {content: "AUTH_SECRET\nSMTP_PASSWORD=" + secret + "\n", broken: true},
		"bytes":                   {content: "\x00AUTH_SECRET=" + secret + "\n", broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), ".env")
			require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
			vars, err := readEnv(path)
			if tt.broken {
				require.ErrorContains(t, err, path)
				require.NotContains(t, err.Error(), secret)
				return
			}
			require.NoError(t, err)
			require.Equal(t, secret, vars["AUTH_SECRET"])
		})
	}
	_, err := readEnv(t.TempDir())
	require.ErrorContains(t, err, "is a directory")
}

// What another command reads of a development stack is what the stack has.
func TestWriteEnv(t *testing.T) {
	for _, value := range []string{
		"", "plain", "007", "-0", "+5", "12", "a b", "a#b", "a #b", "$HOME", "${HOME}", "a$b", `a"b`, "a'b", `a'b"c`, `a\b`,
		`a\nb`, `\`, "a!b", "a`b", "a=b", "export", " a ", "\ta", "é", "a\nb", "'a'", `"a"`, "https://x.org/?a=b&c=d#e",
	} {
		path := filepath.Join(t.TempDir(), "dev.env")
		require.NoError(t, writeEnv(path, map[string]string{"SMTP_PASSWORD": value, "Z": "last"}))
		vars, err := readEnv(path)
		require.NoError(t, err, "%q", value)
		require.Equal(t, map[string]string{"SMTP_PASSWORD": value, "Z": "last"}, vars, "%q", value)
	}
}
