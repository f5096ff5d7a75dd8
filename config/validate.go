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
	p.http(c.HTTP)
	p.auth(c.Auth)
	p.database(c.Database)
	p.redis(c.Redis)
	p.rateLimit(c.RateLimit)
	p.base("TEMPORAL_UI_URL", c.Temporal.UIURL)
	p.email(c.Email)
	p.bucket("BLOB_URL", c.Blob.URL)
	p.cache(c.Cache)
	p.duration("ROOM_HOST_SILENCE", c.Room.HostSilence, time.Minute)
	p.worker(c.Worker)
	p.avatar(c.Avatar)
	p.cleanup(c.Cleanup)
	p.webhook(c.Webhook)
	p.report(c.Report)
	return errors.Join(p...)
}

func (p *problems) http(h HTTP) {
	p.base("PUBLIC_URL", h.PublicURL)
	if h.FrontendURL != "" {
		p.base("FRONTEND_URL", h.FrontendURL)
	}
	if slices.ContainsFunc(h.Origins, func(o string) bool { return o != "*" && !origin.MatchString(o) }) {
		p.add(
			"HTTP_CORS_ORIGINS",
			"must be *, or origins without a path, separated by commas, such as https://party.example.org",
		)
	}
	if slices.ContainsFunc(h.TrustedProxies, func(r netip.Prefix) bool { return r.Bits() < 1 }) {
		p.add("HTTP_TRUSTED_PROXIES",
			"must name ranges, and none that has all addresses: any client could then choose its address")
	}
	p.duration("HTTP_READ_TIMEOUT", h.ReadTimeout, time.Second)
	p.duration("HTTP_WRITE_TIMEOUT", h.WriteTimeout, time.Second)
	p.duration("HTTP_DRAIN_DELAY", h.DrainDelay, 0)
	p.duration("HTTP_SHUTDOWN_TIMEOUT", h.ShutdownTimeout, time.Second)
}

func (p *problems) auth(a Auth) {
	if len(a.Secret) < MinSecretBytes {
		p.add("AUTH_SECRET", "must have at least %d bytes; make one with: openssl rand -base64 48", MinSecretBytes)
	}
	if strings.Contains(a.Secret, ",") || hasOuterSpace(a.Secret) {
		p.add("AUTH_SECRET", "must have no comma, and no space or line break at its ends, so that it can be in "+
			"AUTH_FORMER_SECRETS one day; docs/operations.md says how to replace a key that has one")
	}
	if slices.ContainsFunc(a.FormerSecrets, func(key string) bool { return len(key) < MinSecretBytes }) {
		p.add("AUTH_FORMER_SECRETS", "must be secrets of at least %d bytes, separated by commas; a key with "+
			`a comma needs the form ["key", "key"]`, MinSecretBytes)
	}
	p.duration("AUTH_ACCESS_TTL", a.AccessTTL, time.Minute)
	p.duration("AUTH_REFRESH_TTL", a.RefreshTTL, time.Hour)
	p.duration("AUTH_SESSION_TTL", a.SessionTTL, time.Hour)
	p.duration("AUTH_REFRESH_GRACE", a.RefreshGrace, 0)
	if a.RefreshGrace > maxRefreshGrace {
		p.add("AUTH_REFRESH_GRACE", "must be at most %s: a stolen token works for as long", maxRefreshGrace)
	}
	p.between("AUTH_HASH_PARALLEL", int64(a.HashParallel), 1, 64)
}

func (p *problems) rateLimit(r RateLimit) {
	p.between("RATE_LIMIT_SIGN_IN", int64(r.SignIn), 1, maxRate)
	p.between("RATE_LIMIT_SIGN_IN_FAILURES", int64(r.SignInFailures), 1, maxRate)
	p.between("RATE_LIMIT_EMAILS", int64(r.Emails), 1, maxRate)
	p.between("RATE_LIMIT_EXPORTS", int64(r.Exports), 1, maxRate)
	p.between("RATE_LIMIT_WRITES", int64(r.Writes), 1, maxRate)
	p.between("RATE_LIMIT_READS", int64(r.Reads), 1, maxRate)
}

