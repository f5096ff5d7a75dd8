package clip_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/demo/clip"
)

// openPage opens a page beside the clips in a real browser.
func openPage(t *testing.T, clips map[string][]byte) context.Context {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<body style="margin: 0"><video muted></video>`)
	})
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/webm")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(clips[r.PathValue("name")]))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute)) // a busy machine starts it late
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(clip.Width, clip.Height)))
	_, err := chromedp.Run(ctx, chromedp.Navigate(server.URL))
	require.NoError(t, err)
	return ctx
}

// evaluate waits for what a script promises.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return value
}

// TestClipsPlay: a browser plays each clip, and shows the right frame wherever it is sent.
func TestClipsPlay(t *testing.T) {
	t.Parallel()
	clips := map[string][]byte{}
	for _, c := range clip.Clips() {
		clips[c.Name] = c.Encode()
		require.Less(t, len(clips[c.Name]), 1_000_000, c.Name)
	}
	ctx := openPage(t, clips)
	evaluate[bool](t, ctx, fmt.Sprintf(`
		window.read = %s;
		window.video = document.querySelector('video');
		window.once = (name) => new Promise((resolve, reject) => {
			video.addEventListener(name, resolve, { once: true });
			video.addEventListener('error', () => reject(video.error), { once: true });
		});
		window.nextFrame = () => new Promise((resolve) => video.requestVideoFrameCallback((_, frame) => resolve(frame)));
		// A browser that is busy may show the frame of a seek after it has said 'seeked'.
		window.seek = async (time) => {
			let frame = nextFrame();
			video.currentTime = time;
			while (Math.abs((await frame).mediaTime - time) > 1 / %v) frame = nextFrame();
			return read(video);
		};
		true`, clip.Script, clip.FramesPerSecond))
	type shown struct{ Clip, Frame int }
	for number, c := range clip.Clips() {
		duration := evaluate[float64](t, ctx, fmt.Sprintf(
			`(async () => { const done = once('loadeddata'); video.src = '/%s'; await done; return video.duration })()`, c.Name))
		require.InDelta(t, clip.Seconds, duration, 0.001)
		for _, frame := range []int{0, 1, 95, 96, 97, 700, 1234, 1000, clip.Frames - 1} {
			got := evaluate[*shown](t, ctx, fmt.Sprintf(`seek(%v)`, (float64(frame)+0.5)/clip.FramesPerSecond))
			require.Equal(t, &shown{number, frame}, got, c.Name)
		}
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			evaluate[*shown](t, ctx, `seek(27.01)`)
			data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "clip-"+c.Name+".png"), data, 0o600))
		}
		// A browser that is busy may be late with some of the frames, but not with all of them.
		progress := evaluate[float64](t, ctx, `(async () => {
			await seek(10);
			await video.play();
			let frame, least = Infinity;
			do {
				frame = await nextFrame();
				if (frame.mediaTime > 10.5) least = Math.min(least, Math.abs(read(video).frame / 24 - frame.mediaTime));
			} while (frame.mediaTime < 11);
			video.pause();
			return least;
		})()`)
		require.InDelta(t, 0, progress, 0.2, "%s plays what its frames say", c.Name)
	}
}

// TestClipsSound: the browser decodes the tone, and it is where it should be.
func TestClipsSound(t *testing.T) {
	t.Parallel()
	c := clip.Clips()[0]
	ctx := openPage(t, map[string][]byte{c.Name: c.Encode()})
	type heard struct{ Seconds, First, Second, Pause float64 }
	got := evaluate[heard](t, ctx, fmt.Sprintf(`(async () => {
		const bytes = await (await fetch('/%s')).arrayBuffer();
		const sound = await new OfflineAudioContext(1, 24000, 24000).decodeAudioData(bytes);
		const samples = sound.getChannelData(0);
		// The power at the frequency of the tone that is on each full second.
		const power = (from, length) => {
			let a = 0, b = 0;
			for (let n = 0; n < length * 24000; n++) {
				const phase = 2 * Math.PI * 1760 * n / 24000;
				a += samples[Math.round(from * 24000) + n] * Math.cos(phase);
				b += samples[Math.round(from * 24000) + n] * Math.sin(phase);
			}
			return Math.hypot(a, b) / (length * 24000);
		};
		return { seconds: sound.duration, first: power(7, 0.05), second: power(41, 0.05), pause: power(41.5, 0.05) };
	})()`, c.Name))
	require.InDelta(t, clip.Seconds, got.Seconds, 0.1)
	require.Greater(t, got.First, 0.01)
	require.InEpsilon(t, got.First, got.Second, 0.3)
	require.Less(t, got.Pause, got.Second/10)
}
