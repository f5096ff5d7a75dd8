// Package config turns the environment into one struct with defaults.
//
// This file has each setting's variable and default, validate.go its limits, and settings.go its description, from
// which .env.example and docs/settings.md are generated. Other packages take their part of Config as a value. Nothing
// reads the environment after Load.
package config

import (
	"cmp"
	"encoding/json"
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

// Config has all settings of the program.
type Config struct {
	Env       string `env:"APP_ENV" envDefault:"production"`
	LogLevel  string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`

	Metrics   Metrics
	HTTP      HTTP
	Auth      Auth
	Database  Database
	Redis     Redis
	RateLimit RateLimit
	Temporal  Temporal
	Email     Email
	Blob      Blob
	Cache     Cache
	Room      Room
	Worker    Worker
	Avatar    Avatar
	Cleanup   Cleanup
	Report    Report
	Webhook   Webhook
}

// Metrics is where operators measure a process.
type Metrics struct {
	// Addr is the address that serves Prometheus metrics, or "off". Empty means :9090 for the API and :9091 for a worker.
	Addr string `env:"METRICS_ADDR"`
	// Profiles adds Go's profiles (net/http/pprof) to that address. They show the program's code and memory.
	Profiles bool `env:"METRICS_PPROF" envDefault:"false"`
}

// HTTP has the address and the timeouts of the API's listener, and the addresses under which others reach it.
type HTTP struct {
	Addr string `env:"HTTP_ADDR" envDefault:":5000"`
	// PublicURL is this service's own address, in emails and in the addresses of avatars, without a trailing slash.
	PublicURL string `env:"PUBLIC_URL" envDefault:"http://localhost:5000"`
	// FrontendURL is the address that links in emails lead to, without a trailing slash. Its pages /verify-email,
	// /password-reset, /invitations and /unsubscribe get the token behind the #. Unless set it is PublicURL, which has
	// plain pages at these paths.
	FrontendURL string `env:"FRONTEND_URL"`
	// Origins lists the origins of the front-ends that browsers may call the API from. * means any.
	Origins []string `env:"HTTP_CORS_ORIGINS" envDefault:"*"`
	// TrustedProxies lists the address ranges of proxies whose X-Forwarded-For is trusted. Without any, the client's
	// address is the address of its connection.
	TrustedProxies []netip.Prefix `env:"HTTP_TRUSTED_PROXIES"`
	// ReadTimeout bounds the time to read a request, also an upload over a slow line.
	ReadTimeout  time.Duration `env:"HTTP_READ_TIMEOUT" envDefault:"60s"`
	WriteTimeout time.Duration `env:"HTTP_WRITE_TIMEOUT" envDefault:"30s"`
	// DrainDelay is the time from the end of readiness to the end of listening, in which load balancers notice the stop.
	DrainDelay time.Duration `env:"HTTP_DRAIN_DELAY" envDefault:"5s"`
	// ShutdownTimeout is the time that running requests have to finish after that.
	ShutdownTimeout time.Duration `env:"HTTP_SHUTDOWN_TIMEOUT" envDefault:"30s"`
}

// Auth has the keys and lifetimes of tokens, and the limit of password hashing.
type Auth struct {
	// Secret signs access tokens and derives one-time tokens. It has 32 bytes or more.
	Secret string `env:"AUTH_SECRET"`
	// FormerSecrets still verify tokens and links that were made with them, but make no new ones.
	FormerSecrets Keys `env:"AUTH_FORMER_SECRETS"`

	AccessTTL  time.Duration `env:"AUTH_ACCESS_TTL" envDefault:"15m"`
	RefreshTTL time.Duration `env:"AUTH_REFRESH_TTL" envDefault:"720h"`
	// SessionTTL is the longest duration of a sign-in, however often its refresh token is exchanged.
	SessionTTL time.Duration `env:"AUTH_SESSION_TTL" envDefault:"2160h"`
	// RefreshGrace is how long a refresh token still works after it was exchanged: two tabs may use one token, and an
	// answer may be lost. Using it later ends the sign-in.
	RefreshGrace time.Duration `env:"AUTH_REFRESH_GRACE" envDefault:"30s"`
	// HashParallel is the number of passwords that are hashed at a time.
	HashParallel int `env:"AUTH_HASH_PARALLEL" envDefault:"2"`
}

// Keys are secrets in one setting.
type Keys []string

// UnmarshalText reads keys that are separated by commas or, if the text begins with a bracket, a JSON array of strings,
// which can have every key. Spaces around a comma are refused, since they could be part of a key.
func (k *Keys) UnmarshalText(text []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		return json.Unmarshal(text, (*[]string)(k))
	}
	*k = strings.Split(string(text), ",")
	if slices.ContainsFunc(*k, hasOuterSpace) {
		return errors.New("a space beside a comma")
	}
	return nil
}

func hasOuterSpace(key string) bool { return strings.TrimSpace(key) != key }

// Database is the connection to Postgres. Load completes URL: it makes URL from the other fields if Host is set, and
// else adds Password to a URL without one.
type Database struct {
	URL      string `env:"DATABASE_URL"`
	Host     string `env:"DATABASE_HOST"`
	Port     int    `env:"DATABASE_PORT" envDefault:"5432"`
	User     string `env:"DATABASE_USER" envDefault:"watchparty"`
	Password string `env:"DATABASE_PASSWORD"`
	Name     string `env:"DATABASE_NAME" envDefault:"watchparty"`
	SSLMode  string `env:"DATABASE_SSLMODE"`
	// SSLRootCert is a PEM file with the authority of the server's certificate. Empty means the system's authorities.
	SSLRootCert string `env:"DATABASE_SSLROOTCERT"`
	// MaxConns is the largest number of connections of one process.
	MaxConns         int           `env:"DATABASE_MAX_CONNS" envDefault:"20"`
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" envDefault:"5s"`
}

// Redis is the connection to Redis. URL is redis://, rediss:// or unix://; several addresses, separated by commas, are
// a cluster. Load completes URL: it makes URL from the other fields if Host is set, and else adds Password to the
// addresses without one.
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

// RateLimit has the limits of one account or client address. An IPv6 client is its /64. All replicas count together,
// except for Reads, which each replica counts by itself. While Redis is down, each replica limits reads and wrong
// passwords by itself, emails are limited as always, and nothing else is limited.
type RateLimit struct {
	Enabled bool `env:"RATE_LIMIT_ENABLED" envDefault:"true"`
	// SignIn is the number of requests to /auth/* per minute and client address.
	SignIn int `env:"RATE_LIMIT_SIGN_IN" envDefault:"100"`
	// SignInFailures is the number of wrong passwords per 15 minutes, account and client. All clients that have not
	// signed in to the account in the last 90 days have 100 an hour together.
	SignInFailures int `env:"RATE_LIMIT_SIGN_IN_FAILURES" envDefault:"20"`
	// Emails is the number of emails per hour to one recipient, and of those that one account asks for. The other limits
	// of emails are multiples of it (watchparty.EmailBudget). They are counted in Postgres, with or without Redis.
	Emails int `env:"RATE_LIMIT_EMAILS" envDefault:"5"`
	// Exports is the number of exports of personal data per hour and account.
	Exports int `env:"RATE_LIMIT_EXPORTS" envDefault:"5"`
	// Writes is the number of POST, PUT, PATCH and DELETE requests per minute and account, or per client address
	// without a valid token.
	Writes int `env:"RATE_LIMIT_WRITES" envDefault:"300"`
	// Reads is the number of other requests per second and client address. Bursts may have twice as many.
	Reads int `env:"RATE_LIMIT_READS" envDefault:"100"`
}

// Temporal has the settings of Temporal that this program reads itself. The SDK (contrib/envconfig) reads the
// connection's settings: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and TEMPORAL_TLS_*.
type Temporal struct {
	// UIURL is the address of Temporal's UI for links to workflows, without a trailing slash.
	UIURL     string `env:"TEMPORAL_UI_URL" envDefault:"http://localhost:8233"`
	Namespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default"`
}

// Email is the connection to the SMTP server, and how this service presents itself to it.
type Email struct {
	Host     string `env:"SMTP_HOST"`
	Port     int    `env:"SMTP_PORT" envDefault:"587"`
	Username string `env:"SMTP_USERNAME"`
	Password string `env:"SMTP_PASSWORD"`
	// TLS is starttls (required), implicit or none.
	TLS     string        `env:"SMTP_TLS" envDefault:"starttls"`
	From    string        `env:"MAIL_FROM" envDefault:"WatchParty <no-reply@watchparty.test>"`
	Timeout time.Duration `env:"SMTP_TIMEOUT" envDefault:"20s"`
	// HELOName is the name of this service in EHLO: a fully qualified domain name, or an IP address in brackets. Many
	// servers refuse every email of a client that gives the bare name of its machine or container. Unless set it is the
	// domain of From: that domain has to be in DNS anyway, and its SPF record lists the addresses that the emails come
	// from. The host of PublicURL would not do, since it can be a bare name or an address. Set it when the SMTP server
	// refuses its own domain as the name of a client.
	HELOName string `env:"SMTP_HELO_NAME"`
	// DKIMSelector and DKIMKeyFile (a PEM file with an RSA or Ed25519 key) make emails signed for the domain of From.
	DKIMSelector string `env:"MAIL_DKIM_SELECTOR"`
	DKIMKeyFile  string `env:"MAIL_DKIM_KEY_FILE"`
	// PerSecond is the number of emails per second that the provider allows. The task queue counts all workers
	// together.
	PerSecond float64 `env:"MAIL_PER_SECOND" envDefault:"20"`
}

// HELO returns the name for EHLO in ASCII, as SMTP requires.
func (m Email) HELO() (string, error) {
	if m.HELOName == "" {
		from, err := mail.ParseAddress(m.From)
		if err != nil {
			return "", errors.New("MAIL_FROM is not one email address")
		}
		address, err := watchparty.ParseAddress(from.Address)
		return address.Domain(), err
	}
	errName := errors.New(
		"must be a fully qualified domain name, such as watch.example.org, or an IP address in brackets, " +
			"such as [192.0.2.1] or [IPv6:2001:db8::1]",
	)
	if literal, ok := strings.CutPrefix(m.HELOName, "["); ok {
		text, closed := strings.CutSuffix(literal, "]")
		text, six := strings.CutPrefix(text, "IPv6:")
		ip, err := netip.ParseAddr(text)
		if err != nil || !closed || ip.Is4() == six || ip.Zone() != "" {
			return "", errName
		}
		return m.HELOName, nil
	}
	address, err := watchparty.ParseAddress("postmaster@" + m.HELOName) // checks the domain
	if err != nil || !strings.Contains(address.Domain(), ".") || strings.ContainsAny(m.HELOName, "@ \t\r\n") {
		return "", errName
	}
	return address.Domain(), nil
}

// Blob is the bucket of files: file:///path or s3://name?region=….
type Blob struct {
	URL string `env:"BLOB_URL"`
}

// Cache has the lifetimes of cached entries. A change of the data ends them at once.
type Cache struct {
	Rooms    time.Duration `env:"CACHE_TTL_ROOMS" envDefault:"1m"`
	Movies   time.Duration `env:"CACHE_TTL_MOVIES" envDefault:"10m"`
	Messages time.Duration `env:"CACHE_TTL_MESSAGES" envDefault:"1m"`
	Profiles time.Duration `env:"CACHE_TTL_PROFILES" envDefault:"5m"`
	// Memory is how much of each process' memory cached answers take, in bytes.
	Memory int64 `env:"CACHE_MEMORY_BYTES" envDefault:"67108864"`
}

// Room has the settings of all rooms.
type Room struct {
	// HostSilence is how long a host may be absent before the room passes to a participant who is present.
	HostSilence time.Duration `env:"ROOM_HOST_SILENCE" envDefault:"10m"`
}

// Webhook has the settings of webhooks.
type Webhook struct {
	// PrivateNetworks lists networks that webhooks may lead to beside public addresses. They may be reached by http, too.
	PrivateNetworks []netip.Prefix `env:"WEBHOOK_PRIVATE_NETWORKS"`
	// OffAfter is how long a webhook may have nothing but failures before it is switched off.
	OffAfter time.Duration `env:"WEBHOOK_OFF_AFTER" envDefault:"120h"`
}

// Addresses says where webhooks may lead.
func (w Webhook) Addresses() watchparty.WebhookTargets {
	return watchparty.WebhookTargets{Private: w.PrivateNetworks}
}

// Worker has the settings of a Temporal worker.
type Worker struct {
	// StopTimeout is the time that running activities have to finish after SIGTERM.
	StopTimeout time.Duration `env:"WORKER_STOP_TIMEOUT" envDefault:"30s"`
	// Deployment and BuildID turn Temporal's worker versioning on: this worker is a version of a deployment, and takes
	// only work that is routed to that version. Both are set, or neither.
	Deployment string `env:"WORKER_DEPLOYMENT"`
	BuildID    string `env:"WORKER_BUILD_ID"`
}

// Avatar bounds uploads and rendering.
type Avatar struct {
	MaxUploadBytes int64 `env:"AVATAR_MAX_BYTES" envDefault:"5242880"`
	MaxPixels      int   `env:"AVATAR_MAX_PIXELS" envDefault:"50000000"`
	// Concurrency is the number of pictures that one worker renders at a time. 0 means the number of cores.
	Concurrency int `env:"AVATAR_CONCURRENCY" envDefault:"0"`
	// CDNURL is the address that requests for rendered pictures are redirected to, without a trailing slash. Empty
	// means that the API serves the pictures.
	CDNURL string `env:"AVATAR_CDN_URL"`
}

// Age is the age from which a clean-up policy applies to a row or a file. Each setting says what the age is counted
// from.
type Age time.Duration

// Off is the age of a policy that is never applied.
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

// Values returns the values of a group of settings, such as Cleanup, by their variables.
func Values(group any) map[string]string {
	values := map[string]string{}
	v := reflect.ValueOf(group)
	for i := range v.NumField() {
		values[v.Type().Field(i).Tag.Get("env")] = fmt.Sprint(v.Field(i).Interface())
	}
	return values
}

// Cleanup has the schedule of the clean-up and the ages of its policies.
type Cleanup struct {
	// Schedule is a cron expression in UTC, or off.
	Schedule string `env:"CLEANUP_SCHEDULE" envDefault:"0 4 * * *"`
	// ParticipantInactive is counted from when the participant was last seen, MessageAge from when the message was
	// written.
	ParticipantInactive Age `env:"CLEANUP_PARTICIPANT_INACTIVE" envDefault:"24h"`
	MessageAge          Age `env:"CLEANUP_MESSAGE_AGE" envDefault:"2160h"`
	// RoomInactive is counted from a room's latest activity; the policy archives the room. RoomArchived is counted from
	// then, or from the room's deletion by its host.
	RoomInactive Age `env:"CLEANUP_ROOM_INACTIVE" envDefault:"720h"`
	RoomArchived Age `env:"CLEANUP_ROOM_ARCHIVED" envDefault:"168h"`
	// UnverifiedAge is counted from the registration of the account and from its latest use, whichever is later.
	UnverifiedAge Age `env:"CLEANUP_UNVERIFIED_AGE" envDefault:"off"`
	// TokenAge is counted from the expiry of a link in an email, SessionAge from the end of a sign-in, and
	// InvitationAge from the end of an invitation.
	TokenAge      Age `env:"CLEANUP_TOKEN_AGE" envDefault:"168h"`
	SessionAge    Age `env:"CLEANUP_SESSION_AGE" envDefault:"168h"`
	InvitationAge Age `env:"CLEANUP_INVITATION_AGE" envDefault:"2160h"`
	// PartyAge is counted from when a party started or was cancelled.
	PartyAge Age `env:"CLEANUP_PARTY_AGE" envDefault:"2160h"`
	// IdempotencyKeyAge is counted from the expiry of the key.
	IdempotencyKeyAge Age `env:"CLEANUP_IDEMPOTENCY_KEY_AGE" envDefault:"1h"`
	// ReportAge is counted from the resolution of a report of abuse.
	ReportAge Age `env:"CLEANUP_REPORT_AGE" envDefault:"2160h"`
	// EmailAge is counted from when an email was sent or given up.
	EmailAge Age `env:"CLEANUP_EMAIL_AGE" envDefault:"4320h"`
	// WebhookAge is counted from when a delivery to a webhook ended, or the webhook was removed.
	WebhookAge Age `env:"CLEANUP_WEBHOOK_AGE" envDefault:"720h"`
	// OutboxAge is counted from when Temporal has the event.
	OutboxAge Age `env:"CLEANUP_OUTBOX_AGE" envDefault:"168h"`
	// ActivityAge is counted from the day of the activity. A monthly report, which compares two months, needs 62 days.
	ActivityAge Age `env:"CLEANUP_ACTIVITY_AGE" envDefault:"2160h"`
	// FileAge is counted from when the file was written. An upload is committed long before.
	FileAge Age `env:"CLEANUP_FILE_AGE" envDefault:"24h"`
	// AllowShortAges allows ages under an hour, to try things out.
	AllowShortAges bool `env:"CLEANUP_ALLOW_SHORT_AGES" envDefault:"false"`
	// BatchPause is the shortest pause after a batch.
	BatchPause time.Duration `env:"CLEANUP_BATCH_PAUSE" envDefault:"50ms"`
}

// policyAge is the age of a policy, and the variable that it comes from.
type policyAge struct {
	setting string
	age     Age
}

func (c Cleanup) policyAges() map[watchparty.Policy]policyAge {
	return map[watchparty.Policy]policyAge{
		watchparty.PolicyParticipants: {"CLEANUP_PARTICIPANT_INACTIVE", c.ParticipantInactive},
		watchparty.PolicyMessages:     {"CLEANUP_MESSAGE_AGE", c.MessageAge},
		watchparty.PolicyRooms:        {"CLEANUP_ROOM_INACTIVE", c.RoomInactive},
		watchparty.PolicyArchived:     {"CLEANUP_ROOM_ARCHIVED", c.RoomArchived},
		watchparty.PolicyUnverified:   {"CLEANUP_UNVERIFIED_AGE", c.UnverifiedAge},
		watchparty.PolicyTokens:       {"CLEANUP_TOKEN_AGE", c.TokenAge},
		watchparty.PolicySessions:     {"CLEANUP_SESSION_AGE", c.SessionAge},
		watchparty.PolicyInvitations:  {"CLEANUP_INVITATION_AGE", c.InvitationAge},
		watchparty.PolicyParties:      {"CLEANUP_PARTY_AGE", c.PartyAge},
		watchparty.PolicyKeys:         {"CLEANUP_IDEMPOTENCY_KEY_AGE", c.IdempotencyKeyAge},
		watchparty.PolicyReports:      {"CLEANUP_REPORT_AGE", c.ReportAge},
		watchparty.PolicyEmails:       {"CLEANUP_EMAIL_AGE", c.EmailAge},
		watchparty.PolicyWebhooks:     {"CLEANUP_WEBHOOK_AGE", c.WebhookAge},
		watchparty.PolicyOutbox:       {"CLEANUP_OUTBOX_AGE", c.OutboxAge},
		watchparty.PolicyActivity:     {"CLEANUP_ACTIVITY_AGE", c.ActivityAge},
		watchparty.PolicyFiles:        {"CLEANUP_FILE_AGE", c.FileAge},
	}
}

// Ages returns the ages of all policies that are not off.
func (c Cleanup) Ages() map[watchparty.Policy]time.Duration {
	ages := map[watchparty.Policy]time.Duration{}
	for policy, p := range c.policyAges() {
		if p.age != Off {
			ages[policy] = time.Duration(p.age)
		}
	}
	return ages
}

// Settings returns the names of the settings that Ages comes from.
func (c Cleanup) Settings() map[watchparty.Policy]string {
	settings := map[watchparty.Policy]string{}
	for policy, p := range c.policyAges() {
		settings[policy] = p.setting
	}
	return settings
}

// Policies returns the policies that are not off, in the order in which a run applies them.
func (c Cleanup) Policies() []watchparty.Policy {
	ages := c.Ages()
	return slices.DeleteFunc(watchparty.Policies(), func(p watchparty.Policy) bool {
		_, on := ages[p]
		return !on
	})
}

// MinAge returns the lowest age that a policy may have.
func (c Cleanup) MinAge() time.Duration {
	if c.AllowShortAges {
		return time.Second
	}
	return watchparty.MinPolicyAge
}

// Load reads environ, which has the form of os.Environ. It reports all problems together.
func Load(environ []string) (Config, error) {
	environ, unreadFiles := ReadSecrets(environ)
	vars := env.ToMap(environ)
	trimLists(vars)
	unread := errors.Join(unreadFiles, dropUnreadable(vars))
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	for i, o := range c.HTTP.Origins {
		c.HTTP.Origins[i] = strings.TrimSuffix(strings.ToLower(o), "/") // as browsers send them
	}
	c.Email.Host = strings.Trim(c.Email.Host, "[]")
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

// lists are the settings that are lists. Spaces around the elements are no part of them. Secrets are not changed.
var lists = []string{
	"HTTP_CORS_ORIGINS", "HTTP_TRUSTED_PROXIES", "WEBHOOK_PRIVATE_NETWORKS", "REPORT_RECIPIENTS", "REDIS_URL",
}

func trimLists(vars map[string]string) {
	for _, name := range lists {
		elements := strings.Split(vars[name], ",")
		for i, element := range elements {
			elements[i] = strings.TrimSpace(element)
		}
		vars[name] = strings.Join(elements, ",")
	}
}

// Development reports whether the program runs on a developer's machine.
func (c Config) Development() bool { return c.Env == "development" }

// Report has the schedules and the recipients of activity reports.
type Report struct {
	// Weekly and Monthly are cron expressions in UTC, or off. A report covers the last full week, or month.
	Weekly  string `env:"REPORT_WEEKLY_SCHEDULE" envDefault:"0 5 * * 1"`
	Monthly string `env:"REPORT_MONTHLY_SCHEDULE" envDefault:"0 5 1 * *"`
	// Recipients are plain email addresses. Everyone who has the email can open the report.
	Recipients []string            `env:"REPORT_RECIPIENTS"`
	Language   watchparty.Language `env:"REPORT_LANGUAGE" envDefault:"en"`
}

// Addresses returns the recipients' addresses.
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

// EmailLimit returns the number for store.SetEmailLimit: 0, which means no limit, when rate limits are off.
func (r RateLimit) EmailLimit() int {
	if !r.Enabled {
		return 0
	}
	return r.Emails
}

// OffSchedule is the value of a schedule's setting that pauses the schedule.
const OffSchedule = "off"