func (p *problems) email(e Email) {
	if e.Host == "" {
		p.add("SMTP_HOST", "is required")
	} else {
		p.host("SMTP_HOST", e.Host)
	}
	p.between("SMTP_PORT", int64(e.Port), 1, 65535)
	p.oneOf("SMTP_TLS", e.TLS, "starttls", "implicit", "none")
	if from, err := mail.ParseAddress(e.From); err != nil {
		p.add("MAIL_FROM", "must be one email address, such as WatchParty <no-reply@example.org>")
	} else if _, err := watchparty.ParseAddress(from.Address); err != nil {
		p.add("MAIL_FROM", "must be one email address, such as WatchParty <no-reply@example.org>")
	}
	if _, err := e.HELO(); err != nil && e.HELOName != "" {
		p.add("SMTP_HELO_NAME", "%s", err)
	}
	switch selected, keyed := e.DKIMSelector != "", e.DKIMKeyFile != ""; {
	case keyed && !selected:
		p.add("MAIL_DKIM_KEY_FILE", "needs MAIL_DKIM_SELECTOR too")
	case selected && !keyed:
		p.add("MAIL_DKIM_SELECTOR", "needs MAIL_DKIM_KEY_FILE too")
	case selected && !selector.MatchString(e.DKIMSelector):
		p.add("MAIL_DKIM_SELECTOR", "must be letters, digits, hyphens and dots, as in a domain name")
	}
	p.duration("SMTP_TIMEOUT", e.Timeout, time.Second)
	if e.Timeout > 25*time.Second {
		p.add("SMTP_TIMEOUT", "must be at most 25s: an attempt may take two of them and ends after 60s")
	}
	if !(e.PerSecond > 0) || math.IsInf(e.PerSecond, 1) {
		p.add("MAIL_PER_SECOND", "must be more than 0 and finite")
	}
}

func (p *problems) cache(c Cache) {
	p.duration("CACHE_TTL_ROOMS", c.Rooms, time.Second)
	p.duration("CACHE_TTL_MOVIES", c.Movies, time.Second)
	p.duration("CACHE_TTL_MESSAGES", c.Messages, time.Second)
	p.duration("CACHE_TTL_PROFILES", c.Profiles, time.Second)
	p.between("CACHE_MEMORY_BYTES", c.Memory, 1<<20, 64<<30)
}

func (p *problems) worker(w Worker) {
	p.duration("WORKER_STOP_TIMEOUT", w.StopTimeout, 0)
	if (w.Deployment == "") != (w.BuildID == "") {
		p.add("WORKER_BUILD_ID", "and WORKER_DEPLOYMENT must both be set, or neither")
	}
}

func (p *problems) avatar(a Avatar) {
	p.between("AVATAR_MAX_BYTES", a.MaxUploadBytes, 1024, 64<<20)
	p.between("AVATAR_MAX_PIXELS", int64(a.MaxPixels), 1, 500_000_000)
	p.between("AVATAR_CONCURRENCY", int64(a.Concurrency), 0, 256)
	if a.CDNURL != "" {
		p.base("AVATAR_CDN_URL", a.CDNURL)
	}
}

func (p *problems) cleanup(c Cleanup) {
	p.schedule("CLEANUP_SCHEDULE", c.Schedule)
	ages := c.policyAges()
	for _, policy := range watchparty.Policies() {
		p.age(ages[policy].setting, ages[policy].age, c.MinAge())
	}
	p.duration("CLEANUP_BATCH_PAUSE", c.BatchPause, 0)
	if c.BatchPause > 10*time.Second {
		p.add("CLEANUP_BATCH_PAUSE", "must be at most 10s")
	}
}

func (p *problems) webhook(w Webhook) {
	if slices.ContainsFunc(w.PrivateNetworks, func(r netip.Prefix) bool { return r.Bits() < 1 }) {
		p.add("WEBHOOK_PRIVATE_NETWORKS", "must name ranges, and none that has all addresses")
	}
	p.duration("WEBHOOK_OFF_AFTER", w.OffAfter, time.Hour)
}

func (p *problems) report(r Report) {
	p.schedule("REPORT_WEEKLY_SCHEDULE", r.Weekly)
	p.schedule("REPORT_MONTHLY_SCHEDULE", r.Monthly)
	if len(r.Recipients) > maxRecipients {
		p.add("REPORT_RECIPIENTS", "must be %d addresses at most", maxRecipients)
	}
	if _, err := r.Addresses(); err != nil {
		p.add("REPORT_RECIPIENTS",
			"must be plain email addresses, separated by commas, such as ops@example.org,boss@example.org")
	}
	languages := make([]string, 0, len(watchparty.Languages()))
	for _, language := range watchparty.Languages() {
		languages = append(languages, string(language))
	}
	p.oneOf("REPORT_LANGUAGE", string(r.Language), languages...)
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
	"time.Duration": "duration, such as 30s or 24h",
	"config.Age":    "duration, such as 24h, or off",
	"config.Keys": `list of secrets, separated by commas without spaces, or ["key", "key"] (JSON) for keys with ` +
		"commas or spaces",
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
	p.between("DATABASE_MAX_CONNS", int64(d.MaxConns), 2, 1000)
	p.duration("DATABASE_STATEMENT_TIMEOUT", d.StatementTimeout, 100*time.Millisecond)
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
	p.duration("REDIS_TIMEOUT", r.Timeout, time.Millisecond)
	if r.Timeout > 100*time.Millisecond {
		p.add("REDIS_TIMEOUT", "must be at most 100ms: nothing waits longer for the cache")
	}
	p.between("REDIS_POOL_SIZE", int64(r.PoolSize), 1, 1000)
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
