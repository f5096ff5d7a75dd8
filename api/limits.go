package api

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/limit"
)

// The headers of draft-ietf-httpapi-ratelimit-headers-06. The single structured header of later drafts has few readers
// yet.
const (
	headerLimit     = "RateLimit-Limit"
	headerRemaining = "RateLimit-Remaining"
	headerReset     = "RateLimit-Reset" // in whole seconds
)

// limits has the rate limits of the API, and their counters.
type limits struct {
	shared   *limit.Limiter
	guard    *limit.Guard // for guesses of passwords
	reads    *limit.Local // counts in each replica separately
	refusals *limit.Local
	wait     time.Duration

	signIn, guesses, strangers, passwords, exports, writes, connects limit.Rule
}

// maxStrangerGuesses is how many wrong passwords of an account may be tried within an hour by all clients together that
// have not signed in to it before (ASVS 4.0.3, 2.2.1). The limit does not lock out clients that have.
const maxStrangerGuesses = 100

// maxPasswordChanges limits the password changes of an account within an hour.
const maxPasswordChanges = 20

func newLimits(cfg config.Config, client redis.UniversalClient, log *slog.Logger) *limits {
	n := cfg.RateLimit
	shared := limit.New(client, cfg.Redis.KeyPrefix, cfg.Auth.Secret, log)
	return &limits{
		shared:    shared,
		guard:     limit.NewGuard(shared),
		reads:     limit.NewLocal(limit.Rule{Name: "reads", Rate: n.Reads, Period: time.Second, Burst: 2 * n.Reads}),
		refusals:  limit.NewLocal(refusalsLogged),
		wait:      limit.MaxWait,
		signIn:    limit.Rule{Name: "sign-in", Rate: n.SignIn, Period: time.Minute},
		guesses:   limit.Rule{Name: "guesses", Rate: n.SignInFailures, Period: 15 * time.Minute},
		strangers: limit.Rule{Name: "guesses-of-strangers", Rate: maxStrangerGuesses, Period: time.Hour},
		passwords: limit.Rule{Name: "passwords", Rate: maxPasswordChanges, Period: time.Hour},
		exports:   limit.Rule{Name: "exports", Rate: n.Exports, Period: time.Hour},
		connects:  connectsRule(),
		writes:    limit.Rule{Name: "writes", Rate: n.Writes, Period: time.Minute},
	}
}

// limitRate counts each request under one rule: that of sign-in, of writes or of reads.
func (s *Server) limitRate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.limits == nil || unlimited(c.Path()) {
			return next(c)
		}
		result := s.limits.count(c)
		if !result.Allowed {
			return refuse(result)
		}
		describe(c.Response().Header(), result)
		return next(c)
	}
}

// unlimited reports whether a path is for load balancers and people, and has no limit.
func unlimited(path string) bool {
	path = strings.TrimPrefix(path, basePath)
	return strings.HasPrefix(path, "/health") || isDocument(path)
}

func (l *limits) count(c echo.Context) limit.Result {
	signIn := strings.HasPrefix(c.Path(), basePath+"/auth/")
	if !signIn && !writes(c.Request().Method) {
		return l.reads.Allow(clientOf(c.Request().Context()))
	}
	ctx := limit.Within(c.Request().Context(), l.wait) // the operation's calls of Redis share it
	c.SetRequest(c.Request().WithContext(ctx))
	if signIn {
		return l.shared.Allow(ctx, l.signIn, clientOf(ctx))
	}
	if id := requestStateOf(ctx).identity; id != nil && id.err == nil {
		return l.shared.Allow(ctx, l.writes, "account "+id.claimed.UserID)
	}
	return l.shared.Allow(ctx, l.writes, clientOf(ctx))
}

func writes(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// client identifies where a request comes from: an IPv4 address, or an IPv6 /64, the smallest network of one customer.
func client(c echo.Context) string {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return "unknown" // the connection is not TCP
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}

// clientAddresses reads X-Forwarded-For from the right, as far as trusted proxies wrote it.
func clientAddresses(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		p = p.Masked()
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// limitPasswords counts a change of a password, since each sends an email.
func (s *Server) limitPasswords(ctx context.Context, userID string) error {
	if s.limits == nil {
		return nil
	}
	return unlessAllowed(s.limits.shared.Allow(ctx, s.limits.passwords, account(userID)))
}

// limitExports counts an export, since each reads all messages of an account.
func (s *Server) limitExports(ctx context.Context, userID string) error {
	if s.limits == nil {
		return nil
	}
	return unlessAllowed(s.limits.shared.Allow(ctx, s.limits.exports, account(userID)))
}

// account returns the subject for an account's address, in any spelling, or for its ID.
func account(name string) string { return watchparty.AccountKey(name) }

// refused is the error for a request over a limit, with the values of its RateLimit headers.
type refused struct {
	coded  *watchparty.Error
	result limit.Result
}

func (r *refused) Error() string { return r.coded.Error() }
func (r *refused) Unwrap() error { return r.coded }

func refuse(r limit.Result) error {
	return &refused{result: r, coded: &watchparty.Error{
		Kind: watchparty.KindLimited, Code: "rate_limited", Message: "Too many requests. Try again later.",
		RetryAfter: r.RetryAfter,
	}}
}

func unlessAllowed(r limit.Result) error {
	if r.Allowed {
		return nil
	}
	return refuse(r)
}

// writeLimits writes the headers of a refusal: the state of the rule, and when to try again.
func writeLimits(h http.Header, err error) {
	var r *refused
	if errors.As(err, &r) {
		describe(h, r.result)
	}
	var coded *watchparty.Error
	if errors.As(err, &coded) && coded.Kind == watchparty.KindLimited {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(max(1, seconds(coded.RetryAfter))))
	}
}

func describe(h http.Header, r limit.Result) {
	h.Set(headerLimit, strconv.Itoa(r.Limit))
	h.Set(headerRemaining, strconv.Itoa(r.Remaining))
	h.Set(headerReset, strconv.Itoa(seconds(r.ResetAfter)))
}

// seconds rounds up, so that a client that waits does not come too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
