package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestDocsInABrowser: the page shows the contract, and its policy refuses nothing that it needs.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../api/openapi.yaml")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", Page(Docs))
	mux.Handle("GET /assets/", Assets())
	mux.HandleFunc("GET /api/openapi.yaml", File("application/yaml", contract))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	var mu sync.Mutex
	var complaints []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			complaints = append(complaints, fmt.Sprint(e.Entry.Source, " ", e.Entry.Text))
		}
	}))
	_, err = chromedp.Run(ctx, chromedp.Navigate(server.URL+Docs))
	require.NoError(t, err)
	for _, script := range []string{
		`() => document.body.innerText.includes('Create an account and sign in')`,
		`() => { document.querySelector('#operations-auth-register button').click(); return true }`,
		`() => document.body.innerText.includes('Try it out') && document.body.innerText.includes('carol@example.org')`,
	} {
		_, err := chromedp.Run(ctx, chromedp.PollFunction[bool](script, chromedp.WithPollingTimeout(30*time.Second)))
		require.NoError(t, err, script)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Empty(t, complaints)
}
