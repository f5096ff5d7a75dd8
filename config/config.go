// Package config turns the environment into one struct with defaults.
//
// Every setting is named here once: its variable, its default and, in Validate, its limits. Packages take the
// part that concerns them as a value; nothing reads the environment after Load.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/mail"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/watchparty/watchparty"
)

// Config is everything the program can be told.
type Config struct {
	Env       string `env:"APP_ENV" envDefault:"production"`
	LogLevel  string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`

	// MetricsAddr serves Prometheus metrics: :9090 for the API and :9091 for a worker unless set; "off" serves none.
	MetricsAddr string `env:"METRICS_ADDR"`

	HTTP      HTTP
	Auth      Auth
	Database  Database
	Redis     Redis
	RateLimit RateLimit
	Temporal  Temporal
	Mail      Mail
	Blob      Blob
	Cache     Cache
	Room      Room
	Worker    Worker
	Avatar    Avatar
	Cleanup   Cleanup
	Report    Report
}

// HTTP is the API's listener and what it tells others about itself.
type HTTP struct {
	Addr string `env:"HTTP_ADDR" envDefault:":5000"`
	// PublicURL is this service's own address in mails and avatar addresses, without a trailing slash.
	PublicURL string `env:"PUBLIC_URL" envDefault:"http://localhost:5000"`
	// FrontendURL is where the links in mails lead, without a trailing slash: its /verify-email, /password-reset,
	// /invitations and /unsubscribe get the token behind the #. PublicURL unless set, which has plain pages for them.
	FrontendURL string `env:"FRONTEND_URL"`
	// Origins are those of the front-ends that browsers may call the API from; * is any.
	Origins []string `env:"HTTP_CORS_ORIGINS" envDefault:"*"`
	// TrustedProxies are the ranges whose X-Forwarded-For is believed. Without them the connection's own address is the
	// client's.
	TrustedProxies []netip.Prefix `env:"HTTP_TRUSTED_PROXIES"`
	// ReadTimeout has to do for an upload over a slow line.
	ReadTimeout  time.Duration `env:"HTTP_READ_TIMEOUT" envDefault:"60s"`
	WriteTimeout time.Duration `env:"HTTP_WRITE_TIMEOUT" envDefault:"30s"`
	// DrainDelay is how long readiness is red before the listener closes, so that load balancers notice.
	DrainDelay time.Duration `env:"HTTP_DRAIN_DELAY" envDefault:"5s"`
	// ShutdownTimeout is what requests in flight get to finish after that.
	ShutdownTimeout time.Duration `env:"HTTP_SHUTDOWN_TIMEOUT" envDefault:"30s"`
}

// Auth bounds tokens and password hashing.
type Auth struct {
	// Secret signs access tokens and derives one-time tokens; 32 bytes or more.
	Secret string `env:"AUTH_SECRET"`
	// FormerSecrets still verify what was signed or derived with them, and sign nothing.
	FormerSecrets []string `env:"AUTH_FORMER_SECRETS"`

	AccessTTL  time.Duration `env:"AUTH_ACCESS_TTL" envDefault:"15m"`
	RefreshTTL time.Duration `env:"AUTH_REFRESH_TTL" envDefault:"720h"`
	// SessionTTL is how long a sign-in lasts at most, however often its token is exchanged.
	SessionTTL time.Duration `env:"AUTH_SESSION_TTL" envDefault:"2160h"`
	// RefreshGrace is how long a refresh token still works after it was exchanged: two tabs may use one token, and an
	// answer may be lost. Later use of it ends the sign-in.
	RefreshGrace time.Duration `env:"AUTH_REFRESH_GRACE" envDefault:"30s"`
	HashParallel int           `env:"AUTH_HASH_PARALLEL" envDefault:"2"`
}

// Database is Postgres. Load makes URL complete: from the parts if Host is set, else with Password if it has none.
type Database struct {
	URL      string `env:"DATABASE_URL"`
	Host     string `env:"DATABASE_HOST"`
	Port     int    `env:"DATABASE_PORT" envDefault:"5432"`
	User     string `env:"DATABASE_USER" envDefault:"watchparty"`
	Password string `env:"DATABASE_PASSWORD"`
	Name     string `env:"DATABASE_NAME" envDefault:"watchparty"`
	SSLMode  string `env:"DATABASE_SSLMODE"`
	// SSLRootCert is a PEM file with the authority of the server's certificate; the system's authorities unless set.
	SSLRootCert string `env:"DATABASE_SSLROOTCERT"`
	// MaxConns is the pool's size for one process.
	MaxConns         int           `env:"DATABASE_MAX_CONNS" envDefault:"20"`
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" envDefault:"5s"`
}

