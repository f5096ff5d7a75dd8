package report

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/web"
)

const token = "one-time-token"

// patience is for what a browser does in moments on an idle machine.
const patience = 2 * time.Minute

// sample looks like what a service might see.
func sample(from watchparty.Day, days int) watchparty.ActivityReport {
	r := reportOf(from, days, func(day int64) watchparty.Figures {
		weekend := day%7 == 4 || day%7 == 5
		f := watchparty.Figures{
			NewUsers:            3 + day*5%7,
			ActiveUsers:         24 + day*11%13,
			ReturningUsers:      15 + day*3%9,
			RoomsOpened:         2 + day%4,
			Participants:        31 + day*7%17,
			MinutesTogether:     1400 + day*191%700,
			Messages:            120 + day*37%83,
			InvitationsSent:     4 + day%3,
			InvitationsAccepted: 1 + day%3,
			EmailsSent:          18 + day*5%11,
			EmailsFailed:        day % 5 / 3,
			Avatars:             day % 3,
			Removed:             40 + day,
		}
		if weekend {
			f.ActiveUsers, f.Participants, f.MinutesTogether, f.Messages = f.ActiveUsers+31, f.Participants+47, f.MinutesTogether*2, f.Messages*2
		}
		if day%11 == 2 {
			f = watchparty.Figures{}
		}
		return f
	})
	for _, d := range r.Days {
		for _, f := range figures() {
			add(r.Figures, f.key, f.of(*d.Figures))
		}
	}
	r.Previous = &watchparty.Figures{
		NewUsers:        12,
		ActiveUsers:     r.Figures.ActiveUsers + 3,
		MinutesTogether: 9000,
		Messages:        r.Figures.Messages,
		EmailsSent:      71,
	}
	r.RemovedBy = map[watchparty.Policy]int64{
		watchparty.PolicyMessages:     1234,
		watchparty.PolicyParticipants: 20,
		watchparty.PolicyFiles:        3,
	}
	return r
}

func add(f *watchparty.Figures, key string, n int64) {
	text, _ := json.Marshal(f)
	values := map[string]int64{}
	_ = json.Unmarshal(text, &values)
	values[key] += n
	text, _ = json.Marshal(values)
	_ = json.Unmarshal(text, f)
}

// serve serves the page for reports as the API does, and below /plain the fragment in a document of its own, both under
// the policy of all pages.
func serve(t *testing.T, r watchparty.ActivityReport, change func(fragment string) string) *httptest.Server {
	t.Helper()
	fragment, err := Page(r)
	require.NoError(t, err)
	table, err := CSV(r)
	require.NoError(t, err)
	shown := change(string(fragment))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+web.Reports, web.Page(web.Reports, web.Watch))
	mux.Handle("GET /assets/", web.Assets())
	mux.HandleFunc("POST /api/reports/view", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"token":"`+token+`"}` {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"detail": "The link is not valid."}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]string{
			"html": shown, "csv": string(table), "filename": "activity.csv",
		}})
	})
	policy := httptest.NewRecorder()
	web.Page(web.Reports, web.Watch)(policy, httptest.NewRequestWithContext(t.Context(), "GET", web.Reports, nil))
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy.Header().Get("Content-Security-Policy"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(
			w,
			`<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1"><title>Report</title>`+
				`<link rel="stylesheet" href="/assets/pages.css"><link rel="stylesheet" href="/assets/report.css"><link rel="icon" href="/assets/icon.svg"></head>`+
				`<body>%s</body></html>`,
			shown,
		)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func same(fragment string) string { return fragment }

// tab is a page in a real browser, and what it complained of.
type tab struct {
	ctx        context.Context
	mu         sync.Mutex
	complaints []string
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.WSURLReadTimeout(patience))
	allocator, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	first, cancelFirst := chromedp.NewContext(allocator)
	t.Cleanup(cancelFirst)
	require.NoError(t, chromedp.Do(first))
	return first
}

