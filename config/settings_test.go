package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/config"
)

// outside are settings that other parts read: the SDKs of Temporal, AWS and OpenTelemetry, and `watchparty dev`.
var outside = []string{
	"TEMPORAL_ADDRESS",
	"TEMPORAL_API_KEY",
	"TEMPORAL_TLS",
	"TEMPORAL_TLS_CLIENT_CERT_PATH",
	"TEMPORAL_TLS_CLIENT_KEY_PATH",
	"TEMPORAL_TLS_SERVER_CA_CERT_PATH",
	"TEMPORAL_TLS_SERVER_NAME",
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_REGION",
	"OTEL_EXPORTER_OTLP_ENDPOINT",
	"OTEL_EXPORTER_OTLP_PROTOCOL",
	"OTEL_EXPORTER_OTLP_HEADERS",
	"OTEL_TRACES_SAMPLER",
	"OTEL_TRACES_SAMPLER_ARG",
	"OTEL_SERVICE_NAME",
	"OTEL_RESOURCE_ATTRIBUTES",
	"OTEL_SDK_DISABLED",
	"DEV_PORT_OFFSET",
}

func TestTableHasEverySetting(t *testing.T) {
	params, err := env.GetFieldParams(&config.Config{})
	require.NoError(t, err)
	want := slices.Clone(outside)
	for _, p := range params {
		want = append(want, p.Key)
	}
	var got []string
	for _, s := range config.Settings() {
		got = append(got, s.Name)
		require.NotEmpty(t, s.Help, s.Name)
		require.Regexp(t, `\.$|…$`, s.Help, s.Name)
	}
	require.ElementsMatch(t, want, got)
}

// A secret is a setting whose value must not be seen: where a name says so, the table says so too.
func TestTableKnowsSecrets(t *testing.T) {
	for _, s := range config.Settings() {
		if strings.Contains(s.Name, "SECRET") || strings.Contains(s.Name, "PASSWORD") ||
			strings.HasSuffix(s.Name, "API_KEY") {
			require.True(t, s.Secret, s.Name)
		}
	}
}

func TestGeneratedFiles(t *testing.T) {
	for path, want := range map[string]string{
		"../.env.example": config.EnvExample(), "../docs/settings.md": config.Markdown(),
	} {
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "make generate writes %s", path)
	}
}

// TestSecretsFromFiles: each secret can be in a file, which takes precedence, and its name replaces the value's in
// errors.
func TestSecretsFromFiles(t *testing.T) {
	tried := 0
	for _, s := range config.Settings() {
		if !s.Secret {
			continue
		}
		tried++
		t.Run(s.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			for content, want := range map[string]string{
				"value/with#$": "value/with#$", "value\n": "value", "value\r\n": "value", "value\n\n": "value\n", "a\nb": "a\nb",
			} {
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
				environ, err := config.ReadSecrets([]string{s.Name + "=other", s.Name + "_FILE=" + path})
				require.NoError(t, err)
				require.Equal(t, want, env.ToMap(environ)[s.Name])
			}
			for content, problem := range map[string]string{
				"": "names an empty file", "\n": "names an empty file", strings.Repeat("x", 65537): "names a file of more than",
			} {
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
				_, err := config.ReadSecrets([]string{s.Name + "_FILE=" + path})
				require.ErrorContains(t, err, s.Name+"_FILE "+problem)
			}
			for _, bad := range []string{filepath.Join(t.TempDir(), "missing"), t.TempDir()} {
				_, err := config.ReadSecrets([]string{s.Name + "_FILE=" + bad})
				require.ErrorContains(t, err, s.Name+"_FILE cannot be read")
			}
			_, err := config.ReadSecrets([]string{s.Name + "_FILE="})
			require.NoError(t, err)
		})
	}
	require.GreaterOrEqual(t, tried, 8)
}

func TestLoadReadsSecretsFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	secret := strings.Repeat("f", config.MinSecretBytes)
	require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	c, err := load(map[string]string{"AUTH_SECRET": "", "AUTH_SECRET_FILE": path})
	require.NoError(t, err)
	require.Equal(t, secret, c.Auth.Secret)
	_, err = load(map[string]string{"AUTH_SECRET_FILE": path + ".missing", "SMTP_TLS": "maybe"})
	require.ErrorContains(t, err, "AUTH_SECRET_FILE cannot be read")
	require.ErrorContains(t, err, "SMTP_TLS must be", "all problems at once")
}