// Redis is the shared cache level. URL is redis://, rediss:// or unix://; several, separated by commas, are a cluster.
// Load makes it complete: from the parts if Host is set, else with Password where an address has none.
type Redis struct {
	URL      string `env:"REDIS_URL"`
	Host     string `env:"REDIS_HOST"`
	Port     int    `env:"REDIS_PORT" envDefault:"6379"`
	Username string `env:"REDIS_USERNAME"`
	Password string `env:"REDIS_PASSWORD"`
	DB       int    `env:"REDIS_DB" envDefault:"0"`
	TLS      bool   `env:"REDIS_TLS" envDefault:"false"`
	// KeyPrefix keeps two installations in one Redis apart.
	KeyPrefix string        `env:"REDIS_KEY_PREFIX" envDefault:"wp:"`
	Timeout   time.Duration `env:"REDIS_TIMEOUT" envDefault:"50ms"`
	PoolSize  int           `env:"REDIS_POOL_SIZE" envDefault:"20"`
}

// RateLimit is how much one account or client address may ask for; an IPv6 client is its /64. All replicas count
// together but for Reads, which each counts for itself. While Redis is away each replica limits reads and wrong
// passwords for itself, emails are limited as ever, and nothing else is.
type RateLimit struct {
	Enabled bool `env:"RATE_LIMIT_ENABLED" envDefault:"true"`
	// SignIn is requests to /auth/* per minute and client address.
	SignIn int `env:"RATE_LIMIT_SIGN_IN" envDefault:"100"`
	// SignInFailures is wrong passwords per 15 minutes, account and client. All clients together that have not signed in
	// to the account before have 100 an hour.
	SignInFailures int `env:"RATE_LIMIT_SIGN_IN_FAILURES" envDefault:"20"`
	// Mails is emails per hour to one recipient, and by one account that asks for them; the other limits of emails follow
	// from it (watchparty.EmailBudget). They are kept in Postgres, with or without Redis.
	Mails int `env:"RATE_LIMIT_MAILS" envDefault:"5"`
	// Exports is exports of one's data per hour and account.
	Exports int `env:"RATE_LIMIT_EXPORTS" envDefault:"5"`
	// Writes is POST, PUT, PATCH and DELETE per minute and account, or client address without a valid token.
	Writes int `env:"RATE_LIMIT_WRITES" envDefault:"300"`
	// Reads is other requests per second and client address; twice as many at once.
	Reads int `env:"RATE_LIMIT_READS" envDefault:"100"`
}

// Temporal is read with the SDK's own environment names (contrib/envconfig): TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
// TEMPORAL_API_KEY, TEMPORAL_TLS_*. Here is what the rest of the program needs to know besides.
type Temporal struct {
	// UIURL is where operators are sent, without a trailing slash.
	UIURL     string `env:"TEMPORAL_UI_URL" envDefault:"http://localhost:8233"`
	Namespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default"`
}

