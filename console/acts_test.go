package console

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// TestActsPassReasonsOn: what is typed as the reason of an act reaches the operation, in the place that it has for it.
func TestActsPassReasonsOn(t *testing.T) {
	t.Parallel()
	spec, err := contract.GetSpec()
	require.NoError(t, err)
	spec.Servers = openapi3.Servers{{URL: "/api"}}
	router, err := gorillamux.NewRouter(spec)
	require.NoError(t, err)
	const reason = "50 % & more \u2013 seen by Ada"
	var got any
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // of the caller
			_, _ = w.Write([]byte(`{"data": {"is_admin": true}}`))
			return
		}
		route, _, err := router.FindRoute(r)
		require.NoError(t, err, "%s %s", r.Method, r.URL.Path)
		body := map[string]any{}
		if r.ContentLength > 0 {
			require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		}
		if route.Operation.Parameters.GetByInAndName("query", "note") == nil {
			got = body["reason"]
			if got == nil {
				got = body["note"]
			}
		} else {
			got = r.URL.Query().Get("note")
			require.NotContains(t, body, "note")
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title": "Enough"}`))
	})
	c, err := New(Deps{
		Log: slog.New(slog.DiscardHandler), API: api, Access: func(auth.Identity) (string, error) { return "token", nil },
		Session: func(context.Context, string, time.Duration) (auth.Identity, error) {
			return auth.Identity{Username: "carol"}, nil
		},
	})
	require.NoError(t, err)
	form := url.Values{"note": {" " + reason}, "reason": {reason}}.Encode()
	for _, a := range acts() {
		got = nil
		path := pathVariable.ReplaceAllString(a.path, "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Base+path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(c.cookie("session", "token", time.Hour))
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		require.Equal(t, reason, got, "%s: %d", a.path, w.Code)
	}
}

var (
	pathVariable = regexp.MustCompile(`\{\w+\}`)
	postForm     = regexp.MustCompile(`(?s)<form[^>]*method="post".*?</form>`)
	formAction   = regexp.MustCompile(`action="([^"]*)"`)
	asksWhy      = regexp.MustCompile(`template "(note|reason)"|name="note"`)
)

// TestFormsAskForReasons: each form that sends an act to the API has a field for its reason.
func TestFormsAskForReasons(t *testing.T) {
	t.Parallel()
	others := map[string]bool{
		"{{ base }}/sign-in": true, "{{ base }}/sign-out": true,
		"{{ .Path }}": true, // a refused form, with the fields that it had
	}
	templates, err := files.ReadDir("templates")
	require.NoError(t, err)
	found := 0
	for _, file := range templates {
		text, err := files.ReadFile("templates/" + file.Name())
		require.NoError(t, err)
		for _, form := range postForm.FindAllString(string(text), -1) {
			if action := formAction.FindStringSubmatch(form)[1]; !others[action] {
				found++
				require.Regexp(t, asksWhy, form, "%s: the form to %s", file.Name(), action)
			}
		}
	}
	require.Greater(t, found, 10)
}
