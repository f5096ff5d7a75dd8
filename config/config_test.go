package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
)

// minimal is all that has no default.
func minimal() map[string]string {
	return map[string]string{
		"AUTH_SECRET":  strings.Repeat("s", config.MinSecretBytes),
		"DATABASE_URL": "postgres://watchparty:database-password@db.example.org/watchparty",
		"REDIS_URL":    "rediss://:redis-password@cache.example.org:6380",
		"SMTP_HOST":    "smtp.example.org",
		"BLOB_URL":     "s3://files?region=eu-central-1",
	}
}

func load(changes map[string]string) (config.Config, error) {
	values := minimal()
	for name, value := range changes {
		values[name] = value
	}
	environ := []string{"PATH=/bin"}
	for name, value := range values {
		environ = append(environ, name+"="+value)
	}
	return config.Load(environ)
}

func TestDefaults(t *testing.T) {
	c, err := load(nil)
	require.NoError(t, err)
	m := minimal()
	require.Equal(t, config.Config{
		Env:       "production",
		LogLevel:  "info",
		LogFormat: "json",
		HTTP: config.HTTP{
			Addr: ":5000", PublicURL: "http://localhost:5000", FrontendURL: "http://localhost:5000", Origins: []string{"*"},
			ReadTimeout: 60 * time.Second, WriteTimeout: 30 * time.Second,
			DrainDelay: 5 * time.Second, ShutdownTimeout: 30 * time.Second,
		},
		Auth: config.Auth{
			Secret: m["AUTH_SECRET"], AccessTTL: 15 * time.Minute, RefreshTTL: 30 * 24 * time.Hour, HashParallel: 2,
			SessionTTL: 90 * 24 * time.Hour, RefreshGrace: 30 * time.Second,
		},
		Database: config.Database{
			URL: m["DATABASE_URL"], Port: 5432, User: "watchparty", Name: "watchparty",
			MaxConns: 20, StatementTimeout: 5 * time.Second,
		},
		Redis: config.Redis{
			URL: m["REDIS_URL"], Port: 6379, KeyPrefix: "wp:", Timeout: 50 * time.Millisecond, PoolSize: 20,
		},
		RateLimit: config.RateLimit{
			Enabled:        true,
			SignIn:         100,
			SignInFailures: 20,
			Emails:         5,
			Exports:        5,
			Writes:         300,
			Reads:          100,
		},
		Temporal: config.Temporal{UIURL: "http://localhost:8233", Namespace: "default"},
		Email: config.Email{
			Host: "smtp.example.org", Port: 587, TLS: "starttls", From: "WatchParty <no-reply@watchparty.test>",
			Timeout: 20 * time.Second, PerSecond: 20,
		},
		Blob: config.Blob{URL: m["BLOB_URL"]},
		Cache: config.Cache{
			Rooms: time.Minute, Movies: 10 * time.Minute, Messages: time.Minute, Profiles: 5 * time.Minute,
			Memory: 64 << 20,
		},
		Room:    config.Room{HostSilence: 10 * time.Minute},
		Worker:  config.Worker{StopTimeout: 30 * time.Second},
		Webhook: config.Webhook{OffAfter: 5 * 24 * time.Hour},
		Avatar:  config.Avatar{MaxUploadBytes: 5 << 20, MaxPixels: 50_000_000},
		Cleanup: config.Cleanup{
			Schedule:            "0 4 * * *",
			ParticipantInactive: config.Age(24 * time.Hour),
			MessageAge:          config.Age(90 * 24 * time.Hour),
			RoomInactive:        config.Age(30 * 24 * time.Hour),
			RoomArchived:        config.Age(7 * 24 * time.Hour),
			UnverifiedAge:       config.Off,
			TokenAge:            config.Age(7 * 24 * time.Hour),
			SessionAge:          config.Age(7 * 24 * time.Hour),
			InvitationAge:       config.Age(90 * 24 * time.Hour),
			PartyAge:            config.Age(90 * 24 * time.Hour),
			IdempotencyKeyAge:   config.Age(time.Hour),
			ReportAge:           config.Age(90 * 24 * time.Hour),
			EmailAge:            config.Age(180 * 24 * time.Hour),
			WebhookAge:          config.Age(30 * 24 * time.Hour),
			OutboxAge:           config.Age(7 * 24 * time.Hour),
			ActivityAge:         config.Age(90 * 24 * time.Hour),
			FileAge:             config.Age(24 * time.Hour),
			BatchPause:          50 * time.Millisecond,
		},
		Report: config.Report{Weekly: "0 5 * * 1", Monthly: "0 5 1 * *", Language: watchparty.English},
	}, c)
	require.False(t, c.Development())
}