// Mail is the SMTP relay.
type Mail struct {
	Host     string `env:"SMTP_HOST"`
	Port     int    `env:"SMTP_PORT" envDefault:"587"`
	Username string `env:"SMTP_USERNAME"`
	Password string `env:"SMTP_PASSWORD"`
	// TLS is starttls (required), implicit or none.
	TLS     string        `env:"SMTP_TLS" envDefault:"starttls"`
	From    string        `env:"MAIL_FROM" envDefault:"WatchParty <no-reply@watchparty.test>"`
	Timeout time.Duration `env:"SMTP_TIMEOUT" envDefault:"20s"`
	// HELOName is what this service calls itself to the SMTP server: a fully qualified domain name, or an IP address in
	// brackets. Many servers refuse every email of a client that gives the bare name of its machine or container. It is
	// the domain of From unless set: emails need one that is in DNS anyway, and its SPF record, which servers may look up
	// by this name too, lists the addresses that the emails come from. The host of PublicURL can be a bare name or an
	// address, and need not be where emails come from. Set it when the SMTP server takes its own domain from nobody else.
	HELOName string `env:"SMTP_HELO_NAME"`
	// DKIMSelector and DKIMKeyFile, a PEM file with an RSA or Ed25519 key, sign mails for the domain of From.
	DKIMSelector string `env:"MAIL_DKIM_SELECTOR"`
	DKIMKeyFile  string `env:"MAIL_DKIM_KEY_FILE"`
	// PerSecond is the provider's rate, kept for all workers together by the task queue.
	PerSecond float64 `env:"MAIL_PER_SECOND" envDefault:"20"`
}

// HELO is the name for EHLO in ASCII, as the protocol wants it.
func (m Mail) HELO() (string, error) {
	if m.HELOName == "" {
		from, err := mail.ParseAddress(m.From)
		if err != nil {
			return "", errors.New("MAIL_FROM is not one email address")
		}
		address, err := watchparty.ParseAddress(from.Address)
		return address.Domain(), err
	}
	errName := errors.New("must be a fully qualified domain name, such as watch.example.org, or an IP address in brackets, " +
		"such as [192.0.2.1] or [IPv6:2001:db8::1]")
	if literal, ok := strings.CutPrefix(m.HELOName, "["); ok {
		text, closed := strings.CutSuffix(literal, "]")
		text, six := strings.CutPrefix(text, "IPv6:")
		ip, err := netip.ParseAddr(text)
		if err != nil || !closed || ip.Is4() == six || ip.Zone() != "" {
			return "", errName
		}
		return m.HELOName, nil
	}
	address, err := watchparty.ParseAddress("postmaster@" + m.HELOName) // for its rules of domains
	if err != nil || !strings.Contains(address.Domain(), ".") || strings.ContainsAny(m.HELOName, "@ \t\r\n") {
		return "", errName
	}
	return address.Domain(), nil
}

// Blob is the bucket for files: file:///path or s3://name?region=….
type Blob struct {
	URL string `env:"BLOB_URL"`
}

// Cache holds how long entries may live; a change voids them at once whatever is said here.
type Cache struct {
	Rooms    time.Duration `env:"CACHE_TTL_ROOMS" envDefault:"1m"`
	Movies   time.Duration `env:"CACHE_TTL_MOVIES" envDefault:"10m"`
	Messages time.Duration `env:"CACHE_TTL_MESSAGES" envDefault:"1m"`
	Profiles time.Duration `env:"CACHE_TTL_PROFILES" envDefault:"5m"`
}

// Room holds what is the same for all rooms.
type Room struct {
	// HostSilence is how long a host may stay unseen before the room passes on to those who are there.
	HostSilence time.Duration `env:"ROOM_HOST_SILENCE" envDefault:"10m"`
}

// Worker is the Temporal worker process.
type Worker struct {
	StopTimeout time.Duration `env:"WORKER_STOP_TIMEOUT" envDefault:"30s"`
}

