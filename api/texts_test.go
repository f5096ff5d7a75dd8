package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/auth"
)

// freeText is a property of an operation's body, or what its array holds, that may be any text.
type freeText struct {
	name   string
	list   bool
	schema *openapi3.Schema
}

func freeTexts(op documented) []freeText {
	if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
		return nil
	}
	var found []freeText
	properties := op.RequestBody.Value.Content["application/json"].Schema.Value.Properties
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		f := freeText{name: name, schema: properties[name].Value}
		if f.schema.Items != nil {
			f.list, f.schema = true, f.schema.Items.Value
		}
		if f.schema.Type.Is("string") && len(f.schema.Enum) == 0 && f.schema.Pattern == "" &&
			slices.Contains([]string{"", "email", "uri"}, f.schema.Format) {
			found = append(found, f)
		}
	}
	return found
}

// textRule is how a property's text is judged, shown and compared.
type textRule int

const (
	line    textRule = iota + 1 // a name, a title, a reason
	prose                       // of several lines
	secret                      // compared and never shown, so it may hold anything
	formed                      // an address, of email or of the web
	matched                     // looked for, so it may be anything that can be stored
)

// textRules has each free text of the contract, by its name, and by its operation where that matters.
var textRules = map[string]textRule{
	"display_name":              line,
	"name":                      line,
	"title":                     line,
	"genres":                    line,
	"reason":                    line,
	"description":               prose,
	"text":                      prose,
	"createWebhook description": line,
	"updateWebhook description": line,
	"suspendUser reason":        prose,
	"closeRoom reason":          prose,
	"reopenRoom reason":         prose,
	"adminDeleteMessage reason": prose,
	"body":                      prose,
	"note":                      prose,
	"password":                  secret,
	"current_password":          secret,
	"new_password":              secret,
	"token":                     secret,
	"refresh_token":             secret,
	"email":                     formed,
	"poster_url":                formed,
	"stream_url":                formed,
	"url":                       formed,
	"language":                  formed,
	"time_zone":                 formed,
	"login email":               matched,
}

func (f freeText) rule(t *testing.T, op documented) textRule {
	t.Helper()
	rule := cmp.Or(textRules[op.OperationID+" "+f.name], textRules[f.name])
	require.NotZero(
		t, rule, "%s has a text %s: say in textRules which rule it follows, and have the domain check it", op.OperationID,
		f.name,
	)
	return rule
}

// fitted is text, again and again if it is too short.
func (f freeText) fitted(text string) string {
	n := utf8.RuneCountInString(text)
	return strings.Repeat(text, max(1, (int(f.schema.MinLength)+n-1)/n))
}

// TestFreeTexts sends texts of all kinds as each property that may be any text: an accepted text is answered as it was
// sent, and a refused one is a problem that names the property.
func TestFreeTexts(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	var former string
	require.NoError(
		t, w.store.DB().NewRaw("SELECT password_hash FROM users WHERE id = ?", w.alice.id).Scan(t.Context(), &former),
	)
	properties, sent := 0, 0
	for _, c := range w.calls() {
		op := operations()[c.id]
		switch c.id {
		case "setParticipantRole": // mute needs it
			require.Equal(t, op.success(), w.call(t, c.id, c.call).status)
		case "retryJob": // of one that has ended
			ended := w.do(t, "POST", "/admin/jobs/"+w.job+"/terminate"+because("as a test"), w.admin.token, nil)
			require.Equal(t, 200, ended.status, ended)
		}
		for _, f := range freeTexts(op) {
			properties++
			send := func(t *testing.T, text string) answer {
				t.Helper()
				sent++
				changed := c.call
				changed.body = copied(c.body)
				switch c.id { // what is done once
				case "register":
					changed.body["username"] = fmt.Sprint("person", sent)
					changed.body["email"] = fmt.Sprintf("person%d@example.org", sent)
				case "createMovie":
					changed.body["title"] = fmt.Sprint("Movie ", sent)
				case "addToQueue":
					w.exec(t, "DELETE FROM queue_items WHERE title <> 'First' AND title <> 'Second'")
				case "scheduleParty":
					w.exec(t, "DELETE FROM parties WHERE id NOT IN (?, ?)", w.party, w.party2)
				case "sendPlaybackCommand":
					now := w.do(t, "GET", "/rooms/"+w.private+"/playback", w.alice.token, nil).data()
					changed.body = map[string]any{"kind": "load", "id": uuid.NewString(), "epoch": now["epoch"],
						"stream_url": "https://movies.example/a.webm"}
				case "confirmPasswordReset":
					changed.body["token"] = w.newReset(t)
				case "changePassword":
					w.exec(t, "UPDATE users SET password_hash = ? WHERE id = ?", former, w.alice.id)
				case "createInvitation":
					w.exec(t, "DELETE FROM invitations")
				case "adminDeleteMessage":
					w.exec(t, "UPDATE messages SET deleted_at = NULL WHERE id = ?", w.spam)
				case "reportAbuse":
					w.exec(t, "DELETE FROM abuse_reports WHERE id <> ?", w.abuse)
				case "terminateJob":
					job, _ := w.cleanupJob(t, w.admin)
					changed.params = param("job_id", job)
				case "resolveAbuseReport":
					w.exec(t, "UPDATE abuse_reports SET state = 'open', outcome = NULL, resolved_at = NULL")
				}
				changed.body[f.name] = text
				if f.list {
					changed.body[f.name] = []any{text}
				}
				encoded, err := json.Marshal(changed.body)
				require.NoError(t, err)
				changed.raw = strings.ReplaceAll(string(encoded), "half-character", `\ud800`)
				a := w.call(t, c.id, changed)
				require.Less(t, a.status, 500, a)
				return a
			}
			t.Run(c.id+" "+f.name, func(t *testing.T) { requireTexts(t, op, f, send) })
		}
	}
	require.Greater(t, properties, 30)
}

