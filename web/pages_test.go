package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// linkPage is a page behind a link in an email, in a browser, at a server that answers as the test says.
type linkPage struct {
	ctx  context.Context
	base string
	mu   sync.Mutex
	asks []string
	said []string // by the browser: errors, and what the policy refuses
}

func openLink(t *testing.T, link, home string, answer func(ask string) (status int, body string)) *linkPage {
	t.Helper()
	p := &linkPage{}
	mux := http.NewServeMux()
	for _, path := range Pages() {
		mux.HandleFunc("GET "+path, Page(path, home))
	}
	mux.Handle("GET /assets/", Assets())
	mux.HandleFunc("GET "+Watch, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "the room ", r.URL.Query().Get("room"))
	})
	mux.HandleFunc("POST /api/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ask := strings.TrimSpace(fmt.Sprint(strings.TrimPrefix(r.URL.Path, "/api"), " ", string(body), " ",
			r.Header.Get("Authorization")))
		p.mu.Lock()
		p.asks = append(p.asks, ask)
		p.mu.Unlock()
		status, answered := answer(ask)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, answered)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.base = server.URL
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute)) // a busy machine starts it late
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	p.ctx = ctx
	require.NoError(t, chromedp.Listen(ctx, p.note))
	_, err := chromedp.Run(ctx, chromedp.Navigate(server.URL+link))
	require.NoError(t, err)
	return p
}

func (p *linkPage) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.said = append(p.said, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelVerbose &&
			!strings.Contains(e.Entry.Text, "the server responded with a status of") {
			p.said = append(p.said, e.Entry.Text)
		}
	}
}

func (p *linkPage) requireText(t *testing.T, text string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { // a page that is being left answers with an error
		shown, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		require.NoError(c, err)
		require.Contains(c, shown, text)
	}, 30*time.Second, 50*time.Millisecond)
}

func (p *linkPage) run(t *testing.T, script string) string {
	t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script))
	require.NoError(t, err)
	return text
}

// submit fills in the fields, and presses the button.
func (p *linkPage) submit(t *testing.T, fields map[string]string) {
	t.Helper()
	for name, value := range fields {
		p.run(t, fmt.Sprintf(`document.querySelector('[name=%q]').value = %q`, name, value))
	}
	p.run(t, `document.querySelector('[type=submit]').click(); ''`)
}

// requireAsks checks what the page has asked for, and that the browser has nothing to complain of.
func (p *linkPage) requireAsks(t *testing.T, asks ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Equal(t, asks, p.asks)
	require.Empty(t, p.said)
}

const voidLink = `{"code": "bad_token", "detail": "The link is unknown, used or expired."}`

func TestConfirmedAddressLeadsOn(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/verify-email#token=abc", Watch, func(string) (int, string) { return 204, "" })
	p.submit(t, nil)
	p.requireText(t, "Your address is confirmed.")
	require.Equal(t, p.base+Watch, p.run(t, `document.querySelector('#next a').href`))
	p.requireAsks(t, `/auth/verify-email {"token":"abc"}`)
}

// TestVoidConfirmationOffersAnother: with the sign-in of this browser, or with one that is asked for.
func TestVoidConfirmationOffersAnother(t *testing.T) {
	t.Parallel()
	answer := func(ask string) (int, string) {
		switch {
		case strings.HasPrefix(ask, "/auth/verify-email"):
			return 400, voidLink
		case strings.HasPrefix(ask, "/auth/login"):
			return 200, `{"data": {"access_token": "fresh", "refresh_token": "again"}}`
		case strings.HasSuffix(ask, "Bearer stale"):
			return 401, `{"code": "unauthenticated", "detail": "Sign in."}`
		}
		return 202, ""
	}
	p := openLink(t, "/verify-email#token=abc", Watch, answer)
	p.submit(t, nil)
	p.requireText(t, "We can send you a new one.")
	p.requireText(t, "Send a new link")
	p.submit(t, map[string]string{"email": "fay@people.example", "password": "secret words"})
	p.requireText(t, "an email with a new link is on its way")
	p.requireAsks(t, `/auth/verify-email {"token":"abc"}`,
		`/auth/login {"email":"fay@people.example","password":"secret words"}`,
		`/users/me/email/verification  Bearer fresh`, `/auth/logout {"refresh_token":"again"}`)

	p = openLink(t, "/verify-email#token=abc", Watch, answer)
	p.run(t, `localStorage.setItem('watchparty', '{"access_token": "stale"}'); ''`)
	p.submit(t, nil)
	p.requireText(t, "We can send you a new one.")
	require.Equal(t, "true", p.run(t, `String(document.querySelector('[name=email]').closest('label').hidden)`))
	p.submit(t, nil)
	p.requireText(t, "Email address")
	p.requireAsks(t, `/auth/verify-email {"token":"abc"}`, `/users/me/email/verification  Bearer stale`)
}

