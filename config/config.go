// Package config turns the environment into one struct with defaults.
//
// Every setting is named here once: its variable, its default and, in Validate, its limits. Packages take the
// part that concerns them as a value; nothing reads the environment after Load.
package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Config is everything the program can be told.
type Config struct {
	Env       string `env:"APP_ENV" envDefault:"production"`
	LogLevel  string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`

	// MetricsAddr serves Prometheus metrics: :9090 for the API and :9091 for a worker unless set; "off" serves none.
	MetricsAddr string `env:"METRICS_ADDR"`

	HTTP     HTTP
	Auth     Auth
	Database Database
	Redis    Redis
	Temporal Temporal
	Mail     Mail
	Blob     Blob
	Cache    Cache
	Outbox   Outbox
	Worker   Worker
	Avatar   Avatar
	Cleanup  Cleanup
}

// HTTP is the API's listener and what it tells others about itself.
type HTTP struct {
	Addr string `env:"HTTP_ADDR" envDefault:":5000"`
	// PublicURL is this service's own address in mails and avatar addresses, without a trailing slash.
	PublicURL string `env:"PUBLIC_URL" envDefault:"http://localhost:5000"`
	// Origins are those of the front-ends that browsers may call the API from; * is any.
	Origins []string `env:"HTTP_CORS_ORIGINS" envDefault:"*"`
	// MaxBodyBytes bounds a JSON body.
	MaxBodyBytes int64 `env:"HTTP_MAX_BODY_BYTES" envDefault:"1048576"`
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
	Secret       string        `env:"AUTH_SECRET"`
	AccessTTL    time.Duration `env:"AUTH_ACCESS_TTL" envDefault:"15m"`
	RefreshTTL   time.Duration `env:"AUTH_REFRESH_TTL" envDefault:"720h"`
	HashParallel int           `env:"AUTH_HASH_PARALLEL" envDefault:"2"`
}

// Database is Postgres.
type Database struct {
	URL string `env:"DATABASE_URL"`
	// MaxConns is the pool's size for one process.
	MaxConns         int           `env:"DATABASE_MAX_CONNS" envDefault:"20"`
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" envDefault:"10s"`
}

// Redis is the shared cache level. URL is redis://, rediss:// or unix://; several, separated by commas, are a cluster.
type Redis struct {
	URL string `env:"REDIS_URL"`
	// KeyPrefix keeps two installations in one Redis apart.
	KeyPrefix string        `env:"REDIS_KEY_PREFIX" envDefault:"wp:"`
	Timeout   time.Duration `env:"REDIS_TIMEOUT" envDefault:"50ms"`
	PoolSize  int           `env:"REDIS_POOL_SIZE" envDefault:"20"`
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
	// PerSecond is the provider's rate, kept for all workers together by the task queue.
	PerSecond float64 `env:"MAIL_PER_SECOND" envDefault:"20"`
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
	Missing  time.Duration `env:"CACHE_TTL_MISSING" envDefault:"10s"`
}

// Outbox is the relay's pace.
type Outbox struct {
	PollInterval time.Duration `env:"OUTBOX_POLL_INTERVAL" envDefault:"1s"`
	BatchSize    int           `env:"OUTBOX_BATCH_SIZE" envDefault:"50"`
	Lease        time.Duration `env:"OUTBOX_LEASE" envDefault:"30s"`
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
}

// Cleanup is what is removed, when, and in what portions.
type Cleanup struct {
	// Schedule is a cron expression in UTC.
	Schedule            string        `env:"CLEANUP_SCHEDULE" envDefault:"0 4 * * *"`
	ParticipantInactive time.Duration `env:"CLEANUP_PARTICIPANT_INACTIVE" envDefault:"24h"`
	MessageAge          time.Duration `env:"CLEANUP_MESSAGE_AGE" envDefault:"2160h"`
	RoomInactive        time.Duration `env:"CLEANUP_ROOM_INACTIVE" envDefault:"720h"`
	BatchSize           int           `env:"CLEANUP_BATCH_SIZE" envDefault:"1000"`
	BatchPause          time.Duration `env:"CLEANUP_BATCH_PAUSE" envDefault:"50ms"`
}

// Load reads environ (in the form of os.Environ) and reports every problem at once.
func Load(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	unread := dropUnreadable(vars)
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	c.Temporal.UIURL = strings.TrimRight(c.Temporal.UIURL, "/")
	if err := errors.Join(unread, c.Validate()); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Development reports whether the program runs on a developer's machine.
func (c Config) Development() bool { return c.Env == "development" }
