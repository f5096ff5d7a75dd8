package console

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// form is a form of a page.
type form struct {
	action string
	values url.Values // what a browser sends if nothing is changed
	typed  []string   // the names of the fields that an admin can change; without the reason, which changes nothing
}

// forms returns the forms of a page that are sent by POST.
func forms(t *testing.T, page string) (all []form) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Data != "form" || attributes(n)["method"] != "post" {
			continue
		}
		f := form{action: attributes(n)["action"], values: url.Values{}}
		for field := range n.Descendants() {
			f.add(field)
		}
		all = append(all, f)
	}
	return all
}

func attributes(n *html.Node) map[string]string {
	all := map[string]string{}
	for _, a := range n.Attr {
		all[a.Key] = a.Val
	}
	return all
}

func (f *form) add(field *html.Node) {
	a := attributes(field)
	if field.Type != html.ElementNode || a["name"] == "" || field.Data == "button" {
		return
	}
	if a["type"] != "hidden" && a["name"] != noteField && !slices.Contains(f.typed, a["name"]) {
		f.typed = append(f.typed, a["name"])
	}
	if _, checked := a["checked"]; a["type"] == "checkbox" && !checked {
		return
	}
	value := a["value"]
	if field.Data == "textarea" && field.FirstChild != nil {
		value = field.FirstChild.Data
	}
	f.values.Add(a["name"], strings.ReplaceAll(value, "\n", "\r\n"))
}

// textFields are the types of fields into which people type as much as they like, unless there is a limit.
var textFields = []string{"", "text", "url", "email", "search", "tel"}

// TestFieldsHaveLimits: each text field says how much it takes, so that nobody types in vain, and the largest form that
// can be typed so is accepted.
func TestFieldsHaveLimits(t *testing.T) {
	t.Parallel()
	const escaped = 9 // bytes of a UTF-16 unit, which maxlength counts, in a form
	s := newConsoleFixture(t, examples(t))
	var again strings.Builder
	require.NoError(
		t,
		s.pages.ExecuteTemplate(&again, "message", view{Again: []typed{{Name: "note"}, {Name: "text", Long: true}}}),
	)
	shown := map[string]string{
		"a refused form": again.String(), "sign-in": s.sendRequest(t, http.MethodGet, Base+"/sign-in", nil).Body.String(),
	}
	for _, p := range pages() {
		shown[p.path] = s.sendRequest(t, http.MethodGet, pathOf(p), nil).Body.String()
	}
	fields := 0
	for path, page := range shown {
		root, err := html.Parse(strings.NewReader(page))
		require.NoError(t, err)
		for n := range root.Descendants() {
			if n.Data != "form" {
				continue
			}
			limits, size := map[string]int{}, 0
			for field := range n.Descendants() {
				a := attributes(field)
				if field.Data != "textarea" && (field.Data != "input" || !slices.Contains(textFields, a["type"])) {
					continue
				}
				limit, err := strconv.Atoi(a["maxlength"])
				require.NoError(t, err, "%s: %s has no maxlength", path, a["name"])
				fields++
				limits[a["name"]] = limit
				size += escaped * limit
			}
			for field := range n.Descendants() {
				if name, ok := strings.CutPrefix(attributes(field)["name"], shownPrefix); ok {
					size += escaped * limits[name]
				}
			}
			require.LessOrEqual(t, size, maxForm, path)
		}
	}
	require.Greater(t, fields, 30)
}

// TestFormsWithUnknownAccounts: a form that names nobody keeps what was typed.
func TestFormsWithUnknownAccounts(t *testing.T) {
	t.Parallel()
	s := newConsoleFixture(t, examples(t))
	tried := 0
	for _, a := range acts() {
		for _, f := range a.fields {
			if f.kind != "account" {
				continue
			}
			tried++
			w := s.sendRequest(t, http.MethodPost, Base+a.path,
				url.Values{f.name: {"nobody-at-all"}, noteField: {"The disk was full"}})
			require.Equal(t, http.StatusUnprocessableEntity, w.Code, a.path)
			require.Contains(t, w.Body.String(), "No account has the username “nobody-at-all”, and it is not a complete ID.")
			require.Contains(t, w.Body.String(), "The disk was full")
		}
	}
	require.Positive(t, tried)
}

// TestLargeForms: a form that is too large is refused with a reason and a way back.
func TestLargeForms(t *testing.T) {
	t.Parallel()
	s := newConsoleFixture(t, examples(t))
	for size, want := range map[int]int{maxForm - 10: http.StatusSeeOther, maxForm + 1: http.StatusRequestEntityTooLarge} {
		w := s.sendRequest(t, http.MethodPost, Base+"/queues/email/pause", url.Values{"note": {strings.Repeat("x", size)}})
		require.Equal(t, want, w.Code, size)
		if want != http.StatusSeeOther {
			require.Contains(t, w.Body.String(), "The form is larger than 256 KB. Go back in your browser")
		}
	}
}

// TestFormsSendWhatWasChanged: a form that shows what there is sends the field that an admin has changed, and no other,
// since another admin may have changed those.
func TestFormsSendWhatWasChanged(t *testing.T) {
	t.Parallel()
	answers := examples(t)
	var sent []map[string]any
	s := newConsoleFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			body := map[string]any{}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
			sent = append(sent, body)
		}
		answers.ServeHTTP(w, r)
	}))
	changes := func(f form) bool { // whether it is of something that there is
		method, path := "", strings.TrimPrefix(f.action, Base)
		for _, a := range acts() {
			parts, given := strings.Split(a.path, "/"), strings.Split(path, "/")
			if slices.EqualFunc(parts, given, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") }) {
				method = a.method
			}
		}
		return method == http.MethodPatch && len(f.typed) > 0
	}
	post := func(f form, values url.Values) []map[string]any {
		sent = nil
		w := s.sendRequest(t, http.MethodPost, f.action, values)
		require.Equal(t, http.StatusSeeOther, w.Code, "%s: %s", f.action, w.Body)
		return sent
	}
	tried := 0
	for _, p := range pages() {
		for _, f := range forms(t, s.sendRequest(t, http.MethodGet, pathOf(p), nil).Body.String()) {
			if !changes(f) {
				continue
			}
			require.Empty(t, post(f, f.values), "%s: nothing was changed", f.action)
			for _, name := range f.typed {
				values := maps.Clone(f.values)
				values.Set(name, "4711")
				requests := post(f, values)
				require.Len(t, requests, 1, "%s: %s", f.action, name)
				require.Equal(t, []string{name}, slices.Collect(maps.Keys(requests[0])), f.action)
			}
			tried++
		}
	}
	require.Equal(t, 2, tried, "movies and webhooks")
}

// TestChoicesOfNothing: a form whose every choice was taken away says so to the API, which refuses it.
func TestChoicesOfNothing(t *testing.T) {
	t.Parallel()
	for _, a := range acts() {
		for _, f := range a.fields {
			if f.kind != "choices" {
				continue
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, Base, nil)
			require.NoError(t, err)
			r.PostForm = url.Values{shownPrefix + f.name: {"before"}}
			body, ok := a.body(r).(map[string]any)
			require.True(t, ok)
			require.Equal(t, []string{}, body[f.name], a.path)
		}
	}
}
