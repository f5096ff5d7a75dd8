package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBodiesThatAreNotJSON(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	before := w.rows(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			depth := 200_000
			if strings.HasPrefix(op.path, "/auth/") {
				depth = maxAuthBytes
			}
			for _, body := range notJSON(depth) {
				broken := c.call
				broken.raw = body
				a := w.call(t, c.id, broken)
				require.Equal(t, "invalid_request", a.code(), "%.40q: %s", body, a)
				a.requireField(t, 400, "body")
			}
			if op.RequestBody.Value.Required {
				empty := c.call
				empty.raw = ""
				w.call(t, c.id, empty).requireField(t, 400, "body")
			}
			for _, contentType := range []string{
				"", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
				"application/merge-patch+json", "application/jsonx", ";;", "application/", "*/*", "text/json",
			} {
				r := w.build(t, op, c.call)
				r.Header.Set("Content-Type", contentType)
				a := w.send(t, r)
				a.requireProblem(t, 415, "unsupported_media_type")
			}
		})
	}
	require.Equal(t, before, w.rows(t), "something was stored")
}

// notJSON are bodies that cannot be read, two of them about that long.
func notJSON(length int) []string {
	return []string{
		"{",
		"}",
		`{"name": }`,
		`{"name": "x"`,
		"{'name': 'x'}",
		"\x00",
		"\xff\xfe{}",
		"name=x",
		"<a/>",
		"NaN",
		`{"a":1,}`,
		`{"name": "\uD8"}`,
		"{\"name\": \"\n\"}",
		strings.Repeat("[", length),
		strings.Repeat(`{"a":`, length/5),
		" ",
		"\ufeff{}",
	}
}

func TestWhatJSONMayBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	t.Run("one value, and nothing after it", func(t *testing.T) {
		before := b.rows(t)
		for _, rest := range []string{" {}", " garbage", `{"name": "Another"}`, " ]"} {
			a := b.do(t, "POST", "/rooms", alice.token, `{"name": "A room"}`+rest)
			a.requireField(t, 400, "body")
		}
		require.Equal(t, before, b.rows(t))
		require.Equal(t, 201, b.do(t, "POST", "/rooms", alice.token, `{"name": "A room"}`+" \r\n\t").status)
	})
	t.Run("content types", func(t *testing.T) {
		for _, contentType := range []string{
			"application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON",
		} {
			r := b.request(t, "POST", "/rooms", alice.token, map[string]any{"name": "A room"})
			r.Header.Set("Content-Type", contentType)
			a := b.send(t, r)
			require.Equal(t, 201, a.status, "%s: %s", contentType, a)
		}
	})
	t.Run("JSON does not tell 4 from 4.0", func(t *testing.T) {
		for _, number := range []string{"4.0", "4e0", "0.4e1"} {
			a := b.do(t, "POST", "/rooms", alice.token, `{"name": "A room", "capacity": `+number+`}`)
			if a.status == 201 {
				require.EqualValues(t, 4, a.data()["capacity"])
				continue
			}
			a.requireField(t, 400, "capacity")
		}
	})
	t.Run("a body that need not be", func(t *testing.T) {
		root := b.admin(t, "root")
		chunked := b.request(t, "POST", "/admin/cleanup", root.token, "")
		chunked.Body, chunked.ContentLength = io.NopCloser(strings.NewReader("")), -1
		require.Equal(t, 202, b.send(t, chunked).status)
		a := b.do(t, "POST", "/admin/cleanup", root.token, map[string]any{})
		run := b.do(t, "GET", "/admin/cleanup/runs/"+a.data()["run_id"].(string), root.token, nil).data()
		require.Len(t, run["policies"], len(b.cfg.Cleanup.Policies()))
		require.Equal(t, false, run["dry_run"])
	})
}

