package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/contentcoding"
)

// Entity tags (RFC 9110, 8.8.3). Rooms and movies, which If-Match guards, have strong tags:
//
//	"<version>-<hash>"         of the answer with "_cached": false
//	"<version>-<hash>-cached"  of the answer with "_cached": true
//	"<…>-gzip", "<…>-zstd"     of either, compressed
//
// The version is that of the row, and the hash that of the answer without `_cached`. If-Match only compares the
// version: people who join and leave a room change the answer, but not what its host edits. All other answers have a
// weak tag with the hash.
const cachedSuffix = "-cached"

// strongTag returns the tag of an answer that is not from the cache. hash is a quoted tag of the cache.
func strongTag(version int, hash string) string {
	return `"` + strconv.Itoa(version) + "-" + strings.Trim(hash, `"`) + `"`
}

// cachedTag returns the tag of the same answer from the cache.
func cachedTag(tag string) string { return strings.TrimSuffix(tag, `"`) + cachedSuffix + `"` }

// encodedTag returns the tag of the same answer in that coding.
func encodedTag(tag string, coding contentcoding.Coding) string {
	if coding == contentcoding.Identity {
		return tag
	}
	return strings.TrimSuffix(tag, `"`) + "-" + coding.String() + `"`
}

// tagOf returns the tag of a GET with that answer: strong for a version, weak for version 0.
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

// made has the headers of a 201.
type made struct {
	ETag               string
	IdempotentReplayed *string // markReplays writes it
	Location           string
}

// madeAt returns the headers for a new resource: its address, and the tag of a GET of it.
func madeAt(path string, version int, answer any) (made, error) {
	tag, err := tagOf(version, answer)
	return made{ETag: tag, Location: basePath + path}, err
}

// entityTag matches one element of If-Match and If-None-Match, with the separator after it.
var entityTag = regexp.MustCompile(`^(?:W/)?"[!#-~\x80-\xff]*"[ \t]*(?:,[ \t,]*|$)`)

// entityTags reads a list of tags, up to the first malformed one.
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

// anyTag reports whether a condition is `*`.
func anyTag(header string) bool { return strings.TrimSpace(header) == "*" }

// matchingTag compares weakly, as If-None-Match requires. It returns the first of the tags that is in the header, or an
// empty string.
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

// ifMatch returns the versions that a client accepts; nil accepts any. The comparison is strong, so that weak tags
// match nothing.
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

// checkIfMatch returns ErrChangedSince unless a client accepts the version of a thing.
func checkIfMatch(header *string, version int) error {
	if versions := ifMatch(header); versions != nil && !slices.Contains(versions, version) {
		return watchparty.ErrChangedSince
	}
	return nil
}