// viewer is how somebody looks at a page.
type viewer struct {
	name          string
	width, height int64
	scheme        string
	deficiency    emulation.SetEmulatedVisionDeficiencyType
}

var (
	desktop = viewer{"desktop-light", 1280, 900, "light", ""}
	narrow  = viewer{"narrow", 320, 640, "light", ""}
)

var viewers = []viewer{
	desktop, narrow,
	{"desktop-dark", 1280, 900, "dark", ""},
	{"desktop-grey", 1280, 900, "light", emulation.SetEmulatedVisionDeficiencyTypeAchromatopsia},
	{"desktop-dark-grey", 1280, 900, "dark", emulation.SetEmulatedVisionDeficiencyTypeAchromatopsia},
	{"phone-light", 360, 740, "light", ""},
	{"phone-dark", 360, 740, "dark", ""},
}

func (v viewer) open(t *testing.T, b context.Context, address string) *tab {
	t.Helper()
	p := v.openTab(t, b)
	p.goTo(t, address)
	return p
}

// openTab opens an empty tab.
func (v viewer) openTab(t *testing.T, b context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b)
	t.Cleanup(cancel)
	p := &tab{ctx: ctx}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(v.width, v.height)))
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, "exception: "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			p.complaints = append(p.complaints, fmt.Sprintf("console: %s %v", e.Type, e.Args))
		case *log.EventEntryAdded:
			p.complaints = append(p.complaints, fmt.Sprintf("log: %s %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text))
		}
	}))
	require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		media := emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}},
		}
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media); err != nil || v.deficiency == "" {
			return err
		}
		_, err := cdp.Call(
			ctx, t, emulation.SetEmulatedVisionDeficiency, emulation.SetEmulatedVisionDeficiencyParams{Type: v.deficiency},
		)
		return err
	})))
	return p
}

// goTo opens another page, and forgets what the one before complained of.
func (p *tab) goTo(t *testing.T, address string) {
	t.Helper()
	p.mu.Lock()
	p.complaints = nil
	p.mu.Unlock()
	_, err := chromedp.Run(p.ctx, chromedp.Navigate(address))
	require.NoError(t, err)
}

func (p *tab) complained() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.complaints...)
}

func evaluate[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return value
}

func (p *tab) shows(t *testing.T, text string) {
	t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.PollFunction[bool](`text => document.body.innerText.includes(text)`,
		chromedp.WithPollingArgs(text), chromedp.WithPollingTimeout(patience)))
	require.NoError(t, err, text)
}

// picture keeps what the page looks like, with SCREENSHOTS set to a folder.
func (p *tab) picture(t *testing.T, name string) {
	t.Helper()
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		data, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600))
	}
}

// faults are what a reader would see go wrong: the page is wider than the screen, a chart has no size or a text in one
// is cut off or covers another.
const faults = `(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' wide on a screen of ' + innerWidth);
  const charts = [...document.querySelectorAll('svg')];
  if (charts.length !== 4) faults.push(charts.length + ' charts');
  for (const chart of charts) {
    const title = chart.querySelector('title').textContent;
    const box = chart.getBoundingClientRect();
    if (box.width < 240 || box.height < 120 || box.left < 0 || box.right > innerWidth) faults.push(title + ' is ' + box.width + ' by ' + box.height);
    const texts = [...chart.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect(), size: text.getBoundingClientRect().height }));
    texts.forEach((a, i) => {
      if (a.box.left < box.left || a.box.right > box.right + 1 || a.box.top < box.top || a.box.bottom > box.bottom + 3) faults.push(title + ': "' + a.text + '" is cut off');
      if (a.size < 9.5) faults.push(title + ': "' + a.text + '" is too small: ' + a.size);
      for (const b of texts.slice(i + 1)) {
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (wide > 0.5 && high > a.size * 0.35) faults.push(title + ': "' + a.text + '" covers "' + b.text + '"');
      }
    });
    for (const path of chart.querySelectorAll('path.line')) {
      if (getComputedStyle(path).fill !== 'none') faults.push(title + ': a line is filled');
    }
  }
  return faults;
})()`

