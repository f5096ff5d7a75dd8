package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/robfig/cron/v3"

	"github.com/watchparty/watchparty"
)

// MinSecretBytes is the lowest length of AUTH_SECRET.
const MinSecretBytes = 32

// maxRate is the highest rate that Redis can count exactly, since it counts in microseconds.
const maxRate = 100_000

// maxRefreshGrace is the longest time for which an exchanged refresh token may still work.
const maxRefreshGrace = 5 * time.Minute

// maxRecipients is the largest number of recipients of reports.
const maxRecipients = 20

// selector matches a DKIM selector (RFC 6376, 3.1).
var selector = regexp.MustCompile(
	`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`,
)

// Validate returns one error for each setting that cannot work, with the name of the variable.
func (c Config) Validate() error {
	var p problems
	p.oneOf("APP_ENV", c.Env, "production", "development")
	p.oneOf("LOG_LEVEL", c.LogLevel, "debug", "info", "warn", "error")
	p.oneOf("LOG_FORMAT", c.LogFormat, "json", "text")

	p.base("PUBLIC_URL", c.HTTP.PublicURL)
	if c.HTTP.FrontendURL != "" {
		p.base("FRONTEND_URL", c.HTTP.FrontendURL)
	}
	if slices.ContainsFunc(c.HTTP.Origins, func(o string) bool { return o != "*" && !origin.MatchString(o) }) {
		p.add(
			"HTTP_CORS_ORIGINS",
			"must be *, or origins without a path, separated by commas, such as https://party.example.org",
		)
	}
	if slices.ContainsFunc(c.HTTP.TrustedProxies, func(r netip.Prefix) bool { return r.Bits() < 1 }) {
		p.add("HTTP_TRUSTED_PROXIES",
			"must name ranges, and none that has all addresses: any client could then choose its address")
	}
	p.duration("HTTP_READ_TIMEOUT", c.HTTP.ReadTimeout, time.Second)
	p.duration("HTTP_WRITE_TIMEOUT", c.HTTP.WriteTimeout, time.Second)
	p.duration("HTTP_DRAIN_DELAY", c.HTTP.DrainDelay, 0)
	p.duration("HTTP_SHUTDOWN_TIMEOUT", c.HTTP.ShutdownTimeout, time.Second)

	if len(c.Auth.Secret) < MinSecretBytes {
		p.add("AUTH_SECRET", "must have at least %d bytes; make one with: openssl rand -base64 48", MinSecretBytes)
	}
	for _, former := range c.Auth.FormerSecrets {
		if len(former) < MinSecretBytes || strings.TrimSpace(former) != former {
			p.add("AUTH_FORMER_SECRETS", "must be secrets of at least %d bytes, separated by commas without spaces",
				MinSecretBytes)
			break
		}
	}
	p.duration("AUTH_ACCESS_TTL", c.Auth.AccessTTL, time.Minute)
	p.duration("AUTH_REFRESH_TTL", c.Auth.RefreshTTL, time.Hour)
	p.duration("AUTH_SESSION_TTL", c.Auth.SessionTTL, time.Hour)
	p.duration("AUTH_REFRESH_GRACE", c.Auth.RefreshGrace, 0)
	if c.Auth.RefreshGrace > maxRefreshGrace {
		p.add("AUTH_REFRESH_GRACE", "must be at most %s: a stolen token works for as long", maxRefreshGrace)
	}
	p.between("AUTH_HASH_PARALLEL", int64(c.Auth.HashParallel), 1, 64)

	p.database(c.Database)
	p.between("DATABASE_MAX_CONNS", int64(c.Database.MaxConns), 2, 1000)
	p.duration("DATABASE_STATEMENT_TIMEOUT", c.Database.StatementTimeout, 100*time.Millisecond)

	p.redis(c.Redis)
	p.duration("REDIS_TIMEOUT", c.Redis.Timeout, time.Millisecond)
	if c.Redis.Timeout > 100*time.Millisecond {
		p.add("REDIS_TIMEOUT", "must be at most 100ms: nothing waits longer for the cache")
	}
	p.between("REDIS_POOL_SIZE", int64(c.Redis.PoolSize), 1, 1000)

	p.between("RATE_LIMIT_SIGN_IN", int64(c.RateLimit.SignIn), 1, maxRate)
	p.between("RATE_LIMIT_SIGN_IN_FAILURES", int64(c.RateLimit.SignInFailures), 1, maxRate)
	p.between("RATE_LIMIT_EMAILS", int64(c.RateLimit.Emails), 1, maxRate)
	p.between("RATE_LIMIT_EXPORTS", int64(c.RateLimit.Exports), 1, maxRate)
	p.between("RATE_LIMIT_WRITES", int64(c.RateLimit.Writes), 1, maxRate)
	p.between("RATE_LIMIT_READS", int64(c.RateLimit.Reads), 1, maxRate)

	p.base("TEMPORAL_UI_URL", c.Temporal.UIURL)

	if c.Email.Host == "" {
		p.add("SMTP_HOST", "is required")
	} else {
		p.host("SMTP_HOST", c.Email.Host)
	}
	p.between("SMTP_PORT", int64(c.Email.Port), 1, 65535)
	p.oneOf("SMTP_TLS", c.Email.TLS, "starttls", "implicit", "none")
	if from, err := mail.ParseAddress(c.Email.From); err != nil {
		p.add("MAIL_FROM", "must be one email address, such as WatchParty <no-reply@example.org>")
	} else if _, err := watchparty.ParseAddress(from.Address); err != nil {
		p.add("MAIL_FROM", "must be one email address, such as WatchParty <no-reply@example.org>")
	}
	if _, err := c.Email.HELO(); err != nil && c.Email.HELOName != "" {
		p.add("SMTP_HELO_NAME", "%s", err)
	}
	switch selected, keyed := c.Email.DKIMSelector != "", c.Email.DKIMKeyFile != ""; {
	case keyed && !selected:
		p.add("MAIL_DKIM_KEY_FILE", "needs MAIL_DKIM_SELECTOR too")
	case selected && !keyed:
		p.add("MAIL_DKIM_SELECTOR", "needs MAIL_DKIM_KEY_FILE too")
	case selected && !selector.MatchString(c.Email.DKIMSelector):
		p.add("MAIL_DKIM_SELECTOR", "must be letters, digits, hyphens and dots, as in a domain name")
	}
	p.duration("SMTP_TIMEOUT", c.Email.Timeout, time.Second)
	if c.Email.Timeout > 25*time.Second {
		p.add("SMTP_TIMEOUT", "must be at most 25s: an attempt may take two of them and ends after 60s")
	}
	if !(c.Email.PerSecond > 0) || math.IsInf(c.Email.PerSecond, 1) {
		p.add("MAIL_PER_SECOND", "must be more than 0 and finite")
	}

	p.bucket("BLOB_URL", c.Blob.URL)

	p.duration("CACHE_TTL_ROOMS", c.Cache.Rooms, time.Second)
	p.duration("CACHE_TTL_MOVIES", c.Cache.Movies, time.Second)
	p.duration("CACHE_TTL_MESSAGES", c.Cache.Messages, time.Second)
	p.duration("CACHE_TTL_PROFILES", c.Cache.Profiles, time.Second)
	p.between("CACHE_MEMORY_BYTES", c.Cache.Memory, 1<<20, 64<<30)

	p.duration("ROOM_HOST_SILENCE", c.Room.HostSilence, time.Minute)

	p.duration("WORKER_STOP_TIMEOUT", c.Worker.StopTimeout, 0)
	if (c.Worker.Deployment == "") != (c.Worker.BuildID == "") {
		p.add("WORKER_BUILD_ID", "and WORKER_DEPLOYMENT must both be set, or neither")
	}

	p.between("AVATAR_MAX_BYTES", c.Avatar.MaxUploadBytes, 1024, 64<<20)
	p.between("AVATAR_MAX_PIXELS", int64(c.Avatar.MaxPixels), 1, 500_000_000)
	p.between("AVATAR_CONCURRENCY", int64(c.Avatar.Concurrency), 0, 256)
	if c.Avatar.CDNURL != "" {
		p.base("AVATAR_CDN_URL", c.Avatar.CDNURL)
	}

	p.schedule("CLEANUP_SCHEDULE", c.Cleanup.Schedule)
	ages := c.Cleanup.policyAges()
	for _, policy := range watchparty.Policies() {
		p.age(ages[policy].setting, ages[policy].age, c.Cleanup.MinAge())
	}
	p.duration("CLEANUP_BATCH_PAUSE", c.Cleanup.BatchPause, 0)
	if c.Cleanup.BatchPause > 10*time.Second {
		p.add("CLEANUP_BATCH_PAUSE", "must be at most 10s")
	}

	if slices.ContainsFunc(c.Webhook.PrivateNetworks, func(r netip.Prefix) bool { return r.Bits() < 1 }) {
		p.add("WEBHOOK_PRIVATE_NETWORKS", "must name ranges, and none that has all addresses")
	}
	p.duration("WEBHOOK_OFF_AFTER", c.Webhook.OffAfter, time.Hour)

	p.schedule("REPORT_WEEKLY_SCHEDULE", c.Report.Weekly)
	p.schedule("REPORT_MONTHLY_SCHEDULE", c.Report.Monthly)
	if len(c.Report.Recipients) > maxRecipients {
		p.add("REPORT_RECIPIENTS", "must be %d addresses at most", maxRecipients)
	}
	if _, err := c.Report.Addresses(); err != nil {
		p.add("REPORT_RECIPIENTS",
			"must be plain email addresses, separated by commas, such as ops@example.org,boss@example.org")
	}
	languages := make([]string, 0, len(watchparty.Languages()))
	for _, language := range watchparty.Languages() {
		languages = append(languages, string(language))
	}
	p.oneOf("REPORT_LANGUAGE", string(c.Report.Language), languages...)
	return errors.Join(p...)
}

