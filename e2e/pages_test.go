package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// pages opens what people look at in a real browser. With SCREENSHOTS set to a folder, pictures of them are kept there.
func (f *flow) pages(t *testing.T) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1200, 1000),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	for _, page := range []struct{ name, url, shows string }{
		{"docs", f.settings["PUBLIC_URL"] + "/docs", "Make an account and sign in"},
		{"inbox", f.inboxURL + "/", "Welcome to WatchParty"},
		{"temporal", f.settings["TEMPORAL_UI_URL"], "WelcomeEmail"},
	} {
		t.Run(page.name, func(t *testing.T) {
			tab, cancel := chromedp.NewContext(allocator)
			defer cancel()
			_, err := chromedp.Run(tab, chromedp.Navigate(page.url))
			require.NoError(t, err)
			_, err = chromedp.Run(tab, chromedp.PollFunction[bool](`text => document.body.innerText.includes(text)`,
				chromedp.WithPollingArgs(page.shows), chromedp.WithPollingTimeout(30*time.Second)))
			require.NoError(t, err)
			picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			if dir := os.Getenv("SCREENSHOTS"); dir != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, page.name+".png"), picture, 0o600))
			}
		})
	}
}
