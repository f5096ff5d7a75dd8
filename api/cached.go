package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
)

// missingTTL is the lifetime of a cached answer that something does not exist.
const missingTTL = 10 * time.Second

// cached is the answer of a cached read: the stored bytes as they are, after `"_cached"`, or a 304.
type cached struct {
	entry       *cache.Entry
	hit         bool
	ifMatch     *string // of a thing that can be changed under If-Match
	ifNoneMatch *string
	version     int // of such a thing; 0 otherwise
}

// get is s.cache.Get, whose load has a share of the database's connections for its kind of key: callers of several parts
// of the API wait for one load, and none of these parts may hold it up.
func (s *Server) get(ctx context.Context, q cache.Query, load cache.Loader) (*cache.Entry, bool, error) {
	return s.cache.Get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		return load(store.WithKind(ctx, "cached "+cache.KindOf(q.Key)))
	})
}

// prefetch asks Redis, in one exchange, for all those entries that a request will need and that are not in memory: those
// of the queries, and the caller's sign-in. The request goes on with the context that it returns.
func (s *Server) prefetch(ctx context.Context, queries ...cache.Query) context.Context {
	if id := exchangeOf(ctx).identity; id != nil && id.err == nil {
		queries = append(queries, s.sessionQuery(id.claimed))
	}
	return s.cache.Prefetch(ctx, queries...)
}

// encoded is what a loader gives for an answer, which has to encode as a JSON object.
func encoded(answer any, err error) (cache.Loaded, error) {
	if err != nil {
		return cache.Loaded{}, err
	}
	body, err := json.Marshal(answer)
	return cache.Loaded{Body: body}, err
}

// read answers q from the cache, or from what load gives.
func (s *Server) read(
	ctx context.Context,
	q cache.Query,
	ifNoneMatch *string,
	load cache.Loader,
) (cached, error) {
	entry, hit, err := s.get(ctx, q, load)
	if t := exchangeOf(ctx).target; t != nil {
		t.key = q.Key
	}
	return cached{entry: entry, hit: hit, ifNoneMatch: ifNoneMatch}, err
}

// readAsViewer is read for those whose token counts, if they have one.
func (s *Server) readAsViewer(
	ctx context.Context,
	q cache.Query,
	ifNoneMatch *string,
	load cache.Loader,
) (cached, error) {
	ctx = s.prefetch(ctx, q)
	if _, err := viewer(ctx); err != nil {
		return cached{}, err
	}
	return s.read(ctx, q, ifNoneMatch, load)
}

// single and list are what is stored: an answer without `_cached`, which is not a property of the entry.
type single struct {
	Data any `json:"data"`
}

type list struct {
	Data       any     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// tags are the entity tags of the answer: of the one that is given, and of the other value of `_cached`, if that is
// another one.
func (c cached) tags() []string {
	if c.version == 0 {
		return []string{"W/" + c.entry.ETag}
	}
	fresh := strongTag(c.version, c.entry.ETag)
	if c.hit {
		return []string{cachedTag(fresh), fresh}
	}
	return []string{fresh, cachedTag(fresh)}
}

func (c cached) write(w http.ResponseWriter) error {
	if versions := ifMatch(c.ifMatch); versions != nil && !slices.Contains(versions, c.version) {
		return watchparty.ErrChangedSince
	}
	h := w.Header()
	h["Cache-Control"] = noCache
	h.Add("Vary", "Authorization") // beside CORS' Origin
	h["X-Cache"] = cacheMiss
	prefix := `{"_cached":false,`
	if c.hit {
		h["X-Cache"] = cacheHit
		prefix = `{"_cached":true,`
	}
	tags := c.tags()
	if c.ifNoneMatch != nil {
		// Both tags are of what there is now. The client is answered about the one that it has.
		if tag := matchingTag(*c.ifNoneMatch, tags...); tag != "" {
			h.Set("ETag", tag)
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("ETag", tags[0])
	h["Content-Type"] = applicationJSON
	h.Set("Content-Length", strconv.Itoa(len(prefix)+len(c.entry.Body)-1))
	body := c.entry.Body
	if len(body) <= maxJoined {
		_, err := w.Write(append([]byte(prefix), body[1:]...))
		return err
	}
	if _, err := io.WriteString(w, prefix); err != nil {
		return err
	}
	_, err := w.Write(body[1:])
	return err
}

// maxJoined is the size of a body up to which it is written at once, in bytes: net/http's buffer holds it, so the copy
// costs less than the second call.
const maxJoined = 2048

var (
	cacheHit        = []string{"HIT"}
	cacheMiss       = []string{"MISS"}
	applicationJSON = []string{"application/json"}
)

// tagged is the answer of a read that is not cached, with a weak tag, or a 304.
type tagged struct {
	answer      any
	ifNoneMatch *string
}

func (t tagged) write(w http.ResponseWriter) error {
	body, err := json.Marshal(t.answer)
	if err != nil {
		return err
	}
	tag := "W/" + cache.ETag(body)
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", tag)
	if t.ifNoneMatch != nil && matchingTag(*t.ifNoneMatch, tag) != "" {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

func (t tagged) VisitGetBanResponse(w http.ResponseWriter) error             { return t.write(w) }
func (t tagged) VisitGetEmailResponse(w http.ResponseWriter) error           { return t.write(w) }
func (t tagged) VisitGetInvitationResponse(w http.ResponseWriter) error      { return t.write(w) }
func (t tagged) VisitGetMessageResponse(w http.ResponseWriter) error         { return t.write(w) }
func (t tagged) VisitGetMuteResponse(w http.ResponseWriter) error            { return t.write(w) }
func (t tagged) VisitGetSentAbuseReportResponse(w http.ResponseWriter) error { return t.write(w) }
func (t tagged) VisitGetWebhookResponse(w http.ResponseWriter) error         { return t.write(w) }
func (t tagged) VisitGetWebhookDeliveryResponse(w http.ResponseWriter) error { return t.write(w) }

func (c cached) VisitGetProfileResponse(w http.ResponseWriter) error    { return c.write(w) }
func (c cached) VisitListMoviesResponse(w http.ResponseWriter) error    { return c.write(w) }
func (c cached) VisitListGenresResponse(w http.ResponseWriter) error    { return c.write(w) }
func (c cached) VisitGetMovieResponse(w http.ResponseWriter) error      { return c.write(w) }
func (c cached) VisitListRoomsResponse(w http.ResponseWriter) error     { return c.write(w) }
func (c cached) VisitGetRoomResponse(w http.ResponseWriter) error       { return c.write(w) }
func (c cached) VisitGetNowPlayingResponse(w http.ResponseWriter) error { return c.write(w) }
func (c cached) VisitListMessagesResponse(w http.ResponseWriter) error  { return c.write(w) }
