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

// The headers of draft-ietf-httpapi-ratelimit-headers-06; the later drafts' single structured header has few readers
// yet.
const (
	headerLimit     = "RateLimit-Limit"
	headerRemaining = "RateLimit-Remaining"
	headerReset     = "RateLimit-Reset" // whole seconds
)

// limits are the API's rules and the counts.
type limits struct {
	shared   *limit.Limiter
	guard    *limit.Guard // of guesses
	reads    *limit.Local // each replica for itself
	refusals *limit.Local
	wait     time.Duration

	signIn, guesses, strangers, passwords, exports, writes, connects limit.Rule
}

// maxStrangerGuesses is how many wrong passwords of an account all clients together may try in any hour that have not
// signed in to it before (ASVS 4.0.3, 2.2.1). Those that have are not locked out by it.
const maxStrangerGuesses = 100

// maxPasswordChanges is how often the password of an account may be changed in an hour.
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

// limitRate keeps one rule for each request: sign-in's, or that of writes, or that of reads.
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

// unlimited tells what load balancers and people look at.
func unlimited(path string) bool {
	path = strings.TrimPrefix(path, basePath)
	return strings.HasPrefix(path, "/health") || isDocument(path)
}

func (l *limits) count(c echo.Context) limit.Result {
	signIn := strings.HasPrefix(c.Path(), basePath+"/auth/")
	if !signIn && !writes(c.Request().Method) {
		return l.reads.Allow(clientOf(c.Request().Context()))
	}
	ctx := limit.Within(c.Request().Context(), l.wait) // also for what the operation asks
	c.SetRequest(c.Request().WithContext(ctx))
	if signIn {
		return l.shared.Allow(ctx, l.signIn, clientOf(ctx))
	}
	if id := exchangeOf(ctx).identity; id != nil && id.err == nil {
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

// client is where a request comes from: an IPv4 address, or the /64 that one IPv6 customer has at least.
func client(c echo.Context) string {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return "unknown" // a connection that is not TCP
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}

// clientAddresses reads X-Forwarded-For from the right, as far as proxies wrote it.
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

// limitPasswords counts a change of a password, each of which sends an email.
func (s *Server) limitPasswords(ctx context.Context, userID string) error {
	if s.limits == nil {
		return nil
	}
	return unlessAllowed(s.limits.shared.Allow(ctx, s.limits.passwords, account(userID)))
}

// limitExports counts an export, each of which reads all that an account ever said.
func (s *Server) limitExports(ctx context.Context, userID string) error {
	if s.limits == nil {
		return nil
	}
	return unlessAllowed(s.limits.shared.Allow(ctx, s.limits.exports, account(userID)))
}

// account is the subject of an account's address, however it is written, or of its ID.
func account(name string) string { return watchparty.AccountKey(name) }

// refused is a refusal with what its headers say.
type refused struct {
	coded  *watchparty.Error
	result limit.Result
}

func (r *refused) Error() string { return r.coded.Error() }
func (r *refused) Unwrap() error { return r.coded }

func refuse(r limit.Result) error {
	return &refused{result: r, coded: &watchparty.Error{
		Kind: watchparty.KindLimited, Code: "rate_limited", Message: "Too much in too short a time. Try again later.",
		RetryAfter: r.RetryAfter,
	}}
}

func unlessAllowed(r limit.Result) error {
	if r.Allowed {
		return nil
	}
	return refuse(r)
}

// writeLimits writes the headers of an error that is a refusal: those of the rule that refused, and when to try again.
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

// seconds rounds up, so that who waits for them does not come too early.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
