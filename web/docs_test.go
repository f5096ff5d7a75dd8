package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// docsPage is the page of the contract in a browser.
type docsPage struct {
	ctx        context.Context
	mu         sync.Mutex
	complaints []string // what the browser's console says: errors, and what the policy refuses
}

// openDocs opens the page of the contract, at a server that answers its calls by api.
func openDocs(t *testing.T, api http.HandlerFunc) *docsPage {
	t.Helper()
	contract, err := os.ReadFile("../api/openapi.yaml")
	require.NoError(t, err)
	docs, err := DocsPage(contract)
	require.NoError(t, err)
	liveContract, err := os.ReadFile("../api/live.yaml")
	require.NoError(t, err)
	liveDocs, err := LiveDocsPage(liveContract)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", docs)
	mux.HandleFunc("GET /docs/live", liveDocs)
	mux.Handle("GET /assets/", Assets())
	mux.HandleFunc("/api/", api)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute)) // a busy machine starts it late
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	p := &docsPage{ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, p.note))
	_, err = chromedp.Run(ctx, chromedp.Navigate(server.URL+Docs))
	require.NoError(t, err)
	return p
}

func (p *docsPage) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.complaints = append(p.complaints, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		p.complaints = append(p.complaints, fmt.Sprint(e.Entry.Source, " ", e.Entry.Text))
	}
}

func (p *docsPage) requireNoComplaints(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(t, p.complaints)
}

// evaluate runs a script, which yields a text.
func (p *docsPage) evaluate(t *testing.T, script string) string {
	t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script))
	require.NoError(t, err)
	return text
}

// await waits until a script yields true.
func (p *docsPage) await(t *testing.T, script string) {
	t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.PollFunction[bool](`() => `+script, chromedp.WithPollingTimeout(time.Minute)))
	require.NoError(t, err, script)
}

// TestDocsInABrowser: an operation is found and tried, with the token that a sign-in has answered with.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	p := openDocs(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/auth/login" {
			_, _ = fmt.Fprint(w, `{"data": {"access_token": "of-alice"}}`)
			return
		}
		_ = json.NewEncoder(w).Encode(r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization"))
	})
	find := func(text string) {
		p.evaluate(t, `
			document.querySelector('#find').value = '`+text+`';
			document.querySelector('#find').dispatchEvent(new Event('input')); ''`)
	}
	find("GET getProfile")
	require.Equal(t, "1 found", p.evaluate(t, `document.querySelector('#found').textContent`))
	require.Equal(t, "getProfile", p.evaluate(t,
		`[...document.querySelectorAll('article[data-find]:not([hidden])')].map((a) => a.id).join()`))
	find("")

	p.evaluate(t, `document.querySelector('#login form').requestSubmit(); ''`)
	p.await(t, `token.value === 'of-alice'`)
	_, err := chromedp.Run(p.ctx, chromedp.Reload())
	require.NoError(t, err)
	p.evaluate(t, `
		document.querySelector('#listMovies form').elements['query q'].value = 'a & b';
		document.querySelector('#listMovies form').requestSubmit(); ''`)
	answered := func(operation, text string) {
		p.await(t, `document.querySelector('#`+operation+` .result').textContent.includes('`+text+`')`)
	}
	answered("listMovies", "GET /api/movies?q=a+%26+b Bearer of-alice")
	p.evaluate(t, `
		document.querySelector('#getRoom form').elements['path room_id'].value = 'a/b';
		document.querySelector('#getRoom form').requestSubmit(); ''`)
	answered("getRoom", "GET /api/rooms/a%2Fb Bearer of-alice")
	p.requireNoComplaints(t)
}

// TestDocsByKeyboard: the first key leads past the list of operations.
func TestDocsByKeyboard(t *testing.T) {
	t.Parallel()
	p := openDocs(t, http.NotFound)
	require.NoError(t, chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Tab)))
	require.Equal(t, "Skip to the content", p.evaluate(t, `document.activeElement.textContent`))
	require.NoError(t, chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab)))
	require.Equal(t, "MAIN", p.evaluate(t, `document.activeElement.closest('main').tagName`))
	p.requireNoComplaints(t)
}

// sample leaves two operations of each tag, the upload, and some schemas, with all that can be opened open: the others
// come from the same templates, and would take axe a minute.
const sample = `
	for (const section of document.querySelectorAll('section')) {
		[...section.querySelectorAll('article')].forEach((a, i) => { if (i % 40 > 1 && a.id !== 'putAvatar') a.remove(); });
	}
	document.querySelectorAll('details').forEach((d) => { d.open = true }); ''`

// TestDocsAreAccessible runs axe, in the looks that the page has.
func TestDocsAreAccessible(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("../e2e/client/node_modules/axe-core/axe.min.js")
	require.NoError(t, err, "`deploy/setup.sh test` installs it")
	p := openDocs(t, http.NotFound)
	p.evaluate(t, sample)
	p.requireAccessible(t, string(axe))
	_, err = chromedp.Run(p.ctx, chromedp.Navigate(p.evaluate(t, `location.origin`)+Docs+"/live"))
	require.NoError(t, err)
	p.evaluate(t, `document.querySelectorAll('details').forEach((d) => { d.open = true }); ''`)
	p.requireAccessible(t, string(axe))
	p.requireNoComplaints(t)
}

// requireAccessible runs axe on the present page. What the colours are has nothing to do with the width, and the other
// way round.
func (p *docsPage) requireAccessible(t *testing.T, axe string) {
	t.Helper()
	for _, look := range []struct {
		name, scheme, rules string
		width               int64
	}{
		{"light", "light", `{}`, 1280},
		{"dark", "dark", `{ runOnly: ['color-contrast', 'link-in-text-block'] }`, 1280},
		{"on a phone", "light", `{ rules: { 'color-contrast': { enabled: false } } }`, 360},
	} {
		_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(p.ctx, chromedp.EmulateViewport(look.width, 800)), look.name)
		fits := p.evaluate(t, `String(document.documentElement.scrollWidth <= innerWidth)`)
		require.Equal(t, "true", fits, look.name)
		p.evaluate(t, `window.found = undefined; ''`)
		p.evaluate(t, axe+`;
			axe.run({ resultTypes: ['violations'], ...`+look.rules+` }).then(
				({ violations }) =>
					violations.map(({ id, nodes }) => id + ' ' + nodes.length + ': ' + nodes[0].html).join('\n'),
				String,
			).then((text) => { window.found = text });
			''`)
		p.await(t, `window.found !== undefined`)
		require.Empty(t, p.evaluate(t, `window.found`), look.name)
	}
}