func TestLoad(t *testing.T) {
	t.Run("an empty value is the default", func(t *testing.T) {
		c, err := load(map[string]string{"SMTP_PORT": "", "HTTP_ADDR": "", "APP_ENV": ""})
		require.NoError(t, err)
		require.Equal(t, 587, c.Email.Port)
		require.Equal(t, ":5000", c.HTTP.Addr)
		require.Equal(t, "production", c.Env)
	})

	t.Run("addresses lose their trailing slashes", func(t *testing.T) {
		c, err := load(
			map[string]string{"PUBLIC_URL": "https://example.org/party//", "TEMPORAL_UI_URL": "https://t.example.org/"},
		)
		require.NoError(t, err)
		require.Equal(t, "https://example.org/party", c.HTTP.PublicURL)
		require.Equal(t, "https://t.example.org", c.Temporal.UIURL)
	})

	t.Run("emails link to the front-end, if there is one", func(t *testing.T) {
		c, err := load(map[string]string{"PUBLIC_URL": "https://api.example.org/"})
		require.NoError(t, err)
		require.Equal(t, "https://api.example.org", c.HTTP.FrontendURL)
		c, err = load(map[string]string{"PUBLIC_URL": "https://api.example.org", "FRONTEND_URL": "https://example.org/"})
		require.NoError(t, err)
		require.Equal(t, "https://example.org", c.HTTP.FrontendURL)
	})

	t.Run("ranges of addresses", func(t *testing.T) {
		c, err := load(map[string]string{"HTTP_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8"})
		require.NoError(t, err)
		require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
			c.HTTP.TrustedProxies)
	})

	t.Run("no limits", func(t *testing.T) {
		c, err := load(map[string]string{"RATE_LIMIT_ENABLED": "false"})
		require.NoError(t, err)
		require.False(t, c.RateLimit.Enabled)
	})

	t.Run("development", func(t *testing.T) {
		c, err := load(map[string]string{"APP_ENV": "development", "BLOB_URL": "file:///tmp/files"})
		require.NoError(t, err)
		require.True(t, c.Development())
	})

	t.Run("nothing at all", func(t *testing.T) {
		_, err := config.Load(nil)
		for name := range minimal() {
			require.ErrorContains(t, err, name)
		}
		require.NotContains(t, err.Error(), "HTTP_ADDR")
	})
}

// An operator mends everything in one go, and finds each variable by its name, whatever is wrong with it.
func TestEveryProblemIsReported(t *testing.T) {
	bad := map[string]string{
		"APP_ENV":              "staging",
		"LOG_LEVEL":            "loud",
		"DATABASE_URL":         "mysql://x",
		"SMTP_TLS":             "maybe", // not allowed
		"AUTH_HASH_PARALLEL":   "0",
		"CACHE_TTL_ROOMS":      "1ms",
		"CLEANUP_SCHEDULE":     "daily",
		"MAIL_FROM":            "nobody",
		"ROOM_HOST_SILENCE":    "59s", // out of range
		"SMTP_PORT":            "mail",
		"REDIS_TIMEOUT":        "soon",
		"SMTP_TIMEOUT":         "20",
		"MAIL_PER_SECOND":      "many",
		"AVATAR_MAX_BYTES":     "1MB",
		"HTTP_TRUSTED_PROXIES": "10.0.0.1",
		"RATE_LIMIT_ENABLED":   "maybe", // of another type
		"AUTH_SECRET":          "",      // absent
	}
	_, err := load(bad)
	require.Error(t, err)
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	require.Len(t, lines, len(bad), "one line each:\n%s", err)
	for name := range bad {
		found := 0
		for _, line := range lines {
			if strings.HasPrefix(line, name+" ") {
				found++
			}
		}
		require.Equal(t, 1, found, "%s in:\n%s", name, err)
	}
}

