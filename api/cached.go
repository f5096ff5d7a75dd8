package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/contentcoding"
	"github.com/watchparty/watchparty/store"
)

// missingTTL is the lifetime of a cached answer that something does not exist.
const missingTTL = 10 * time.Second

// cached is the answer of a cached read: the stored bytes as they are, after `"_cached"`, or a 304.
type cached struct {
	entry       *cache.Entry
	hit         bool
	accepted    http.Header // the request's
	ifMatch     *string     // of a thing that can be changed under If-Match
	ifNoneMatch *string
	version     int // of such a thing; 0 otherwise
}

// get calls s.cache.Get. Its load takes connections of its own kind, because requests of several parts of the API may
// wait for the same load.
func (s *Server) get(ctx context.Context, q cache.Query, load cache.Loader) (*cache.Entry, bool, error) {
	return s.cache.Get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		return load(store.WithKind(ctx, "cached "+cache.KindOf(q.Key)))
	})
}

// prefetch asks Redis, in one exchange, for all those entries that a request will need and that are not in memory:
// those of the queries, and the caller's sign-in. The request goes on with the context that it returns.
func (s *Server) prefetch(ctx context.Context, queries ...cache.Query) context.Context {
	if id := requestStateOf(ctx).identity; id != nil && id.err == nil {
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
	if t := requestStateOf(ctx).target; t != nil {
		t.key = q.Key
	}
	return cached{entry: entry, hit: hit, accepted: headers(ctx), ifNoneMatch: ifNoneMatch}, err
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

// single and list are the stored form of an answer: without `_cached`, which is added when it is sent.
type single struct {
	Data any `json:"data"`
}

type list struct {
	Data       any     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// minEncoded is the length from which an entry is compressed, in bytes: less fits into one packet as it is.
const minEncoded = 1200

// encoded returns the answer in the best coding that the client takes, which is made once for all hits. It returns
// Identity for an answer that is sent as it is.
func (c cached) encoded() (contentcoding.Coding, []byte) {
	if len(c.entry.Body) < minEncoded {
		return contentcoding.Identity, nil
	}
	coding := contentcoding.Accepted(c.accepted)
	if coding == contentcoding.Identity {
		return coding, nil
	}
	encode := func(body []byte) []byte { return coding.Encode(append([]byte(c.begin()), body[1:]...)) }
	if !c.hit {
		return coding, encode(c.entry.Body)
	}
	if kept := c.entry.Form(slices.Index(contentcoding.All[:], coding), encode); kept != nil {
		return coding, kept
	}
	return contentcoding.Identity, nil
}

// begin takes the place of the entry's first brace.
func (c cached) begin() string {
	if c.hit {
		return `{"_cached":true,`
	}
	return `{"_cached":false,`
}

// tag is the entity tag of the answer in that coding.
func (c cached) tag(coding contentcoding.Coding) string {
	if c.version == 0 {
		return "W/" + c.entry.ETag
	}
	tag := strongTag(c.version, c.entry.ETag)
	if c.hit {
		tag = cachedTag(tag)
	}
	return encodedTag(tag, coding)
}

// tags are the entity tags of the current state: those of this response, of its other content codings, and of the
// response with the other value of `_cached`.
func (c cached) tags(coding contentcoding.Coding) []string {
	tags := []string{c.tag(coding)}
	for _, hit := range [...]bool{c.hit, !c.hit} {
		c.hit = hit
		for _, other := range append(contentcoding.All[:], contentcoding.Identity) {
			tags = append(tags, c.tag(other))
		}
	}
	return tags
}

func (c cached) write(w http.ResponseWriter) error {
	if err := checkIfMatch(c.ifMatch, c.version); err != nil {
		return err
	}
	h := w.Header()
	h["Cache-Control"] = noCache
	h.Add("Vary", "Authorization, Accept-Encoding") // beside CORS' Origin
	h["X-Cache"] = cacheMiss
	if c.hit {
		h["X-Cache"] = cacheHit
	}
	coding, encoded := c.encoded()
	if c.ifNoneMatch != nil {
		// All tags are of what there is now. The client is answered about the one that it has.
		if tag := matchingTag(*c.ifNoneMatch, c.tags(coding)...); tag != "" {
			h.Set("ETag", tag)
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("ETag", c.tag(coding))
	h["Content-Type"] = applicationJSON
	if coding != contentcoding.Identity {
		h.Set("Content-Encoding", coding.String())
		h.Set("Content-Length", strconv.Itoa(len(encoded)))
		_, err := w.Write(encoded)
		return err
	}
	begin, rest := c.begin(), c.entry.Body[1:]
	h.Set("Content-Length", strconv.Itoa(len(begin)+len(rest)))
	if _, err := io.WriteString(w, begin); err != nil {
		return err
	}
	_, err := w.Write(rest)
	return err
}

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
	return t.writeAs(w, func(hash string) string { return "W/" + hash })
}

// writeAs writes the answer with the tag that tagOf makes of its hash.
func (t tagged) writeAs(w http.ResponseWriter, tagOf func(hash string) string) error {
	body, err := json.Marshal(t.answer)
	if err != nil {
		return err
	}
	tag := tagOf(cache.ETag(body))
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

// versioned is a tagged answer of a thing that is changed under If-Match: its tag is strong.
type versioned struct {
	tagged
	version int
	ifMatch *string
}

// VisitGetPartyResponse writes a GetParty answer.
func (v versioned) VisitGetPartyResponse(w http.ResponseWriter) error {
	if err := checkIfMatch(v.ifMatch, v.version); err != nil {
		return err
	}
	return v.writeAs(w, func(hash string) string { return strongTag(v.version, hash) })
}

func (t tagged) VisitGetBanResponse(w http.ResponseWriter) error             { return t.write(w) }
func (t tagged) VisitGetEmailResponse(w http.ResponseWriter) error           { return t.write(w) }
func (t tagged) VisitGetInvitationResponse(w http.ResponseWriter) error      { return t.write(w) }
func (t tagged) VisitGetMessageResponse(w http.ResponseWriter) error         { return t.write(w) }
func (t tagged) VisitGetMuteResponse(w http.ResponseWriter) error            { return t.write(w) }
func (t tagged) VisitGetQueueItemResponse(w http.ResponseWriter) error       { return t.write(w) }
func (t tagged) VisitGetMyAbuseReportResponse(w http.ResponseWriter) error   { return t.write(w) }
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