func requireTexts(t *testing.T, op documented, f freeText, send func(*testing.T, string) answer) {
	rule := f.rule(t, op)
	taken := maps.Clone(texts)
	if rule != line {
		maps.Copy(taken, longTexts)
	}
	taken["padded"] = "  a b  "
	taken["the longest"] = strings.Repeat("😀", int(*f.schema.MaxLength))
	for why, text := range taken {
		text = f.fitted(text)
		if utf8.RuneCountInString(text) > int(*f.schema.MaxLength) {
			continue
		}
		a := send(t, text)
		switch {
		case rule == secret && a.status == 400:
			a.requireField(t, 400, f.name)
		case rule == secret:
			require.Contains(t, []int{op.success(), 401, 403}, a.status, "%s: %s", why, a)
		case rule == formed && a.status == 400:
			a.requireField(t, 400, f.name)
		case rule == matched && strings.ContainsFunc(text, unicode.IsControl):
			a.requireField(t, 400, f.name)
		case rule == matched:
			a.requireProblem(t, 401, "bad_credentials")
		default:
			require.Equal(t, op.success(), a.status, "%s: %s", why, a)
			f.requireAnswered(t, a, text)
		}
	}
	for why, text := range refusedTexts[rule] {
		text = f.fitted(text)
		a := send(t, text)
		require.Equal(t, 400, a.status, "%s: %s", why, a)
		a.requireField(t, 400, f.name)
	}
	send(t, f.fitted("a half-character")).requireField(t, 400, f.name)
	send(t, strings.Repeat("😀", int(*f.schema.MaxLength)+1)).requireField(t, 400, f.name)
	for _, control := range []string{"\x00", "\x01", "\x07", "\x1b", "\x7f", "\u0085"} {
		a := send(t, f.fitted("a"+control+"b@example.org"))
		if rule != secret {
			a.requireField(t, 400, f.name)
		}
	}
}

// refusedTexts are examples; package watchparty's tests have the whole rules.
var refusedTexts = map[textRule]map[string]string{
	line: {
		"an override":             "Alice\u202eevil",
		"a mark of direction":     "a\u200fb",
		"a line separator":        "a\u2028b",
		"a line break":            "a\nb",
		"a zero-width space":      "Ali\u200bce",
		"a joiner":                "Ali\u200dce",
		"a tag":                   "a\U000e0041b",
		"a filler":                "a\u3164b",
		"a mark at the beginning": "\u0301a",
	},
	prose: {
		"an open override":          "Alice\u202eevil",
		"an isolate over two lines": "a\u2067b\nc\u2069",
		"an end of nothing":         "a\u202cb",
	},
}

// requireAnswered: where a success has the property, it is what was sent but for white space around it.
func (f freeText) requireAnswered(t *testing.T, a answer, sent string) {
	t.Helper()
	data := a.data()
	if user, ok := a.data()["user"].(map[string]any); ok {
		data = user
	}
	switch got := data[f.name].(type) {
	case nil:
	case []any:
		require.Equal(t, []any{strings.ToLower(strings.TrimSpace(sent))}, got)
	default:
		require.Equal(t, strings.TrimSpace(sent), strings.TrimSpace(got.(string)))
	}
}

// newReset is a token that sets frank's password once.
func (w *completeFixture) newReset(t *testing.T) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	w.exec(t, "INSERT INTO password_resets (id, user_id, expires_at) VALUES (?, ?, ?)", id, w.frank.id,
		time.Now().Add(time.Minute))
	return w.server.oneTime.Token(auth.ForReset, id)
}