// TestLargeBodies: the size limit is checked before the sign-in.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	before := b.rows(t)
	head := `{"name": "`
	large := head + strings.Repeat("a", maxBodyBytes-len(head)-1) + `"}`
	require.Len(t, large, maxBodyBytes+1)
	for name, token := range map[string]string{"known": alice.token, "anonymous": "", "bad token": "x"} {
		t.Run(name+", announced", func(t *testing.T) {
			r := b.request(t, "POST", "/rooms", token, large)
			r.Body = io.NopCloser(unread{t})
			b.serve(t, r).requireProblem(t, 413, "body_too_large")
		})
		t.Run(name+", chunked", func(t *testing.T) {
			r := b.request(t, "POST", "/rooms", token, large)
			r.ContentLength = -1
			if token == alice.token {
				b.serve(t, r).requireProblem(t, 413, "body_too_large")
				return
			}
			r.Body = io.NopCloser(unread{t})
			b.serve(t, r).requireProblem(t, 401, "unauthenticated")
		})
	}
	t.Run("over a connection", func(t *testing.T) {
		r := b.request(t, "POST", "/auth/login", "", large)
		r.ContentLength = -1
		b.send(t, r).requireProblem(t, 413, "body_too_large")
	})
	t.Run("as large as allowed", func(t *testing.T) {
		a := b.do(t, "POST", "/rooms", alice.token, large[:len(large)-3]+`"}`)
		a.requireField(t, 400, "name")
	})
	t.Run("where nothing is", func(t *testing.T) {
		b.serve(t, b.request(t, "POST", "/nowhere", "", large)).requireProblem(t, 413, "body_too_large")
	})
	require.Equal(t, before, b.rows(t))
}

// unread is the body of a request that is refused by its length.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// texts are stored and answered as they are, and longTexts where there may be several lines.
var texts = map[string]string{
	"emoji":            "👩‍👩‍👧‍👦 movie 🎬",
	"right to left":    "مساء الخير שלום",
	"marks":            "q\u0323\u0307 é",
	"joined letters":   "می\u200cخواهم",
	"beyond the plane": "𝕎𝕒𝕥𝕔𝕙 𒀀",
	"SQL":              `'; DROP TABLE users; -- " \ ? ?0 $1 {} %s`,
	"HTML":             `<script>alert("x")</script> &amp; <b>`,
	"JSON":             `{"a": "\u0041"}`,
	"replacement":      "\ufffd",
}

var longTexts = map[string]string{
	"changes of direction": "שלום \u202eabc\u202c \u2067x\u2069\u200f",
	"zero width":           "a\u200bb\ufeffc",
	"lines":                "a\n\tb\r\nc\u2028d\u2029e",
	"decomposed":           "e\u0301 is not é",
}

func TestTexts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	for name, text := range longTexts {
		t.Run(name, func(t *testing.T) {
			room := b.room(t, alice, map[string]any{"description": text})
			require.Equal(t, text, b.do(t, "GET", "/rooms/"+room, "", nil).data()["description"])
			b.post(t, room, alice, text)
			require.Equal(t, text, b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list()[0]["body"])
		})
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			room := b.room(t, alice, map[string]any{"name": text, "description": text})
			read := b.do(t, "GET", "/rooms/"+room, "", nil).data()
			require.Equal(t, []any{text, text}, []any{read["name"], read["description"]})

			b.post(t, room, alice, text)
			messages := b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list()
			require.Equal(t, text, messages[0]["body"])

			a := b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": text})
			require.Equal(t, 200, a.status, a)
			require.Equal(t, text, b.do(t, "GET", "/users/alice", "", nil).data()["display_name"])
			people := b.do(t, "GET", "/rooms/"+room+"/participants", "", nil).list()
			require.Equal(t, text, people[0]["user"].(map[string]any)["display_name"])
		})
	}
	t.Run("lengths are in characters", func(t *testing.T) {
		longest := strings.Repeat("😀", 100)
		require.Equal(
			t, longest, b.do(t, "GET", "/rooms/"+b.room(t, alice, map[string]any{"name": longest}), "", nil).data()["name"],
		)
	})
	t.Run("message with lines", func(t *testing.T) {
		room := b.room(t, alice, nil)
		text := "  one\n\ttwo\r\n three  "
		b.post(t, room, alice, text)
		require.Equal(t, text, b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list()[0]["body"])
	})
}

func TestTextsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	room := b.room(t, alice, nil)
	before := b.rows(t)
	account := func(field, text string) map[string]any {
		body := map[string]any{"username": "dora", "email": "dora@example.org", "password": password}
		body[field] = text
		return body
	}
	for _, text := range []string{"a\x00bc@d.e", "a\x07bc", "a\x1bbc", "a\x7fbc", "a\u0085bc"} {
		b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": text}).requireField(t, 400, "name")
		b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "ok", "description": text}).
			requireField(t, 400, "description")
		b.do(t, "POST", "/chat/messages", alice.token, map[string]any{"room_id": room, "body": text}).
			requireField(t, 400, "body")
		b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": text}).requireField(t, 400, "display_name")
		for _, field := range []string{"username", "email", "display_name"} {
			b.do(t, "POST", "/auth/register", "", account(field, text)).requireField(t, 400, field)
		}
	}
	for _, text := range []string{" ", "\t\n", "\u3000"} {
		b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": text}).requireField(t, 400, "name")
		b.do(t, "POST", "/chat/messages", alice.token, map[string]any{"room_id": room, "body": text}).
			requireField(t, 400, "body")
		b.do(t, "PATCH", "/users/me", alice.token, map[string]any{"display_name": text}).requireField(t, 400, "display_name")
	}
	for _, email := range []string{
		"dora", "dora@", "@example.org", "a@b@c", "do ra@example.org", "dora@example..org", "Dora <dora@example.org>",
		"dora@example.org\r\nBcc: other@example.org", "dora@[127.0.0.1]", "a,b@example.org",
		strings.Repeat("é", 200) + "@example.org",
	} {
		b.do(t, "POST", "/auth/register", "", account("email", email)).requireField(t, 400, "email")
	}
	b.do(t, "POST", "/auth/register", "", account("password", "too short")).requireField(t, 400, "password")
	require.Equal(t, before, b.rows(t), "something was stored")
}

// TestSignInBodiesAreSmall: requests that wait for their turn to hash a password must not take much memory.
func TestSignInBodiesAreSmall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := map[string]any{
		"email":    "nobody@people.example",
		"password": "wrong",
		"padding":  strings.Repeat("a", maxAuthBytes),
	}
	b.do(t, "POST", "/auth/login", "", body).requireProblem(t, 413, "body_too_large")
}

// TestBodiesThatBreakOff: a body that the read time-out ends is a 408, one that the client ends is malformed. Neither
// is the service's failure.
func TestBodiesThatBreakOff(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *settings) {
		s.config.HTTP.ReadTimeout, s.config.HTTP.WriteTimeout = time.Second, 500*time.Millisecond
	})
	alice := b.user(t, "alice")
	known := "Authorization: Bearer " + alice.token + "\r\n"
	const (
		isJSON  = "Content-Type: application/json\r\n"
		isForm  = "Content-Type: multipart/form-data; boundary=x\r\n"
		sized   = "Content-Length: 5000\r\n"
		chunked = "Transfer-Encoding: chunked\r\n"
		file    = "--x\r\nContent-Disposition: form-data; name=avatar; filename=me.png\r\n\r\n\x89PNG"
	)
	for name, c := range map[string]struct{ method, path, headers, body string }{
		"JSON":              {"POST", "/rooms", known + isJSON + sized, `{"name": "A`},
		"JSON in chunks":    {"PATCH", "/users/me", known + isJSON + chunked, "9\r\n{\"display\r\n"},
		"nothing of it":     {"POST", "/rooms", known + isJSON + sized, ""},
		"a sign-in":         {"POST", "/auth/login", isJSON + sized, `{"email": "`},
		"an upload":         {"PUT", avatarPath, known + isForm + sized, file},
		"an upload, in one": {"PUT", avatarPath, known + isForm + chunked, fmt.Sprintf("%x\r\n%s\r\n", len(file), file)},
	} {
		send := func(t *testing.T) (_ net.Conn, receive func() answer) {
			conn := b.dial(t)
			head := fmt.Sprintf("%s %s%s HTTP/1.1\r\nHost: party.example\r\n%s\r\n", c.method, basePath, c.path, c.headers)
			_, err := io.WriteString(conn, head+c.body)
			require.NoError(t, err)
			return conn, func() answer {
				reader := bufio.NewReader(conn)
				response, err := http.ReadResponse(reader, nil)
				require.NoError(t, err)
				require.True(t, response.Close)
				a := b.accept(t, b.request(t, c.method, c.path, "", nil), response)
				_, err = reader.ReadByte()
				require.ErrorIs(t, err, io.EOF, "the connection ends with the answer")
				return a
			}
		}
		t.Run(name+", slow", func(t *testing.T) {
			t.Parallel()
			_, receive := send(t)
			receive().requireProblem(t, 408, "request_timeout")
		})
		t.Run(name+", cut", func(t *testing.T) {
			t.Parallel()
			conn, receive := send(t)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			receive().requireField(t, 400, "body")
		})
	}
	t.Cleanup(func() {
		for _, level := range []string{`"WARN"`, `"ERROR"`} {
			require.NotContains(t, b.logs.String(), `"level":`+level)
		}
	})
}
