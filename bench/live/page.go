package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/watchparty/watchparty/demo/clip"
)

// Page is /watch in a browser of its own.
type Page struct {
	Ctx context.Context //nolint:containedctx // it is the browser's tab, for chromedp

	host   string
	cancel []func()
}

// OpenBrowser starts a browser that reaches the service with the name host at an address.
func OpenBrowser(ctx context.Context, host, address string, more ...chromedp.ExecAllocatorOption) (*Page, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("autoplay-policy", "document-user-activation-required"),
		chromedp.Flag("host-resolver-rules", "MAP "+host+" "+address),
		chromedp.WSURLReadTimeout(startTime),
	)
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(ctx), append(options, more...)...)
	return openTab(allocator, host, stop)
}

// NewTab opens another tab of the browser, which Close ends alone.
func (p *Page) NewTab() (*Page, error) { return openTab(p.Ctx, p.host, func() {}) }

func openTab(parent context.Context, host string, stop func()) (*Page, error) {
	tab, end := chromedp.NewContext(parent)
	p := &Page{Ctx: tab, host: host, cancel: []func(){end, stop}}
	if err := chromedp.Do(tab); err != nil {
		p.Close()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	return p, nil
}

// Close ends the tab, and the browser if it is its first one.
func (p *Page) Close() {
	for _, cancel := range p.cancel {
		cancel()
	}
}

// GoTo opens a path of the service.
func (p *Page) GoTo(path string) error {
	_, err := chromedp.Run(p.Ctx, chromedp.Navigate("http://"+p.host+path))
	return err
}

const (
	// gestureTime bounds a gesture, with the wait for what it is made on.
	gestureTime = time.Minute
	// gestureTry bounds one attempt: the page may put another element in the place of the one that was found.
	gestureTry = 10 * time.Second
)

// Press clicks the button with that text or name, when it is there.
func (p *Page) Press(name string) error {
	const find = `(name) => {
		const named = (b) =>
			(b.getAttribute('aria-label') ?? b.textContent) === name && !b.disabled && b.checkVisibility();
		const scope = document.querySelector('dialog[open]') ?? document;
		document.querySelector('[data-pressed]')?.removeAttribute('data-pressed');
		const button = [...scope.querySelectorAll('button')].find(named);
		button?.setAttribute('data-pressed', '');
		button?.focus(); // some buttons are visible only on hover or focus
		return Boolean(button);
	}`
	var err error
	for deadline := time.Now().Add(gestureTime); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(p.Ctx, gestureTry)
		_, err = chromedp.Run(ctx, chromedp.PollFunction[bool](find, chromedp.WithPollingArgs(name)))
		if err == nil {
			_, err = chromedp.Run(ctx, chromedp.Click(chromedp.CSS("[data-pressed]")))
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("press %q: %w", name, err)
}

// Shows waits until the page has a text.
func (p *Page) Shows(text string) error {
	_, err := chromedp.Run(p.Ctx, chromedp.PollFunction[bool](`text => document.body.innerText.includes(text)`,
		chromedp.WithPollingArgs(text), chromedp.WithPollingTimeout(gatherTime)))
	if err != nil {
		seen, _ := chromedp.Run(p.Ctx, chromedp.Text(chromedp.CSS("body")))
		return fmt.Errorf("%q is not in %q: %w", text, seen, err)
	}
	return nil
}

// Write types into a field.
func (p *Page) Write(field, text string) error {
	ctx, cancel := context.WithTimeout(p.Ctx, gestureTime)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.SendKeys(chromedp.CSS(`[name="`+field+`"]`), text))
	return err
}

// Seek moves the slider.
func (p *Page) Seek(seconds int) error {
	_, err := chromedp.Run(p.Ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const slider = document.querySelector('.position');
		slider.value = %d;
		slider.dispatchEvent(new Event('input'));
		slider.dispatchEvent(new Event('change'));
		return true;
	})()`, seconds)))
	return err
}

// Record notes from now on which frame is shown when, as the pixels have it.
func (p *Page) Record() error {
	_, err := chromedp.Run(p.Ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const read = %s;
		window.frames_ = [];
		const video = document.querySelector('video');
		const note = (now, { expectedDisplayTime }) => {
			const shown = read(video);
			if (shown) frames_.push({ frame: shown.frame, at: performance.timeOrigin + expectedDisplayTime });
			if (frames_.length > 4000) frames_.shift();
			video.requestVideoFrameCallback(note);
		};
		video.requestVideoFrameCallback(note);
		window.shownNow = () => read(video)?.frame ?? -1;
		return true;
	})()`, clip.Script)))
	return err
}

// Frame is the number of a frame that a page has shown.
type Frame struct {
	Frame int     `json:"frame"`
	At    float64 `json:"at"` // milliseconds of this machine's clock, which all browsers have
}

// start returns when the clip would have begun if it had played without a stop until this frame was shown.
func (f Frame) start() float64 { return f.At - float64(f.Frame)*1000/clip.FramesPerSecond }

// Frames are those that were shown in the time before now.
func (p *Page) Frames(last time.Duration) ([]Frame, error) {
	return chromedp.Run(p.Ctx, chromedp.Evaluate[[]Frame](fmt.Sprintf(
		`frames_.filter(({ at }) => at > performance.timeOrigin + performance.now() - %d)`, last.Milliseconds())))
}

// Forget drops the frames that were recorded.
func (p *Page) Forget() error {
	_, err := chromedp.Run(p.Ctx, chromedp.Evaluate[int](`frames_.length = 0`))
	return err
}

// ShownNow is the number of the frame that is shown; -1 for none.
func (p *Page) ShownNow() (int, error) {
	return chromedp.Run(p.Ctx, chromedp.Evaluate[int](`shownNow()`))
}

// Apart is by how many milliseconds two pages are apart: the median of the differences of what they show at a time.
func Apart(a, b []Frame) float64 {
	middle := func(frames []Frame) float64 {
		starts := make([]float64, 0, len(frames))
		for _, f := range frames {
			starts = append(starts, f.start())
		}
		return Quantile(starts, 0.5)
	}
	return math.Abs(middle(a) - middle(b))
}

// errNoFrames: a page does not show what plays.
var errNoFrames = errors.New("a page shows no frames")

// pairs are by how many milliseconds each two of pages were apart, ten times a second, as long as all played.
func pairs(pages [][]Frame) (apart []float64, err error) {
	from, to := math.Inf(-1), math.Inf(1)
	for _, frames := range pages {
		if len(frames) == 0 {
			return nil, errNoFrames
		}
		from, to = max(from, frames[0].At), min(to, frames[len(frames)-1].At)
	}
	const step = 100
	for at := from; at <= to; at += step {
		var starts []float64
		for _, frames := range pages {
			i, found := slices.BinarySearchFunc(frames, at, func(f Frame, at float64) int { return cmp.Compare(f.At, at) })
			if !found {
				i--
			}
			starts = append(starts, frames[max(i, 0)].start())
		}
		apart = append(apart, spread(starts)...)
	}
	if len(apart) == 0 {
		return nil, errNoFrames
	}
	return apart, nil
}
