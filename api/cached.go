package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty/cache"
)

// cached is the answer of a cached read: the stored bytes as they are, after `"_cached"`, or a 304.
type cached struct {
	entry       cache.Entry
	hit         bool
	ifNoneMatch *string
	version     int // of a thing that can be changed under If-Match; 0 otherwise
}

// read answers q from the cache, or from what load gives, which has to encode as a JSON object.
func (s *Server) read(ctx context.Context, q cache.Query, ifNoneMatch *string, load func(context.Context) (any, error)) (cached, error) {
	entry, hit, err := s.cache.Get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		answer, err := load(ctx)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(answer)
		return cache.Loaded{Body: body}, err
	})
	return cached{entry: entry, hit: hit, ifNoneMatch: ifNoneMatch}, err
}

// single and list are what is stored: an answer without `_cached`, which is not a property of the entry.
type single struct {
	Data any `json:"data"`
}

type list struct {
	Data       any     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

func (c cached) write(w http.ResponseWriter) error {
	h := w.Header()
	// Weak, since the same entry is sent with either value of `_cached`.
	etag := "W/" + c.entry.ETag
	if c.version > 0 {
		etag = versionTag(c.version) + "-" + strings.TrimPrefix(c.entry.ETag, `"`)
	}
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Authorization") // beside CORS' Origin
	h.Set("X-Cache", "MISS")
	prefix := `{"_cached":false,`
	if c.hit {
		h.Set("X-Cache", "HIT")
		prefix = `{"_cached":true,`
	}
	if c.ifNoneMatch != nil && matches(*c.ifNoneMatch, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(prefix)+len(c.entry.Body)-1))
	if _, err := w.Write([]byte(prefix)); err != nil {
		return err
	}
	_, err := w.Write(c.entry.Body[1:])
	return err
}

// matches compares weakly, as RFC 9110 (13.1.2) says for If-None-Match.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func (c cached) VisitGetProfileResponse(w http.ResponseWriter) error   { return c.write(w) }
func (c cached) VisitListMoviesResponse(w http.ResponseWriter) error   { return c.write(w) }
func (c cached) VisitGetMovieResponse(w http.ResponseWriter) error     { return c.write(w) }
func (c cached) VisitListRoomsResponse(w http.ResponseWriter) error    { return c.write(w) }
func (c cached) VisitGetRoomResponse(w http.ResponseWriter) error      { return c.write(w) }
func (c cached) VisitListMessagesResponse(w http.ResponseWriter) error { return c.write(w) }
