// Package logging keeps logs short while something fails repeatedly.
package logging

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Interval is the shortest time between two equal messages.
const Interval = time.Minute

// Sparse returns a logger that writes the same message at most once an interval: the first one at once, and at the end
// of the interval the latest one, with the number of suppressed messages as the attribute "repeated". Messages are the
// same if they have the same level, text, and attributes with these keys. Messages below level are always written. For
// a nil logger it returns nil.
func Sparse(log *slog.Logger, level slog.Level, keys ...string) *slog.Logger {
	if log == nil {
		return nil
	}
	return slog.New(&sparse{Handler: log.Handler(), level: level, keys: keys, seen: &seen{latest: map[string]*entry{}}})
}

type sparse struct {
	slog.Handler

	level slog.Level
	keys  []string
	mark  string // the logger's own attributes with the keys
	seen  *seen
}

// seen has the messages of the interval. Loggers that derive from one another share it.
type seen struct {
	mu     sync.Mutex
	latest map[string]*entry
}

// entry is a message that was written in the interval, and the later ones like it.
type entry struct {
	record   slog.Record
	repeated int
}

// WithAttrs keeps the attributes that tell messages apart.
func (s *sparse) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *s
	derived.Handler = s.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		derived.mark += s.markOf(a)
	}
	return &derived
}

// WithGroup returns a handler whose attributes are in a group.
func (s *sparse) WithGroup(name string) slog.Handler {
	derived := *s
	derived.Handler = s.Handler.WithGroup(name)
	return &derived
}

func (s *sparse) markOf(a slog.Attr) string {
	if !slices.Contains(s.keys, a.Key) {
		return ""
	}
	return "\x00" + a.Key + "=" + a.Value.String()
}

// Handle writes the first message of an interval and counts the others.
func (s *sparse) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < s.level {
		return s.Handler.Handle(ctx, r)
	}
	var key strings.Builder
	key.WriteString(r.Level.String() + " " + r.Message + s.mark)
	r.Attrs(func(a slog.Attr) bool { key.WriteString(s.markOf(a)); return true })
	if s.count(key.String(), r) {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}

// count reports whether the message was already written in the interval.
func (s *sparse) count(key string, r slog.Record) bool {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if e := s.seen.latest[key]; e != nil {
		e.record = r.Clone()
		e.repeated++
		return true
	}
	s.seen.latest[key] = &entry{}
	time.AfterFunc(Interval, func() { s.end(key) })
	return false
}

// end writes the suppressed messages of the interval, and begins another one if there were any.
func (s *sparse) end(key string) {
	s.seen.mu.Lock()
	e := s.seen.latest[key]
	if e.repeated == 0 {
		delete(s.seen.latest, key)
		s.seen.mu.Unlock()
		return
	}
	s.seen.latest[key] = &entry{}
	time.AfterFunc(Interval, func() { s.end(key) })
	s.seen.mu.Unlock()
	e.record.AddAttrs(slog.Int("repeated", e.repeated))
	_ = s.Handler.Handle(context.Background(), e.record)
}
