package limit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty/logging"
)

// Limiter counts in Redis. It is safe for concurrent use.
type Limiter struct {
	client  prefixed
	rates   *redis_rate.Limiter
	log     *slog.Logger
	key     []byte
	failing atomic.Bool // whether the last exchange with Redis failed; only for the log
}

// New returns a Limiter whose keys begin with prefix. Limiters with the same prefix and secret count together. The
// client must not retry by itself: an event whose answer was lost would count twice.
func New(client redis.UniversalClient, prefix, secret string, log *slog.Logger) *Limiter {
	own := prefixed{client, prefix}
	return &Limiter{
		client: own,
		rates:  redis_rate.NewLimiter(own),
		log:    logging.Sparse(log, slog.LevelInfo),
		key:    digest([]byte(secret), "rate-limit"), // each use of the secret has a key of its own
	}
}

// Allow counts one event, unless it is refused.
func (l *Limiter) Allow(ctx context.Context, rule Rule, subject string) Result {
	quota := redis_rate.Limit{Rate: rule.Rate, Period: rule.Period, Burst: rule.burst()}
	var got *redis_rate.Result
	answered := l.exchange(ctx, func(ctx context.Context) (err error) {
		got, err = l.rates.Allow(ctx, rule.Name+":"+l.hash(rule, subject), quota)
		return err
	})
	if !answered {
		return rule.unused()
	}
	return rule.result(got.Allowed == 1, got.ResetAfter)
}

// exchange talks to Redis for as long as the context's budget lasts. It returns false if Redis does not answer.
func (l *Limiter) exchange(ctx context.Context, talk func(ctx context.Context) error) bool {
	all := patienceOf(ctx)
	wait := all.left()
	if wait < minWait {
		return false
	}
	// The timeout does not follow the caller's context: to the breaker, an impatient caller would look like a slow Redis.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	start := time.Now()
	err := talk(asking)
	all.spend(time.Since(start))
	l.report(ctx, err)
	return err == nil
}

// hash returns the name of a subject in Redis. It is keyed, since a plain hash of an address can be reversed by trying
// all addresses.
func (l *Limiter) hash(rule Rule, subject string) string {
	return base64.RawURLEncoding.EncodeToString(digest(l.key, rule.Name+"\x00"+subject)[:16])
}

func digest(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// report logs when Redis begins to fail, and when it works again.
func (l *Limiter) report(ctx context.Context, err error) {
	if err == nil {
		if l.failing.Load() && l.failing.CompareAndSwap(true, false) {
			l.log.InfoContext(ctx, "Rate limits are kept again")
		}
		return
	}
	if l.failing.CompareAndSwap(false, true) {
		l.log.WarnContext(ctx, "Rate limits fail open", slog.String("reason", reason(err)))
	}
}

// reason returns err without network addresses. Of Redis' own errors, only redirections contain one.
func reason(err error) string {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return "redis does not answer"
	}
	if code, _, _ := strings.Cut(reply.Error(), " "); code == "MOVED" || code == "ASK" {
		return code
	}
	return reply.Error()
}

// prefixed adds a prefix to the keys of redis_rate, before redis_rate's own prefix.
type prefixed struct {
	redis.UniversalClient
	prefix string
}

func (p prefixed) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return p.UniversalClient.Eval(ctx, script, p.under(keys), args...)
}

func (p prefixed) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return p.UniversalClient.EvalSha(ctx, sha, p.under(keys), args...)
}

func (p prefixed) under(keys []string) []string {
	under := make([]string, len(keys))
	for i, key := range keys {
		under[i] = p.prefix + key
	}
	return under
}
