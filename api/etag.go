package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// Entity tags (RFC 9110, 8.8.3). Rooms and movies, which are changed under If-Match, have strong ones:
//
//	"<version>-<hash>"         of the answer with "_cached": false
//	"<version>-<hash>-cached"  of the answer with "_cached": true
//
// The version is the row's, and the hash is of the answer without `_cached`. If-Match compares the version alone: people
// who come to a room and go change its representation, but not what its host edits. Everything else has a weak tag of
// the hash.
const cachedSuffix = "-cached"

// strongTag is the tag of an answer that has not come from the cache. hash is a quoted tag of the cache.
func strongTag(version int, hash string) string {
	return `"` + strconv.Itoa(version) + "-" + strings.Trim(hash, `"`) + `"`
}

// cachedTag is the tag of the same answer when it comes from the cache.
func cachedTag(tag string) string { return strings.TrimSuffix(tag, `"`) + cachedSuffix + `"` }

// tagOf is the tag that a GET answers with that: a strong one of a version, a weak one for version 0.
func tagOf(version int, answer any) (string, error) {
	body, err := json.Marshal(answer)
	if err != nil {
		return "", fmt.Errorf("api: tag an answer: %w", err)
	}
	if version == 0 {
		return "W/" + cache.ETag(body), nil
	}
	return strongTag(version, cache.ETag(body)), nil
}

// made are the headers of a 201.
type made struct {
	ETag               string
	IdempotentReplayed *string // markReplays writes it
	Location           string
}

// madeAt says where something is that was made, with the tag that a GET of it answers.
func madeAt(path string, version int, answer any) (made, error) {
	tag, err := tagOf(version, answer)
	return made{ETag: tag, Location: basePath + path}, err
}

// entityTag is one element of If-Match and If-None-Match, with what separates it from the next.
var entityTag = regexp.MustCompile(`^(?:W/)?"[!#-~\x80-\xff]*"[ \t]*(?:,[ \t,]*|$)`)

// entityTags reads a list of them, up to where it is not well-formed.
func entityTags(header string) []string {
	var tags []string
	rest := []byte(strings.TrimLeft(header, " \t,"))
	for {
		found := entityTag.Find(rest)
		if len(found) == 0 {
			return tags
		}
		tags = append(tags, strings.TrimRight(string(found), " \t,"))
		rest = rest[len(found):]
	}
}

// anyTag is the value of a condition that every representation meets.
func anyTag(header string) bool { return strings.TrimSpace(header) == "*" }

// matchingTag compares weakly, as If-None-Match wants it. It returns the first of the tags that is in the header, and an
// empty one when none is.
func matchingTag(header string, tags ...string) string {
	if anyTag(header) {
		return tags[0]
	}
	given := entityTags(header)
	for _, tag := range tags {
		opaque := strings.TrimPrefix(tag, "W/")
		if slices.Contains(given, opaque) || slices.Contains(given, "W/"+opaque) {
			return tag
		}
	}
	return ""
}

// ifMatch reads the versions that a client takes for the newest; nil allows any. The comparison is strong: a weak tag is
// none.
func ifMatch(header *string) []int {
	if header == nil || anyTag(*header) {
		return nil
	}
	versions := []int{}
	for _, tag := range entityTags(*header) {
		text, _, ok := strings.Cut(strings.Trim(tag, `"`), "-")
		if version, err := strconv.Atoi(text); ok && err == nil {
			versions = append(versions, version)
		}
	}
	return versions
}

// refuseConditions answers a 412 to conditions that do not hold, or that nothing looks at, so that nobody believes that
// a change was guarded which was not: If-Match where there is no strong tag, and If-None-Match of anything but a read,
// since whatever is changed is there.
func refuseConditions(routes contractRoutes) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, operation := c.Request(), routes.of(c)
			if operation == nil {
				return next(c)
			}
			match := r.Header.Get("If-Match")
			tagged := operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "If-Match") != nil
			switch {
			case match != "" && !anyTag(match) && !tagged:
				return watchparty.ErrChangedSince
			case r.Method != http.MethodGet && r.Header.Get("If-None-Match") != "":
				return watchparty.ErrChangedSince
			}
			return next(c)
		}
	}
}
