package logging

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// calls counts writes.
type calls struct {
	mu   sync.Mutex
	n    int
	text bytes.Buffer
}

func (c *calls) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.text.Write(p)
}

func (c *calls) lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Count(c.text.Bytes(), []byte("\n"))
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	out := &calls{}
	b := NewBuffer(out)
	log := slog.New(b.Prompt(slog.NewTextHandler(b, nil))).With("part", "api").WithGroup("request")
	for range 10 {
		log.Info("a line", "key", "value")
	}
	require.Eventually(t, func() bool { return out.lines() == 10 }, 30*time.Second, time.Millisecond, "by themselves")
	require.Less(t, out.n, 10)
	log.Info("a line that waits")
	log.Warn("a warning")
	require.Equal(t, 12, out.lines(), "at once")
	log.Info("the last one")
	b.Flush()
	require.Equal(t, 13, out.lines())
	b.Flush()
	require.Equal(t, 13, out.lines())
}