func TestPageInABrowser(t *testing.T) {
	b := startBrowser(t)
	reports := map[string]watchparty.ActivityReport{
		"week":             sample("2026-03-02", 7),
		"quarter":          sample("2026-03-01", 92),
		"month":            sample("2026-01-01", 31),
		"nothing":          reportOf("2026-03-02", 7, quiet),
		"day":              sample("2026-03-02", 1),
		"nothing-in-a-day": reportOf("2026-03-02", 1, quiet),
		"fortnight":        sample("2026-11-19", 14),
		"late-week":        sample("2026-12-28", 7),
	}
	tabs := map[viewer]*tab{} // each takes as long to open as many pages
	for _, v := range viewers {
		tabs[v] = v.openTab(t, b)
	}
	for name, r := range reports {
		server := serve(t, r, same)
		watching := []viewer{desktop, narrow}
		if name == "week" || name == "quarter" {
			watching = viewers
		}
		for _, v := range watching {
			t.Run(name+" "+v.name, func(t *testing.T) {
				p := tabs[v]
				for _, address := range []string{"/plain", web.Reports + "#token=" + token} {
					p.goTo(t, server.URL+address)
					p.shows(t, "Activity, "+Period(watchparty.English, r))
					require.True(t, evaluate[bool](t, p, `matchMedia('(prefers-color-scheme: `+v.scheme+`)').matches`))
					require.Empty(t, evaluate[[]string](t, p, faults))
					require.Empty(t, p.complained())
					p.picture(t, name+"-"+v.name)
					evaluate[bool](t, p, `document.querySelector('details').open = true`)
					require.Empty(t, evaluate[[]string](t, p, faults), "with the table of all days")
					p.picture(t, name+"-"+v.name+"-open")
				}
			})
		}
	}
}

// TestThePolicyIsInForce: the browser blocks and reports what the policy forbids, so the tests above can fail.
func TestThePolicyIsInForce(t *testing.T) {
	server := serve(
		t,
		sample("2026-03-02", 7),
		func(fragment string) string { return `<p style="color:red">x</p>` + fragment },
	)
	p := desktop.open(t, startBrowser(t), server.URL+"/plain")
	p.shows(t, "Activity")
	require.Eventually(t, func() bool { return len(p.complained()) > 0 }, patience, 10*time.Millisecond)
	require.Contains(t, p.complained()[0], "Content Security Policy")
}

func TestReportsPage(t *testing.T) {
	b := startBrowser(t)
	r := sample("2026-03-02", 7)
	server := serve(t, r, same)

	t.Run("offers the CSV", func(t *testing.T) {
		dir := t.TempDir()
		p := desktop.open(t, b, server.URL+web.Reports+"#token="+token)
		p.shows(t, "Download the days as CSV")
		require.Equal(t, "Activity, 2–8 March 2026 · WatchParty", evaluate[string](t, p, "document.title"))
		require.NoError(t, chromedp.Do(p.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
				Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
			})
			return err
		})))
		_, err := chromedp.Run(p.ctx, chromedp.Click(chromedp.CSS("a[download]")))
		require.NoError(t, err)
		want, err := CSV(r)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			got, err := os.ReadFile(filepath.Join(dir, "activity.csv"))
			return err == nil && string(got) == string(want)
		}, patience, 20*time.Millisecond)
		require.Empty(t, p.complained())
	})
	t.Run("says that a link is not valid, and may try again", func(t *testing.T) {
		p := narrow.open(t, b, server.URL+web.Reports+"#token=other")
		p.shows(t, "The link is not valid.")
		p.shows(t, "Show the report")
		p.picture(t, "reports-refused")
	})
	t.Run("says that a link is incomplete", func(t *testing.T) {
		p := narrow.open(t, b, server.URL+web.Reports)
		p.shows(t, "This link is incomplete.")
	})
}