// dropUnreadable removes the variables from vars whose values do not have the type of their setting, so that Load can
// validate the others, and returns an error that names them. The library's own errors would name struct fields only. No
// error contains a value.
func dropUnreadable(vars map[string]string) error {
	params, err := env.GetFieldParams(&Config{})
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	var p problems
	for _, param := range params {
		var parse env.ParseError
		one := env.Options{Environment: map[string]string{param.Key: vars[param.Key]}}
		if errors.As(env.ParseWithOptions(&Config{}, one), &parse) {
			p.add(param.Key, "must be a %s", kinds[parse.Type.String()])
			delete(vars, param.Key)
		}
	}
	return errors.Join(p...)
}

var kinds = map[string]string{
	"int": "whole number", "int64": "whole number", "float64": "number", "bool": "truth value: true or false",
	"time.Duration":  "duration, such as 30s or 24h",
	"config.Age":     "duration, such as 24h, or off",
	"[]netip.Prefix": "list of ranges, separated by commas, such as 10.0.0.0/8,fd00::/8",
}

type problems []error

func (p *problems) add(name, format string, args ...any) {
	*p = append(*p, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

func (p *problems) oneOf(name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add(name, "must be one of %s", strings.Join(allowed, ", "))
	}
}

func (p *problems) between(name string, value, low, high int64) {
	if value < low || value > high {
		p.add(name, "must be from %d to %d", low, high)
	}
}

func (p *problems) schedule(name, value string) {
	if _, err := cron.ParseStandard(value); err != nil && value != OffSchedule {
		p.add(name, "must be a cron expression, such as 0 4 * * *, or off")
	}
}

func (p *problems) duration(name string, value, low time.Duration) {
	if value < low {
		p.add(name, "must be at least %s", low)
	}
}

func (p *problems) age(name string, value Age, low time.Duration) {
	if value != Off && (time.Duration(value) < low || time.Duration(value) > watchparty.MaxPolicyAge) {
		p.add(name, "must be from %s to %s, or off", low, watchparty.MaxPolicyAge)
	}
}

// database checks the parts of the address if DATABASE_HOST is set, and else DATABASE_URL.
func (p *problems) database(d Database) {
	p.between("DATABASE_PORT", int64(d.Port), 1, 65535)
	if d.SSLMode != "" {
		p.oneOf("DATABASE_SSLMODE", d.SSLMode, "verify-full", "verify-ca", "require", "prefer", "allow", "disable")
	}
	if d.Host == "" {
		p.url("DATABASE_URL", d.URL, "postgres", "postgresql", "unix")
		return
	}
	p.host("DATABASE_HOST", d.Host)
}

// redis checks the parts of the address if REDIS_HOST is set, and else REDIS_URL.
func (p *problems) redis(r Redis) {
	p.between("REDIS_PORT", int64(r.Port), 1, 65535)
	p.between("REDIS_DB", int64(r.DB), 0, 1_000_000)
	if r.Host == "" {
		for part := range strings.SplitSeq(r.URL, ",") {
			p.url("REDIS_URL", part, "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
		}
		return
	}
	p.host("REDIS_HOST", r.Host)
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (p *problems) host(name, value string) {
	if net.ParseIP(strings.Trim(value, "[]")) == nil && !hostName.MatchString(value) {
		p.add(name, "must be a name or an IP address, without a port")
	}
}

// origin matches the scheme, host and port of a page. The host may have wildcards.
var origin = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[^/\s#@]+$`)

// url checks an address. The error does not contain the value, which may have a password.
func (p *problems) url(name, value string, schemes ...string) *url.URL {
	if value == "" {
		p.add(name, "is required")
		return nil
	}
	u, err := url.Parse(value)
	scheme, _, _ := strings.Cut(value, "://")
	switch {
	case err != nil && slices.Contains(schemes, scheme):
		p.add(name, "must be an address without spaces, in which special characters of a password are escaped")
		return nil
	case err != nil || !slices.Contains(schemes, u.Scheme):
		p.add(name, "must be an address that starts with %s://", strings.Join(schemes, ":// or "))
		return nil
	}
	return u
}

// base checks an address on the web to which paths are added.
func (p *problems) base(name, value string) {
	u := p.url(name, value, "http", "https")
	if u == nil {
		return
	}
	_, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	switch {
	case u.Hostname() == "" || err != nil:
		p.add(name, "must have a host after http:// or https://, and a port only from 1 to 65535")
	case u.User != nil || strings.ContainsAny(value, "?#"):
		p.add(name, "must be without a user, a query (?) and a fragment (#), since paths are added to it")
	}
}

// bucket checks the address of a bucket.
func (p *problems) bucket(name, value string) {
	u := p.url(name, value, "file", "s3", "mem")
	switch {
	case u == nil:
	case u.Scheme == "file" && (u.Path == "" || u.Host != "" && u.Host != "."):
		p.add(name, "must have a path after file://, such as file:///var/lib/watchparty")
	case u.Scheme == "s3" && u.Host == "":
		p.add(name, "must have the name of a bucket after s3://")
	}
}
