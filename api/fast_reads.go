package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// maxTargets is how many targets are known, of some 200 bytes each.
const maxTargets = 1 << 14

// maxTarget is the length of the longest target that is kept, in bytes.
const maxTarget = 512

// target is the result of checking the form of a request for a cached read. Everything about the form of a request
// follows from its target, so the next request with the same target needs no more checks, and no other look at the
// contract. Who may see the answer is decided for each request.
type target struct {
	key       string // of the entry
	viewed    bool   // the caller's token counts, if there is one
	roomID    string // of a room that the caller must be allowed to see
	versioned bool   // the entry has a strong tag
	private   bool   // not to be answered from memory: the contract wants a role for it
}

// answerFromMemory answers a request whose target is known from this process' memory. All others go on; those that come
// to a cached read make their target known.
func (s *Server) answerFromMemory(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !isPlain(r) {
			return next(c)
		}
		e := requestStateOf(r.Context())
		known, ok := s.targets.GetIfPresent(r.RequestURI)
		if ok {
			if done, err := s.tryMemory(c, e, known); done {
				return err
			}
		}
		if err := s.admit(c); err != nil {
			return err
		}
		e.target = &target{}
		err := next(c)
		made := *e.target
		if err == nil && made.key != "" && !made.private && (!ok || *known != made) && len(r.RequestURI) <= maxTarget {
			s.targets.Set(r.RequestURI, &made)
		}
		return err
	}
}

// maxAtHand is the length of the longest answer that takes the fast path, in bytes: each of its readers costs a copy.
const maxAtHand = 64 << 10

// atHand reports whether the answer to a target is in this process' memory, and short. Whether all else that the caller
// needs is there as well shows later: a sign-in, and what the caller is to a room.
func (s *Server) atHand(uri string) bool {
	known, ok := s.targets.GetIfPresent(uri)
	if !ok {
		return false
	}
	size, ok := s.cache.Memory().Size(known.key)
	return ok && size <= maxAtHand
}

// isPlain reports whether nothing but its target, its token and the answer that the client has says what a request asks
// for.
func isPlain(r *http.Request) bool {
	if r.Method != http.MethodGet || r.RequestURI == "" || r.ContentLength != 0 || len(r.TransferEncoding) > 0 ||
		len(r.Header[echo.HeaderAuthorization]) > 1 || len(r.Header[echo.HeaderContentType]) > 1 {
		return false
	}
	for _, name := range [...]string{"If-Match", "Range", "Content-Encoding"} {
		if r.Header[name] != nil {
			return false
		}
	}
	tags := r.Header["If-None-Match"]
	return len(tags) == 0 || len(tags) == 1 && len(tags[0]) <= maxKnownTags
}

// maxKnownTags is the length of an If-None-Match that needs no check of its form, in bytes.
const maxKnownTags = 1024

// tryMemory answers or refuses a request from memory, and reports whether it has done so. If anything is missing in
// memory, the operation requests all of it together.
func (s *Server) tryMemory(c echo.Context, e *requestState, t *target) (done bool, err error) {
	memory := s.cache.Memory()
	entry, ok := memory.Peek(e, t.key) // before it is decided whether the caller may see it
	if !ok {
		return false, nil
	}
	if (t.viewed || t.roomID != "") && e.identity != nil {
		if e.identity.err != nil {
			return true, e.identity.err
		}
		if _, ok := memory.Peek(e, sessionKey(e.identity.claimed)); !ok {
			return false, nil
		}
	}
	if t.roomID != "" {
		room, known, err := peekRoom(e, memory, t.roomID)
		if !known || err != nil {
			return known, err
		}
		if t.key == roomKey(t.roomID) {
			room.ifNoneMatch = e.ifNoneMatch()
			return true, room.write(c.Response())
		}
	}
	answer := cached{entry: entry, hit: true, accepted: e.header, ifNoneMatch: e.ifNoneMatch()}
	if t.versioned {
		if answer.version, err = versionOf(entry.Meta); err != nil {
			return true, err
		}
	}
	return true, answer.write(c.Response())
}

// peekRoom is visibleRoom for a caller whose sign-in is in force. It reports whether all of it is known from memory.
func peekRoom(e *requestState, memory cache.Memory, roomID string) (room cached, known bool, err error) {
	entry, ok := memory.Peek(e, roomKey(roomID))
	if !ok {
		return cached{}, false, nil
	}
	var standing watchparty.Standing
	if e.identity != nil {
		stored, ok := memory.Peek(e, standingKey(roomID, e.identity.claimed.UserID))
		if !ok {
			return cached{}, false, nil
		}
		if standing, err = standingIn(stored); err != nil {
			return cached{}, true, err
		}
	}
	room, err = seenBy(e, standing, entry, true)
	return room, true, err
}

// versionOf reads the version that begins the text beside an entry's body.
func versionOf(meta string) (int, error) {
	text, _, _ := strings.Cut(meta, " ")
	version, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("api: an entry's version: %w", err)
	}
	return version, nil
}
