package live

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/devstack/badnet"
)

const (
	// pagesHost is the name of the service in browsers, each of which reaches it by a path of its own.
	pagesHost   = "watch.test"
	browsers    = 4
	browserPlay = 15 * time.Second // that is looked at after each command
	movieButton = "Rocket to the Moon2026 · 1 min"
	movieTitle  = "Rocket to the Moon"
)

// pages measures real browsers, by the pixels that they show.
func (m *Measurement) pages(ctx context.Context) error {
	err := demo.Fill(ctx, m.system.Store, auth.NewPasswords(1, auth.OWASP), "http://"+pagesHost)
	if err != nil {
		return err
	}
	var opened []*Page
	for i := range browsers {
		path, err := badnet.NewPath(badnet.Fair(), m.system.Nodes[i%Nodes].Addr)
		if err != nil {
			return err
		}
		defer path.Close()
		p, err := OpenBrowser(ctx, pagesHost, path.Addr())
		if err != nil {
			return err
		}
		defer p.Close()
		opened = append(opened, p)
	}
	if err := openRoom(opened); err != nil {
		return err
	}
	var apart []float64
	for _, seconds := range []int{2, 30, 5, 28} {
		if err := opened[0].Seek(seconds); err != nil {
			return err
		}
		m.logf("a page seeks to %d s", seconds)
		if err := sleep(ctx, calmAfter); err != nil {
			return err
		}
		for _, p := range opened {
			if err := p.Forget(); err != nil {
				return err
			}
		}
		if err := sleep(ctx, browserPlay); err != nil {
			return err
		}
		all := make([][]Frame, len(opened))
		for i, p := range opened {
			if all[i], err = p.Frames(browserPlay); err != nil {
				return err
			}
		}
		some, err := pairs(all)
		if err != nil {
			return err
		}
		m.logf("apart: p50 %.0f ms, p95 %.0f ms", Quantile(some, 0.5), Quantile(some, 0.95))
		apart = append(apart, some...)
	}
	m.AtMost(fmt.Sprintf("two of %d pages in Chromium, by their pixels, 10 s after a seek, p95", browsers), near,
		Quantile(apart, 0.95), " ms")
	m.Figure("the same, p50", Quantile(apart, 0.5), " ms")
	return nil
}

// openRoom has the first page open a room and play a movie, and the others come.
func openRoom(opened []*Page) error {
	alice := opened[0]
	for _, step := range []func() error{
		func() error { return alice.GoTo("/watch") },
		func() error { return alice.Press("Alice") },
		func() error { return alice.Press("New room") },
		func() error { return alice.Write("name", "Measured") },
		func() error { return alice.Press("Open the room") },
		func() error { return alice.Shows("Nothing is playing yet.") },
		func() error { return alice.Press("Choose a movie") },
		func() error { return alice.Press(movieButton) },
		alice.seesMovie,
		alice.Record,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	link, err := chromedp.Run(alice.Ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	if err != nil {
		return err
	}
	var coming errgroup.Group
	for i, p := range opened[1:] {
		name := []string{"Bob", "Alice"}[i%2]
		coming.Go(func() error {
			if err := p.GoTo(link); err != nil {
				return err
			}
			if err := p.Press(name); err != nil {
				return err
			}
			if err := p.seesMovie(); err != nil {
				return fmt.Errorf("%s sees no movie: %w", name, err)
			}
			return p.Record()
		})
	}
	return coming.Wait()
}

// seesMovie waits until the page has something of a movie.
func (p *Page) seesMovie() error {
	_, err := chromedp.Run(p.Ctx, chromedp.PollFunction[bool](
		`() => Boolean(document.querySelector('video')?.videoWidth)`, chromedp.WithPollingTimeout(gatherTime)))
	return err
}