// Avatar bounds uploads and rendering.
type Avatar struct {
	MaxUploadBytes int64 `env:"AVATAR_MAX_BYTES" envDefault:"5242880"`
	MaxPixels      int   `env:"AVATAR_MAX_PIXELS" envDefault:"50000000"`
	// Concurrency is how many pictures one worker renders at once; 0 means as many as there are cores.
	Concurrency int `env:"AVATAR_CONCURRENCY" envDefault:"0"`
	// CDNURL is where requests for rendered files are sent, without a trailing slash; the API serves them itself unless
	// set.
	CDNURL string `env:"AVATAR_CDN_URL"`
}

// Age is how old something has to be for a policy to apply, counted from the moment that the setting names. Off is
// never.
type Age time.Duration

// Off is the age of a policy that is not applied.
const Off Age = math.MinInt64

// UnmarshalText reads a duration that is not negative, or off.
func (a *Age) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*a = Off
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return errors.New("not an age")
	}
	*a = Age(d)
	return nil
}

// String returns what UnmarshalText reads.
func (a Age) String() string {
	if a == Off {
		return "off"
	}
	return time.Duration(a).String()
}

// Values returns the settings of a group, such as Cleanup, by the names of their variables.
func Values(group any) map[string]string {
	values := map[string]string{}
	v := reflect.ValueOf(group)
	for i := range v.NumField() {
		values[v.Type().Field(i).Tag.Get("env")] = fmt.Sprint(v.Field(i).Interface())
	}
	return values
}

// Cleanup is what is removed, when, and in what portions.
type Cleanup struct {
	// Schedule is a cron expression in UTC, or off.
	Schedule string `env:"CLEANUP_SCHEDULE" envDefault:"0 4 * * *"`
	// ParticipantInactive counts from when they were last seen.
	ParticipantInactive Age `env:"CLEANUP_PARTICIPANT_INACTIVE" envDefault:"24h"`
	MessageAge          Age `env:"CLEANUP_MESSAGE_AGE" envDefault:"2160h"`
	// RoomInactive archives a room; RoomArchived counts from then, or from its deletion by its host.
	RoomInactive Age `env:"CLEANUP_ROOM_INACTIVE" envDefault:"720h"`
	RoomArchived Age `env:"CLEANUP_ROOM_ARCHIVED" envDefault:"168h"`
	// UnverifiedAge counts from the account's beginning, and from its latest use.
	UnverifiedAge Age `env:"CLEANUP_UNVERIFIED_AGE" envDefault:"off"`
	// The next three count from the end: of a token's life, a sign-in, an invitation.
	TokenAge      Age `env:"CLEANUP_TOKEN_AGE" envDefault:"168h"`
	SessionAge    Age `env:"CLEANUP_SESSION_AGE" envDefault:"168h"`
	InvitationAge Age `env:"CLEANUP_INVITATION_AGE" envDefault:"2160h"`
	// IdempotencyKeyAge counts from when a key is not remembered any more.
	IdempotencyKeyAge Age `env:"CLEANUP_IDEMPOTENCY_KEY_AGE" envDefault:"1h"`
	// ReportAge counts from when a report of abuse was resolved.
	ReportAge Age `env:"CLEANUP_REPORT_AGE" envDefault:"2160h"`
	// MailAge counts from when a mail was sent or given up.
	MailAge Age `env:"CLEANUP_MAIL_AGE" envDefault:"4320h"`
	// OutboxAge counts from when Temporal had the event.
	OutboxAge Age `env:"CLEANUP_OUTBOX_AGE" envDefault:"168h"`
	// ActivityAge counts from the day of it: a month's report beside the month before needs 62 days.
	ActivityAge Age `env:"CLEANUP_ACTIVITY_AGE" envDefault:"2160h"`
	// FileAge counts from when a file was written; an upload is committed long before.
	FileAge Age `env:"CLEANUP_FILE_AGE" envDefault:"24h"`
	// AllowShortAges lets ages be less than an hour: for trying things out.
	AllowShortAges bool          `env:"CLEANUP_ALLOW_SHORT_AGES" envDefault:"false"`
	BatchPause     time.Duration `env:"CLEANUP_BATCH_PAUSE" envDefault:"50ms"`
}

