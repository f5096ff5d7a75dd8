package logging_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/logging"
)

// page is what a logger has written.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// take returns the lines since the last call.
func (p *page) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.TrimSpace(p.text.String())
	p.text.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func newLog(level slog.Level, keys ...string) (*page, *slog.Logger) {
	p := &page{}
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	return p, logging.Sparse(slog.New(slog.NewTextHandler(p, options)), level, keys...)
}

// passInterval lets the interval end.
func passInterval() {
	time.Sleep(logging.Interval) // of the test's own clock
	synctest.Wait()
}

func TestFlipsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := newLog(slog.LevelInfo)
		for range 2500 {
			log.Warn("Cache fails", "reason", "timeout")
			log.Info("Cache answers again")
		}
		require.Equal(
			t,
			[]string{`level=WARN msg="Cache fails" reason=timeout`, `level=INFO msg="Cache answers again"`},
			p.take(),
		)
		log.Warn("Cache fails", "reason", "refused")
		passInterval()
		require.ElementsMatch(t, []string{
			`level=WARN msg="Cache fails" reason=refused repeated=2500`, `level=INFO msg="Cache answers again" repeated=2499`,
		}, p.take())
		passInterval()
		require.Empty(t, p.take())
		log.Warn("Cache fails")
		require.Equal(
			t, []string{`level=WARN msg="Cache fails"`}, p.take(), "a new one after a quiet interval is logged at once",
		)
		passInterval()
		require.Empty(t, p.take())
	})
}

func TestMessagesThatDifferPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := newLog(slog.LevelWarn, "queue")
		log.Warn("waits", "queue", "email")
		log.Warn("waits", "queue", "avatar")
		log.With("queue", "maintenance").Warn("waits", "attempt", 1)
		log.With("queue", "maintenance").Warn("waits", "attempt", 2)
		log.Error("waits", "queue", "email")
		log.Info("runs")
		log.Info("runs")
		log.WithGroup("g").Warn("other")
		require.Len(t, p.take(), 7)
		passInterval()
		require.Equal(t, []string{"level=WARN msg=waits queue=maintenance attempt=2 repeated=1"}, p.take())
		passInterval()
	})
}

func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := newLog(slog.LevelInfo)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { log.Warn("fails") })
		}
		wg.Wait()
		require.Len(t, p.take(), 1)
		passInterval()
		require.Equal(t, []string{"level=WARN msg=fails repeated=49"}, p.take())
		passInterval()
	})
}
