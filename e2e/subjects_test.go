package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// subject is something that has a version, which writers count up and readers see.
type subject struct {
	name string
	// started is the version that was begun last, and acknowledged is the newest that was answered with success. Only one
	// writer works on a subject, and it repeats a version until that is acknowledged.
	started, acknowledged atomic.Int64
	// seen is the newest version that a read has shown. It was committed, even if no writer was told so.
	seen  atomic.Int64
	write func(n *replica, version int64) error
	reads []func(n *replica) (observation, error)
}

// observation is what an answer says about the version of a subject.
type observation struct {
	answer answer
	fits   func(version int64) bool // whether the answer may be as of that version
}

// errUnanswered is a request that was refused for the time being, or lost.
var errUnanswered = errors.New("unanswered")

// check reads once. stale says what is wrong with an answer that is of a version older than the newest that was
// acknowledged, or seen by another read, before the read.
func (s *subject) check(n *replica, read func(n *replica) (observation, error)) (hit bool, stale string, err error) {
	committed := max(s.acknowledged.Load(), s.seen.Load())
	began := time.Now()
	got, err := read(n)
	if err != nil {
		return false, "", err
	}
	started := s.started.Load()
	hit = got.answer.header.Get("X-Cache") == "HIT"
	for version := committed; version <= started; version++ {
		if got.fits(version) {
			raise(&s.seen, version)
			return hit, "", nil
		}
	}
	return hit, fmt.Sprintf("%s over process %d: version %d was committed before the read, %d begun before its end "+
		"%s later, and the answer is %d %s", s.name, n.number, committed, started, time.Since(began), got.answer.status,
		got.answer.body), nil
}

// raise sets a number that is lower.
func raise(number *atomic.Int64, to int64) {
	for current := number.Load(); to > current && !number.CompareAndSwap(current, to); {
		current = number.Load()
	}
}

// advance writes the next version once. With an error it may have been written or not.
func (s *subject) advance(n *replica) error {
	version := s.acknowledged.Load() + 1
	s.started.Store(version)
	if err := s.write(n, version); err != nil {
		return err
	}
	s.acknowledged.Store(version)
	return nil
}

