package logging

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// bufferSize is how much is written at once, in bytes.
	bufferSize = 64 << 10
	// flushAfter is how long a line may wait.
	flushAfter = 100 * time.Millisecond
)

// Buffer writes many lines with one call. A line waits for at most 100 ms, and what is as grave as a warning for
// nothing. A process that is killed loses the lines that wait.
type Buffer struct {
	mu    sync.Mutex
	w     *bufio.Writer
	timer *time.Timer
	due   bool // whether the timer runs
}

// NewBuffer returns a buffer before w. Flush it at the end.
func NewBuffer(w io.Writer) *Buffer {
	b := &Buffer{w: bufio.NewWriterSize(w, bufferSize)}
	b.timer = time.AfterFunc(time.Hour, b.Flush)
	b.timer.Stop()
	return b
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.due {
		b.due = true
		b.timer.Reset(flushAfter)
	}
	return b.w.Write(p)
}

// Flush writes all that waits.
func (b *Buffer) Flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due = false
	b.timer.Stop()
	_ = b.w.Flush() // the writers of the lines do not wait for it
}

// Prompt returns a handler that flushes the buffer, which h writes to, after a warning and worse.
func (b *Buffer) Prompt(h slog.Handler) slog.Handler { return prompt{h, b} }

type prompt struct {
	slog.Handler

	buffer *Buffer
}

func (p prompt) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		p.buffer.Flush()
	}
	return err
}

// WithAttrs keeps flushing.
func (p prompt) WithAttrs(attrs []slog.Attr) slog.Handler {
	return prompt{p.Handler.WithAttrs(attrs), p.buffer}
}

// WithGroup keeps flushing.
func (p prompt) WithGroup(name string) slog.Handler {
	return prompt{p.Handler.WithGroup(name), p.buffer}
}