// Ages are those of all policies that are not off.
func (c Cleanup) Ages() map[watchparty.Policy]time.Duration {
	ages := map[watchparty.Policy]time.Duration{}
	for policy, age := range map[watchparty.Policy]Age{
		watchparty.PolicyParticipants: c.ParticipantInactive,
		watchparty.PolicyMessages:     c.MessageAge,
		watchparty.PolicyRooms:        c.RoomInactive,
		watchparty.PolicyArchived:     c.RoomArchived,
		watchparty.PolicyUnverified:   c.UnverifiedAge,
		watchparty.PolicyTokens:       c.TokenAge,
		watchparty.PolicySessions:     c.SessionAge,
		watchparty.PolicyInvitations:  c.InvitationAge,
		watchparty.PolicyKeys:         c.IdempotencyKeyAge,
		watchparty.PolicyReports:      c.ReportAge,
		watchparty.PolicyEmails:       c.MailAge,
		watchparty.PolicyOutbox:       c.OutboxAge,
		watchparty.PolicyActivity:     c.ActivityAge,
		watchparty.PolicyFiles:        c.FileAge,
	} {
		if age != Off {
			ages[policy] = time.Duration(age)
		}
	}
	return ages
}

// Policies are those that are not off, in the order in which a run applies them.
func (c Cleanup) Policies() []watchparty.Policy {
	ages := c.Ages()
	return slices.DeleteFunc(watchparty.Policies(), func(p watchparty.Policy) bool { _, on := ages[p]; return !on })
}

// MinAge is the least age that a policy may have.
func (c Cleanup) MinAge() time.Duration {
	if c.AllowShortAges {
		return time.Second
	}
	return watchparty.MinPolicyAge
}

// Load reads environ (in the form of os.Environ) and reports every problem at once.
func Load(environ []string) (Config, error) {
	environ, unreadFiles := ReadSecrets(environ)
	vars := env.ToMap(environ)
	unread := errors.Join(unreadFiles, dropUnreadable(vars))
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	c.HTTP.FrontendURL = strings.TrimRight(c.HTTP.FrontendURL, "/")
	c.Avatar.CDNURL = strings.TrimRight(c.Avatar.CDNURL, "/")
	c.Temporal.UIURL = strings.TrimRight(c.Temporal.UIURL, "/")
	c.Database.complete()
	c.Redis.complete()
	if err := errors.Join(unread, c.Validate()); err != nil {
		return Config{}, err
	}
	c.HTTP.FrontendURL = cmp.Or(c.HTTP.FrontendURL, c.HTTP.PublicURL)
	return c, nil
}

// Development reports whether the program runs on a developer's machine.
func (c Config) Development() bool { return c.Env == "development" }

// Report is when activity reports are made, and who gets them.
type Report struct {
	// Cron expressions in UTC, or off. A report is of the latest week, or month, that is over.
	Weekly  string `env:"REPORT_WEEKLY_SCHEDULE" envDefault:"0 5 * * 1"`
	Monthly string `env:"REPORT_MONTHLY_SCHEDULE" envDefault:"0 5 1 * *"`
	// Recipients are plain addresses. Whoever has the mail can open the report.
	Recipients []string            `env:"REPORT_RECIPIENTS"`
	Language   watchparty.Language `env:"REPORT_LANGUAGE" envDefault:"en"`
}

// Addresses are the recipients.
func (r Report) Addresses() ([]watchparty.Address, error) {
	addresses := make([]watchparty.Address, len(r.Recipients))
	for i, recipient := range r.Recipients {
		var err error
		if addresses[i], err = watchparty.ParseAddress(recipient); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// EmailLimit is for store.LimitEmails.
func (r RateLimit) EmailLimit() int {
	if !r.Enabled {
		return 0
	}
	return r.Mails
}

// OffSchedule is the setting of a schedule that there is not to be.
const OffSchedule = "off"