func TestVoidResetOffersAnotherInItsLanguage(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/password-reset#token=abc&lang=de", Watch, func(ask string) (int, string) {
		if strings.HasPrefix(ask, "/auth/password-reset/confirm") {
			return 400, voidLink
		}
		return 202, ""
	})
	p.requireText(t, "Wähle ein neues Passwort")
	require.Equal(t, "de", p.run(t, `document.documentElement.lang`))
	p.submit(t, map[string]string{"password": "correct horse battery"})
	p.requireText(t, "Gib deine Adresse ein")
	p.submit(t, map[string]string{"email": "fay@people.example"})
	p.requireText(t, "eine E-Mail mit einem neuen Link unterwegs")
	p.requireAsks(t, `/auth/password-reset/confirm {"token":"abc","password":"correct horse battery"}`,
		`/auth/password-reset {"email":"fay@people.example"}`)
}

func TestNewPasswordLeadsToTheSignIn(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/password-reset#token=abc", "https://watch.example", func(string) (int, string) { return 204, "" })
	p.submit(t, map[string]string{"password": "correct horse battery"})
	p.requireText(t, "You can sign in with it now.")
	require.Equal(t, "Sign in https://watch.example/",
		p.run(t, `(() => { const a = document.querySelector('#next a'); return a.textContent + ' ' + a.href })()`))
}

func invitationAnswer(ask string) (int, string) {
	switch path, _, _ := strings.Cut(ask, " "); path {
	case "/invitations/lookup":
		return 200, `{"data": {"inviter": {"username": "alice"}, "room": {"name": "Cellar", "participants": 1},
			"email": "fay@people.example"}}`
	case "/auth/login":
		return 200, `{"data": {"access_token": "fresh", "refresh_token": "again"}}`
	case "/invitations/accept":
		return 200, `{"data": {"id": "room-1", "name": "Cellar"}}`
	}
	return 204, ""
}

// TestInvitationOpensTheRoom: who has accepted is signed in at the page that shows the room.
func TestInvitationOpensTheRoom(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/invitations#token=abc", Watch, invitationAnswer)
	p.requireText(t, "alice invites you to “Cellar”. 1 person is there now.")
	p.submit(t, map[string]string{"password": "secret words"})
	p.requireText(t, "the room room-1")
	require.JSONEq(
		t,
		`{"access_token": "fresh", "refresh_token": "again"}`,
		p.run(t, `localStorage.getItem('watchparty')`),
	)
}

// TestInvitationWithAFrontEnd: the front-end is elsewhere, and nobody stays signed in here.
func TestInvitationWithAFrontEnd(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/invitations#token=abc&lang=de", "https://watch.example", invitationAnswer)
	p.requireText(t, "alice lädt dich in „Cellar“ ein. Gerade ist 1 Person dort.")
	p.submit(t, map[string]string{"password": "secret words"})
	p.requireText(t, "Du bist dabei: „Cellar“ wartet auf dich.")
	require.Equal(t, "null", p.run(t, `String(localStorage.getItem('watchparty'))`))
	p.requireAsks(t, `/invitations/lookup {"token":"abc"}`,
		`/auth/login {"email":"fay@people.example","password":"secret words"}`,
		`/invitations/accept {"token":"abc"} Bearer fresh`, `/auth/logout {"refresh_token":"again"}`)
}

func TestVoidInvitationLeadsToTheRooms(t *testing.T) {
	t.Parallel()
	p := openLink(t, "/invitations#token=abc", Watch, func(string) (int, string) { return 400, voidLink })
	p.requireText(t, "ask whoever invited you for a new one")
	require.Equal(t, p.base+Watch, p.run(t, `document.querySelector('#next a').href`))
}

// TestLinkPagesAreAccessible runs axe on each page, in both schemes and on a phone.
func TestLinkPagesAreAccessible(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../e2e/client/node_modules/axe-core/axe.min.js")
	require.NoError(t, err, "`deploy/setup.sh test` installs it")
	for _, path := range []string{VerifyEmail, PasswordReset, Invitations, Unsubscribe} {
		p := openLink(t, path+"#token=abc&lang=de", Watch, func(string) (int, string) { return 400, voidLink })
		if path == VerifyEmail || path == PasswordReset {
			p.submit(t, map[string]string{"password": "correct horse battery"})
			p.requireText(t, "Neuen Link schicken")
		}
		requireAccessible(t, p.ctx, string(axe), path)
	}
}

// requireAccessible runs axe on what is shown, in both schemes and on a phone.
func requireAccessible(t *testing.T, ctx context.Context, axe, name string) {
	t.Helper()
	for _, look := range []struct {
		scheme string
		width  int64
	}{{"light", 1440}, {"dark", 1440}, {"light", 390}, {"dark", 390}} {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(look.width, 844)))
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](axe+`;
			axe.run({ resultTypes: ['violations'] }).then(({ violations }) => [
				...violations.map(({ id, nodes }) => id + ' ' + nodes.length + ': ' + nodes[0].html),
				...(document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []),
			].join('\n'))`, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		require.Empty(t, found, "%s, %s, %d", name, look.scheme, look.width)
	}
}
