package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// browser opens tabs of one real browser.
type browser struct{ allocator context.Context }

func startBrowser(t *testing.T) browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1200, 1000),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.WSURLReadTimeout(longWait),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	return browser{allocator}
}

// tab is one page, as a person sees it.
type tab struct{ ctx context.Context }

func (b browser) open(t *testing.T, address string) tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.allocator)
	t.Cleanup(cancel)
	_, err := chromedp.Run(ctx, chromedp.Navigate(address))
	require.NoError(t, err)
	return tab{ctx}
}

// readAxe is the script that finds what is not accessible.
func readAxe(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("client", "node_modules", "axe-core", "axe.min.js"))
	require.NoError(t, err, "`deploy/setup.sh test` installs it")
	return string(content)
}

// loadAxe runs axe's script on the page, unless the page has it.
func (p tab) loadAxe(t *testing.T, axe string) {
	t.Helper()
	loaded, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`Boolean(window.axe)`))
	require.NoError(t, err)
	if !loaded {
		_, err = chromedp.Run(p.ctx, chromedp.Evaluate[string](axe+`; ''`))
		require.NoError(t, err)
	}
}

// leftPage is the code of Chromium's error for a page that was left meanwhile.
const leftPage = -32000

// requireShows waits until the page shows the text. It may be another page by then. A page of the console is loaded
// again if Temporal did not answer it in time, which happens on a busy machine.
func (p tab) requireShows(t *testing.T, text string) {
	t.Helper()
	temporalAway := watchparty.ErrTemporalDown.Message
	for deadline := time.Now().Add(patience); ; {
		err := p.await(`(...texts) => texts.some((text) => document.body?.innerText.includes(text))`, text, temporalAway)
		seen, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body?.innerText ?? ''`))
		if err == nil && (strings.Contains(seen, text) || !strings.Contains(seen, temporalAway)) {
			return
		}
		require.NoError(t, err, "%q is not in: %s", text, seen)
		require.True(t, time.Now().Before(deadline), "%q is not in: %s", text, seen)
		_, err = chromedp.Run(p.ctx, chromedp.Reload())
		require.NoError(t, err)
	}
}

// patience is how long a page may take, on a machine that does much else.
const patience = 90 * time.Second

// await waits until a function of the page is true, which may be another page by then.
func (p tab) await(function string, args ...any) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		_, err = chromedp.Run(p.ctx, chromedp.PollFunction[bool](function, chromedp.WithPollingArgs(args...),
			chromedp.WithPollingTimeout(time.Until(deadline))))
		if left := new(cdproto.Error); !errors.As(err, &left) || left.Code != leftPage {
			break
		}
	}
	return err //nolint:wrapcheck // the caller says what it was for
}

// requireNotShown requires that the page does not show the text now.
func (p tab) requireNotShown(t *testing.T, text string) {
	t.Helper()
	seen, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	require.NoError(t, err)
	require.NotContains(t, seen, text)
}

func (p tab) click(t *testing.T, selector string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Click(chromedp.CSS(selector)))
	require.NoError(t, err, selector)
}

func (p tab) write(t *testing.T, field, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.SendKeys(chromedp.CSS(`[name="`+field+`"]`), text))
	require.NoError(t, err, field)
}

// picture keeps what the page looks like, as far as the window shows it, with SCREENSHOTS set to a folder.
func (p tab) picture(t *testing.T, name string) {
	t.Helper()
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(dir, 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600))
	}
}