// A log is no place for a password, whatever is wrong around it.
func TestValuesAreNotPrinted(t *testing.T) {
	for name, value := range map[string]string{
		"AUTH_SECRET":          "hunter2",
		"DATABASE_URL":         "mysql://watchparty:hunter2@db/watchparty",
		"REDIS_URL":            "rediss://:hunter2@one,http://:hunter2@two",
		"BLOB_URL":             "ftp://user:hunter2@files",
		"PUBLIC_URL":           "postgres://user:hunter2@example.org",
		"TEMPORAL_UI_URL":      "%hunter2",
		"MAIL_FROM":            "hunter2",
		"SMTP_TLS":             "hunter2",
		"SMTP_PORT":            "hunter2",
		"DATABASE_MAX_CONNS":   "hunter2",
		"SMTP_TIMEOUT":         "hunter2",
		"MAIL_PER_SECOND":      "hunter2",
		"AVATAR_MAX_BYTES":     "hunter2",
		"HTTP_TRUSTED_PROXIES": "hunter2",
		"RATE_LIMIT_READS":     "hunter2",
		"RATE_LIMIT_ENABLED":   "hunter2",
		"CLEANUP_BATCH_PAUSE":  "hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(map[string]string{name: value})
			require.ErrorContains(t, err, name)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	for _, value := range []string{
		"postgres://watchparty:hunter2%zz@db/watchparty", "postgres://watchparty:hunter2@db:port/x", "://hunter2",
		"hunter2\x7f",
	} {
		_, err := load(map[string]string{"DATABASE_URL": value})
		require.ErrorContains(t, err, "DATABASE_URL")
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestLimits(t *testing.T) {
	ages, noAges := []string{
		"1h",
		"off",
		"876000h",
	}, []string{
		"59m59s",
		"0s",
		"0",
		"-1h",
		"-9223372036854775808ns",
		"876001h",
		"OFF",
		"1d",
	}
	crons, noCrons := []string{
		"*/5 0 1 1 0",
		"@daily",
		"off",
	}, []string{
		"0 4 * *",
		"0 0 4 * * *",
		"61 4 * * *",
		"daily",
		"OFF",
	}
	bases, noBases := []string{
		"http://x", "https://x.org/y", "https://x.org/y/", "https://x.org:8443", "https://[2001:db8::1]:5000",
	}, []string{
		"x.org",
		"ftp://x",
		"https:",
		"https://",
		"https://:5000",
		"https://x.org:99999",
		"https://x.org:port",
		"https://x.org?y=1",
		"https://x.org/?",
		"https://x.org/#y",
		"https://user:secret@x.org",
		"https://x.org ",
		"'https://x.org'",
	}
	hosts, noHosts := []string{
		"x", "db.example.org", "10.0.0.1", "fd00::1", "[fd00::1]",
	}, []string{
		"db:5432", "smtp://db", "a/b", "a@b", "d b", "a,b", " db", "[fd00::1]:25",
	}
	year := (365 * 24 * time.Hour).String()
	for _, test := range []struct {
		name      string
		good, bad []string
	}{
		{"APP_ENV", []string{"production", "development"}, []string{"Production", "test"}},
		{"LOG_LEVEL", []string{"debug", "info", "warn", "error"}, []string{"INFO", "trace"}},
		{"LOG_FORMAT", []string{"json", "text"}, []string{"xml"}},
		{"PUBLIC_URL", bases, noBases},
		{"FRONTEND_URL", append([]string{""}, bases...), noBases},
		{"HTTP_CORS_ORIGINS", []string{"", "*", "https://x.org", "https://X.org/", "https://x.org, http://[::1]:3000",
			"https://*.x.org", "capacitor://localhost"},
			[]string{"x.org", "https://x.org/y", "https://x.org,", "https://x.org https://y.org", "https://user@x.org"}},
		{"HTTP_TRUSTED_PROXIES", []string{"", "10.0.0.1/32", "10.0.0.0/8,fd00::/8"},
			[]string{"10.0.0.1", "proxy", "10.0.0.0/8,", "0.0.0.0/0", "10.0.0.0/8,::/0"}},
		{"REDIS_TIMEOUT", []string{"1ms", "100ms"}, []string{"999us", "101ms"}},
		{"REDIS_POOL_SIZE", []string{"1", "1000"}, []string{"0", "1001"}},
		{"HTTP_READ_TIMEOUT", []string{"1s", year}, []string{"999ms", "0s", "-1s"}},
		{"HTTP_WRITE_TIMEOUT", []string{"1s"}, []string{"999ms"}},
		{"HTTP_SHUTDOWN_TIMEOUT", []string{"1s"}, []string{"999ms"}},
		{"AUTH_SECRET", []string{strings.Repeat("x", 32), strings.Repeat("é", 16),
			"[" + strings.Repeat("x", 32), "a b " + strings.Repeat("x", 32)}, []string{"", strings.Repeat("x", 31),
			strings.Repeat("x", 32) + "," + strings.Repeat("y", 32), " " + strings.Repeat("x", 32),
			strings.Repeat("x", 32) + "\n"}},
		{"AUTH_FORMER_SECRETS", []string{"", strings.Repeat("x", 32),
			strings.Repeat("x", 32) + "," + strings.Repeat("y", 40), "[]", `["` + strings.Repeat("x", 32) + `"]`}, []string{
			"x", "[" + strings.Repeat("x", 32), `["x"]`, `["` + strings.Repeat("x", 32) + `", 7]`, strings.Repeat("x",
				32) + ",", strings.Repeat("x", 32) + ",y,z", strings.Repeat("x", 32) + ", " + strings.Repeat("y", 40)}},
		{"AUTH_ACCESS_TTL", []string{"1m"}, []string{"59s"}},
		{"AUTH_REFRESH_TTL", []string{"1h"}, []string{"59m59s"}},
		{"AUTH_SESSION_TTL", []string{"1h"}, []string{"59m59s"}},
		{"AUTH_REFRESH_GRACE", []string{"0s", "5m"}, []string{"-1s", "5m1s"}},
		{"AUTH_HASH_PARALLEL", []string{"1", "64"}, []string{"0", "65"}},
		{"DATABASE_URL", []string{"postgres://h/d", "postgresql://h/d", "unix://d/run/s"},
			[]string{"", "h/d", "mysql://h/d"}},
		{"DATABASE_MAX_CONNS", []string{"2", "1000"}, []string{"1", "1001"}},
		{"DATABASE_STATEMENT_TIMEOUT", []string{"100ms"}, []string{"99ms"}},
		{"REDIS_URL",
			[]string{"redis://h", "rediss://h", "unix:///run/s", "redis://a,redis://b", "redis+sentinel://a:26379/party"},
			[]string{"", "h:6379", "redis://a,", "redis://a,b"}},
		{"DATABASE_HOST", append([]string{""}, hosts...), noHosts},
		{"DATABASE_PORT", []string{"1", "65535"}, []string{"0", "65536", "postgres"}},
		{"DATABASE_SSLMODE", []string{"", "verify-full", "require", "disable"}, []string{"on", "DISABLE"}},
		{"REDIS_HOST", append([]string{""}, hosts...), noHosts},
		{"REDIS_PORT", []string{"1", "65535"}, []string{"0", "65536"}},
		{"REDIS_DB", []string{"0", "15"}, []string{"-1", "one"}},
		{"REDIS_TLS", []string{"true", "false"}, []string{"on"}},
		{"RATE_LIMIT_ENABLED", []string{"true", "false"}, []string{"off", "2"}},
		{"RATE_LIMIT_SIGN_IN", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"RATE_LIMIT_SIGN_IN_FAILURES", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"RATE_LIMIT_EMAILS", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"RATE_LIMIT_EXPORTS", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"RATE_LIMIT_WRITES", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"RATE_LIMIT_READS", []string{"1", "100000"}, []string{"0", "-1", "100001"}},
		{"TEMPORAL_UI_URL", bases, noBases},
		{"SMTP_HOST", hosts, append([]string{""}, noHosts...)},
		{"SMTP_PORT", []string{"1", "65535"}, []string{"0", "65536"}},
		{"SMTP_TLS", []string{"starttls", "implicit", "none"}, []string{"STARTTLS", "true"}},
		{"MAIL_FROM", []string{"a@b", "WatchParty <a@b.org>", "<\"a..b\"@bücher.example>"},
			[]string{"a", "a@b, c@d", "a@b\r\nBcc: c@d", "a@foo_bar.example", "a@[192.0.2.1]"}},
		{"SMTP_HELO_NAME", []string{"", "watch.example.org", "bücher.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"}, []string{
			"watch", "localhost", "watch.example.org.", "a_b.example.org", "x@example.org", "a b.example.org", "192.0.2.1",
			"a.example.org\r\nMAIL FROM:<x@evil.example>", " a.example.org", "[192.0.2]", "[2001:db8::1]", "[IPv6:192.0.2.1]",
			"[192.0.2.1",
		}},
		{"MAIL_DKIM_SELECTOR", []string{""}, []string{"x"}},
		{"WORKER_BUILD_ID", []string{""}, []string{"x"}}, // without WORKER_DEPLOYMENT
		{"METRICS_PPROF", []string{"true", "false"}, []string{"yes please"}},
		{"MAIL_DKIM_KEY_FILE", []string{""}, []string{"x"}},
		{"SMTP_TIMEOUT", []string{"1s", "25s"}, []string{"999ms", "26s"}},
		{"HTTP_DRAIN_DELAY", []string{"0s", "1m"}, []string{"-1s"}},
		{"MAIL_PER_SECOND", []string{"0.01", "1000"}, []string{"0", "-1", "NaN", "Inf"}},
		{"BLOB_URL", []string{"file:///x", "file://./x", "s3://x", "mem://"},
			[]string{"", "x", "gs://x", "/x", "file://x", "file://x/y", "file:x", "s3://", "s3:x"}},
		{"CACHE_TTL_ROOMS", []string{"1s"}, []string{"999ms"}},
		{"CACHE_TTL_MOVIES", []string{"1s"}, []string{"999ms"}},
		{"CACHE_TTL_MESSAGES", []string{"1s"}, []string{"999ms"}},
		{"CACHE_TTL_PROFILES", []string{"1s"}, []string{"999ms"}},
		{"CACHE_MEMORY_BYTES", []string{"1048576", "68719476736"}, []string{"1048575", "68719476737"}},
		{"WORKER_STOP_TIMEOUT", []string{"0s"}, []string{"-1ns"}},
		{"AVATAR_MAX_BYTES", []string{"1024", "67108864"}, []string{"1023", "67108865"}},
		{"AVATAR_MAX_PIXELS", []string{"1", "500000000"}, []string{"0", "500000001"}},
		{"AVATAR_CONCURRENCY", []string{"0", "256"}, []string{"-1", "257"}},
		{"CLEANUP_SCHEDULE", crons, noCrons},
		{"REPORT_WEEKLY_SCHEDULE", crons, noCrons},
		{"REPORT_MONTHLY_SCHEDULE", crons, noCrons},
		{"REPORT_RECIPIENTS", []string{"a@example.org", "a@example.org,b@example.org", "a..b@bücher.example"},
			[]string{"a", `"a,b"@example.org`, "a@foo_bar.example", "A <a@example.org>", "a@example.org;b@example.org",
				strings.Repeat("a@example.org,", 20) + "b@example.org"}},
		{"REPORT_LANGUAGE", []string{"en", "de"}, []string{"fr", "EN"}},
		{"CLEANUP_PARTICIPANT_INACTIVE", ages, noAges},
		{"CLEANUP_MESSAGE_AGE", ages, noAges},
		{"CLEANUP_ROOM_INACTIVE", ages, noAges},
		{"CLEANUP_ROOM_ARCHIVED", ages, noAges},
		{"CLEANUP_UNVERIFIED_AGE", ages, noAges},
		{"CLEANUP_TOKEN_AGE", ages, noAges},
		{"CLEANUP_SESSION_AGE", ages, noAges},
		{"CLEANUP_INVITATION_AGE", ages, noAges},
		{"CLEANUP_PARTY_AGE", ages, noAges},
		{"CLEANUP_IDEMPOTENCY_KEY_AGE", ages, noAges},
		{"CLEANUP_REPORT_AGE", ages, noAges},
		{"CLEANUP_EMAIL_AGE", ages, noAges},
		{"CLEANUP_WEBHOOK_AGE", ages, noAges},
		{"WEBHOOK_PRIVATE_NETWORKS", []string{"", "127.0.0.1/32", "10.0.0.0/8,fd00::/8"}, []string{"0.0.0.0/0", "::/0", "10.0.0.1"}},
		{"WEBHOOK_OFF_AFTER", []string{"1h", "2000h"}, []string{"59m", "0s", "-1h"}},
		{"CLEANUP_OUTBOX_AGE", ages, noAges},
		{"CLEANUP_ACTIVITY_AGE", ages, noAges},
		{"CLEANUP_FILE_AGE", ages, noAges},
		{"AVATAR_CDN_URL", append([]string{""}, bases...), noBases},
		{"CLEANUP_BATCH_PAUSE", []string{"0s"}, []string{"-1ns"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, value := range test.good {
				_, err := load(map[string]string{test.name: value})
				require.NoError(t, err, "%q", value)
			}
			for _, value := range test.bad {
				_, err := load(map[string]string{test.name: value})
				require.Error(t, err, "%q", value)
				require.True(t, strings.HasPrefix(err.Error(), test.name+" "), "%q: %v", value, err)
				require.NotContains(t, err.Error(), "\n", "%q is one problem", value)
			}
		})
	}
}

// TestFormerSecrets: every key can be a former one, whatever is in it.
func TestFormerSecrets(t *testing.T) {
	filler := strings.Repeat("k", config.MinSecretBytes)
	for _, keys := range [][]string{
		{filler + "," + filler}, {" " + filler + " ", "\t" + filler}, {`["` + filler + `"]`, `"quo\ted" ` + filler},
		{filler + "\n", ",,," + filler, "ä€" + filler}, {filler, filler + "2"},
	} {
		text, err := json.Marshal(keys)
		require.NoError(t, err)
		cfg, err := load(map[string]string{"AUTH_FORMER_SECRETS": string(text)})
		require.NoError(t, err, keys)
		require.Equal(t, config.Keys(keys), cfg.Auth.FormerSecrets)
	}
	cfg, err := load(map[string]string{"AUTH_FORMER_SECRETS": filler + "," + filler + "2"})
	require.NoError(t, err)
	require.Equal(t, config.Keys{filler, filler + "2"}, cfg.Auth.FormerSecrets)
}

// Spaces around the commas of a list change nothing, or are refused.
func TestListsWithSpaces(t *testing.T) {
	lists := map[string]bool{}
	eachSetting("Config", reflect.TypeFor[config.Config](), func(_ string, field reflect.StructField) {
		if field.Type.Kind() == reflect.Slice {
			lists[field.Tag.Get("env")] = true
		}
	})
	for name, c := range map[string]struct {
		list string
		read func(config.Config) any // nil if spaces are refused
	}{
		"HTTP_CORS_ORIGINS":    {"https://a.org,https://b.org", func(c config.Config) any { return c.HTTP.Origins }},
		"HTTP_TRUSTED_PROXIES": {"10.0.0.0/8,fd00::/8", func(c config.Config) any { return c.HTTP.TrustedProxies }},
		"WEBHOOK_PRIVATE_NETWORKS": {"10.0.0.0/8,fd00::/8",
			func(c config.Config) any { return c.Webhook.PrivateNetworks }},
		"REPORT_RECIPIENTS": {"a@b.org,c@d.org", func(c config.Config) any {
			addresses, err := c.Report.Addresses()
			require.NoError(t, err)
			return addresses
		}},
		"REDIS_URL":           {"redis://a:1,redis://b:1", func(c config.Config) any { return c.Redis.URL }},
		"AUTH_FORMER_SECRETS": {strings.Repeat("x", 32) + "," + strings.Repeat("y", 32), nil},
	} {
		delete(lists, name)
		t.Run(name, func(t *testing.T) {
			plain, err := load(map[string]string{name: c.list})
			require.NoError(t, err)
			spaced, err := load(map[string]string{name: " " + strings.ReplaceAll(c.list, ",", " , ") + " "})
			if c.read == nil {
				require.ErrorContains(t, err, name)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.read(plain), c.read(spaced))
		})
	}
	require.Empty(t, lists, "lists that the table lacks")
}

func TestHELOName(t *testing.T) {
	for name, c := range map[string]struct{ setting, from, want string }{
		"the domain of the sender unless set": {"", "WatchParty <no-reply@bücher.example>", "xn--bcher-kva.example"},
		"as set":                              {"watch.example.org", "no-reply@example.org", "watch.example.org"},
		"in ASCII":                            {"kino.bücher.example", "no-reply@example.org", "kino.xn--bcher-kva.example"},
		"an address":                          {"[IPv6:2001:db8::1]", "no-reply@example.org", "[IPv6:2001:db8::1]"},
	} {
		t.Run(name, func(t *testing.T) {
			c1, err := load(
				map[string]string{"SMTP_HELO_NAME": c.setting, "MAIL_FROM": c.from, "PUBLIC_URL": "http://localhost:5000"},
			)
			require.NoError(t, err)
			got, err := c1.Email.HELO()
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestDKIMSettings(t *testing.T) {
	with := func(selector string) error {
		_, err := load(map[string]string{"MAIL_DKIM_SELECTOR": selector, "MAIL_DKIM_KEY_FILE": "/run/secrets/dkim.pem"})
		return err
	}
	for _, good := range []string{"mail", "2026-01", "a.b", strings.Repeat("x", 63)} {
		require.NoError(t, with(good), good)
	}
	for _, bad := range []string{"-a", "a-", "a b", "a;d=evil.test", "a..b", strings.Repeat("x", 64), "é"} {
		require.ErrorContains(t, with(bad), "MAIL_DKIM_SELECTOR must be", bad)
	}
}

// Two settings that read the same variable, or one without a name, would be a slip of the pen.
func TestEachSettingHasAVariable(t *testing.T) {
	seen := map[string]string{}
	eachSetting("Config", reflect.TypeFor[config.Config](), func(where string, field reflect.StructField) {
		name := field.Tag.Get("env")
		require.Regexp(t, "^[A-Z][A-Z_]*$", name, where)
		require.Empty(t, seen[name], fmt.Sprintf("%s is also read by %s", name, where))
		seen[name] = where
	})
}

// eachSetting visits the fields of a group of settings, and those of its groups.
func eachSetting(path string, group reflect.Type, visit func(where string, field reflect.StructField)) {
	for i := range group.NumField() {
		field := group.Field(i)
		where := path + "." + field.Name
		if field.Type.Kind() == reflect.Struct {
			eachSetting(where, field.Type, visit)
			continue
		}
		visit(where, field)
	}
}

func TestValuesByName(t *testing.T) {
	c, err := load(map[string]string{"CLEANUP_MESSAGE_AGE": "off", "CLEANUP_BATCH_PAUSE": "1s"})
	require.NoError(t, err)
	values := config.Values(c.Cleanup)
	require.Equal(t, []string{"off", "24h0m0s", "1s", "0 4 * * *"}, []string{
		values["CLEANUP_MESSAGE_AGE"], values["CLEANUP_PARTICIPANT_INACTIVE"], values["CLEANUP_BATCH_PAUSE"],
		values["CLEANUP_SCHEDULE"],
	})
	require.Len(t, values, reflect.TypeFor[config.Cleanup]().NumField())
}

// An age that is not meant would remove what people still use; who does mean it says so.
func TestShortAges(t *testing.T) {
	c, err := load(map[string]string{"CLEANUP_ALLOW_SHORT_AGES": "true", "CLEANUP_MESSAGE_AGE": "1s"})
	require.NoError(t, err)
	require.Equal(t, time.Second, c.Cleanup.Ages()[watchparty.PolicyMessages])
	for _, bad := range []string{"0s", "-1s", "999ms"} {
		_, err = load(map[string]string{"CLEANUP_ALLOW_SHORT_AGES": "true", "CLEANUP_MESSAGE_AGE": bad})
		require.ErrorContains(t, err, "CLEANUP_MESSAGE_AGE must be", bad)
	}
}

func TestPoliciesThatAreOn(t *testing.T) {
	c, err := load(nil)
	require.NoError(t, err)
	require.ElementsMatch(t, watchparty.Policies(), slices.Collect(maps.Keys(c.Cleanup.Settings())))
	all := watchparty.Policies()
	off := func(p watchparty.Policy) bool { return p == watchparty.PolicyUnverified }
	require.Equal(t, slices.DeleteFunc(slices.Clone(all), off), c.Cleanup.Policies(),
		"unverified accounts stay unless an operator says otherwise")
	c, err = load(map[string]string{"CLEANUP_MESSAGE_AGE": "off", "CLEANUP_UNVERIFIED_AGE": "48h"})
	require.NoError(t, err)
	require.Len(t, c.Cleanup.Ages(), len(all)-1)
	require.Equal(t, 48*time.Hour, c.Cleanup.Ages()[watchparty.PolicyUnverified])
	require.NotContains(t, c.Cleanup.Policies(), watchparty.PolicyMessages)
}