// sendRequest sends a request to the node, without a sign-in if there is no token. An answer that asks to come again is
// errUnanswered.
func (n *replica) sendRequest(method, path, token string, body any) (answer, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, n.url+"/api"+path, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := n.http.Do(request)
	if err != nil {
		return answer{}, errors.Join(errUnanswered, err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, errors.Join(errUnanswered, err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: got}
	if a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests {
		return a, fmt.Errorf("%w: %d %s", errUnanswered, a.status, got)
	}
	return a, nil
}

// makeSubjects makes the subjects over the first process.
func (c *cluster) makeSubjects(t *testing.T) {
	t.Helper()
	n := c.nodes[0]
	first := client{base: n.url + "/api"}
	admin, _ := first.register(t, "ruth", "Ruth")
	c.grantAdmin(t, "ruth@people.example")
	host, _ := first.register(t, "harold", "v0")
	helper, _ := first.register(t, "helen", "Helen")
	guest, _ := first.register(t, "gustav", "Gustav")
	_, leaver := first.register(t, "leaver", "Leaver")
	_, suspect := first.register(t, "suspect", "Suspect")
	makeRoom := func(name string) string {
		return host.post(t, "/rooms", map[string]any{"name": name}).data(t)["id"].(string)
	}
	movie := admin.post(t, "/movies", map[string]any{"title": "v0", "year": 1926, "runtime_minutes": 106}).data(t)["id"].(string)
	room, watched, shy := makeRoom("v0"), makeRoom("watched"), makeRoom("shy")
	screening := host.post(t, "/rooms", map[string]any{"name": "screening", "movie_id": movie}).data(t)["id"].(string)
	require.Equal(t, http.StatusOK, helper.post(t, "/rooms/"+room+"/join", nil).status)
	c.subjects = []*subject{
		textSubject("room", call{http.MethodPatch, "/rooms/" + room, host.token}, "name",
			inOne("/rooms/"+room, "name"), inList("/rooms", room, "name")),
		textSubject("profile", call{http.MethodPatch, "/users/me", host.token}, "display_name",
			inOne("/users/harold", "display_name"), inOne("/rooms/"+room, "host.display_name"),
			inList("/rooms", room, "host.display_name")),
		textSubject("movie", call{http.MethodPatch, "/movies/" + movie, admin.token}, "title",
			inOne("/movies/"+movie, "title"), inList("/movies", movie, "title"), inOne("/rooms/"+screening, "movie.title"),
			inList("/rooms", screening, "movie.title")),
		chatSubject(host.token, room, "", guest.token),
		toggleSubject(
			"role",
			change{
				call: call{http.MethodPatch, "/rooms/" + room + "/participants/helen", host.token},
				body: fields{"role": "moderator"},
			},
			change{
				call: call{http.MethodPatch, "/rooms/" + room + "/participants/helen", host.token},
				body: fields{"role": "viewer"},
			},
			refusal{http.StatusForbidden, "/rooms/" + room + "/bans", helper.token},
		),
		toggleSubject("ban",
			change{call: call{http.MethodDelete, "/rooms/" + watched + "/bans/gustav", host.token}, again: http.StatusNotFound},
			change{call: call{http.MethodPost, "/rooms/" + watched + "/bans", host.token}, body: fields{"username": "gustav"}},
			refusal{http.StatusForbidden, "/rooms/" + watched, guest.token},
			refusal{http.StatusForbidden, "/chat/messages?room_id=" + watched, guest.token}),
		toggleSubject("privacy",
			change{call: call{http.MethodPatch, "/rooms/" + shy, host.token}, body: fields{"visibility": "public"}},
			change{call: call{http.MethodPatch, "/rooms/" + shy, host.token}, body: fields{"visibility": "private"}},
			refusal{http.StatusNotFound, "/rooms/" + shy, guest.token},
			refusal{http.StatusNotFound, "/chat/messages?room_id=" + shy, ""}),
		sessionSubject(leaver, "/users/me", "/rooms/"+room),
		suspensionSubject(suspect, admin.token, "/users/me", "/chat/messages?room_id="+room),
	}
}

// call is a request without its body.
type call struct{ method, path, token string }

type fields map[string]any

// change is a request that changes something.
type change struct {
	call
	body  fields
	again int // the status of a repetition after a success, if that is another one
}

// make sends the change. Any answer but a success is an error.
func (c change) make(n *replica) (answer, error) {
	var body any
	if c.body != nil {
		body = c.body
	}
	a, err := n.sendRequest(c.method, c.path, c.token, body)
	if err == nil && a.status >= http.StatusMultipleChoices && a.status != c.again {
		err = fmt.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
	}
	return a, err
}

// textSubject has its version in a text.
func textSubject(name string, write call, field string, reads ...textReader) *subject {
	s := &subject{name: name, write: func(n *replica, version int64) error {
		_, err := change{call: write, body: fields{field: fmt.Sprint("v", version)}}.make(n)
		return err
	}}
	for _, read := range reads {
		s.reads = append(s.reads, read.read)
	}
	return s
}

// textReader reads the texts that may have a version; the newest counts.
type textReader struct {
	path, token string
	texts       func(data json.RawMessage) ([]string, error)
}

func (r textReader) read(n *replica) (observation, error) {
	a, err := n.sendRequest(http.MethodGet, r.path, r.token, nil)
	if err != nil {
		return observation{}, err
	}
	var got struct{ Data json.RawMessage }
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != http.StatusOK {
		return observation{}, fmt.Errorf("%s: %d %s", r.path, a.status, a.body)
	}
	texts, err := r.texts(got.Data)
	if err != nil {
		return observation{}, err
	}
	newest := int64(-1)
	for _, text := range texts {
		version, err := strconv.ParseInt(strings.TrimPrefix(text, "v"), 10, 64)
		if err != nil {
			return observation{}, fmt.Errorf("%s: %q has no version", r.path, text)
		}
		newest = max(newest, version)
	}
	return observation{a, func(version int64) bool { return version == newest }}, nil
}

// inOne reads a property of one thing.
func inOne(path, property string) textReader {
	return textReader{path: path, texts: func(data json.RawMessage) ([]string, error) {
		var one fields
		err := json.Unmarshal(data, &one)
		return []string{one.text(property)}, err
	}}
}

// text is a property, or by host.name a property of a property; empty if there is none.
func (f fields) text(property string) string {
	if name, rest, is := strings.Cut(property, "."); is {
		within, _ := f[name].(map[string]any)
		return fields(within).text(rest)
	}
	text, _ := f[property].(string)
	return text
}

// inList reads a property of one thing of a list.
func inList(path, id, property string) textReader {
	return textReader{path: path, texts: func(data json.RawMessage) ([]string, error) {
		var list []fields
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, err
		}
		for _, one := range list {
			if one["id"] == id {
				return []string{one.text(property)}, nil
			}
		}
		return nil, fmt.Errorf("%s: %s is not there", path, id)
	}}
}

// chatSubject has its version in messages, which people with these tokens read.
func chatSubject(author, room string, readers ...string) *subject {
	s := textSubject("chat", call{http.MethodPost, "/chat/messages", author}, "body")
	s.write = func(n *replica, version int64) error {
		body := fields{"room_id": room, "body": fmt.Sprint("v", version)}
		_, err := change{call: call{http.MethodPost, "/chat/messages", author}, body: body}.make(n)
		return err
	}
	for _, token := range readers {
		s.reads = append(s.reads, textReader{
			path: "/chat/messages?limit=5&room_id=" + room, token: token,
			texts: func(data json.RawMessage) (texts []string, err error) {
				var list []struct{ Body string }
				err = json.Unmarshal(data, &list)
				for _, message := range list {
					texts = append(texts, message.Body)
				}
				if len(texts) == 0 {
					texts = []string{"v0"}
				}
				return texts, err
			},
		}.read)
	}
	return s
}

// refusal is a read that is refused with a status, or not.
type refusal struct {
	status      int
	path, token string
}

func (r refusal) isRefused(n *replica) (answer, bool, error) {
	a, err := n.sendRequest(http.MethodGet, r.path, r.token, nil)
	if err == nil && a.status != http.StatusOK && a.status != r.status {
		err = fmt.Errorf("%s: %d %s", r.path, a.status, a.body)
	}
	return a, a.status == r.status, err
}

// toggleSubject refuses reads in its odd versions.
func toggleSubject(name string, allow, refuse change, reads ...refusal) *subject {
	s := &subject{name: name, write: func(n *replica, version int64) error {
		c := allow
		if version%2 == 1 {
			c = refuse
		}
		_, err := c.make(n)
		return err
	}}
	for _, r := range reads {
		s.reads = append(s.reads, func(n *replica) (observation, error) {
			a, refused, err := r.isRefused(n)
			return observation{a, func(version int64) bool { return refused == (version%2 == 1) }}, err
		})
	}
	return s
}

// signInSubject signs a person in with its even versions, and ends that with the odd ones. The paths are for those who
// are signed in, or at least not signed out.
func signInSubject(
	name string, former signedIn, paths []string, allow, end func(n *replica, s signedIn) error,
) *subject {
	type ticket struct {
		signedIn
		version int64
	}
	var current atomic.Pointer[ticket]
	current.Store(&ticket{signedIn: former})
	signIn := func(n *replica, version int64) error {
		a, err := change{
			call: call{http.MethodPost, "/auth/login", ""},
			body: fields{"email": former.User.Email, "password": password},
		}.make(n)
		if err != nil {
			return err
		}
		var got struct{ Data signedIn }
		if err := json.Unmarshal(a.body, &got); err != nil {
			return err
		}
		current.Store(&ticket{got.Data, version})
		return nil
	}
	s := &subject{name: name}
	s.write = func(n *replica, version int64) error {
		if version%2 == 1 {
			return end(n, current.Load().signedIn)
		}
		if err := allow(n, current.Load().signedIn); err != nil {
			return err
		}
		return signIn(n, version)
	}
	for _, path := range paths {
		s.reads = append(s.reads, func(n *replica) (observation, error) {
			held := current.Load()
			a, refused, err := refusal{http.StatusUnauthorized, path, held.AccessToken}.isRefused(n)
			return observation{a, func(version int64) bool { return refused == (version > held.version) }}, err
		})
	}
	return s
}

// sessionSubject signs in and out.
func sessionSubject(former signedIn, paths ...string) *subject {
	return signInSubject("session", former, paths, func(*replica, signedIn) error { return nil },
		func(n *replica, s signedIn) error {
			_, err := change{
				call: call{http.MethodPost, "/auth/logout", ""},
				body: fields{"refresh_token": s.RefreshToken},
			}.make(n)
			return err
		})
}

// suspensionSubject is suspended, and reinstated.
func suspensionSubject(former signedIn, admin string, paths ...string) *subject {
	path := "/admin/users/" + former.User.ID
	return signInSubject("suspension", former, paths,
		func(n *replica, _ signedIn) error {
			_, err := change{call: call{http.MethodPost, path + "/reinstate", admin}}.make(n)
			return err
		},
		func(n *replica, _ signedIn) error {
			_, err := change{call: call{http.MethodPost, path + "/suspend", admin}, body: fields{"reason": "test"}}.make(n)
			return err
		})
}
