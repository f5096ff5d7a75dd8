package inbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxMails     = 5000
	maxTotalSize = 512 << 20

	extension = ".eml"
	idLength  = 16 // hexadecimal digits of a time in nanoseconds
)

var errNotFound = errors.New("message not found")

// mailbox keeps emails as files, and what lists show of them in memory.
type mailbox struct {
	dir      string
	maxMails int

	mu     sync.RWMutex
	emails []*entry // oldest first
	size   int64
}

// entry is what a list shows of one email.
type entry struct {
	id      string
	created time.Time
	size    int64
	read    bool
	mail    mail // without the bodies
}

func openMailbox(dir string) (*mailbox, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the inbox folder: %w", err)
	}
	files, err := os.ReadDir(dir) // sorted by name, so by time
	if err != nil {
		return nil, fmt.Errorf("read the inbox folder: %w", err)
	}
	b := &mailbox{dir: dir, maxMails: maxMails}
	for _, file := range files {
		id, isMail := strings.CutSuffix(file.Name(), extension)
		created, valid := timeOf(id)
		if !isMail || !valid {
			continue
		}
		raw, err := os.ReadFile(b.path(id))
		if err != nil {
			return nil, fmt.Errorf("read a stored email: %w", err)
		}
		b.append(id, created, raw)
	}
	b.evict()
	return b, nil
}

// add stores an email. It is on disk under its final name when add returns.
func (b *mailbox) add(e envelope, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	created := time.Now().UTC()
	if n := len(b.emails); n > 0 && !created.After(b.emails[n-1].created) {
		created = b.emails[n-1].created.Add(1)
	}
	id := fmt.Sprintf("%0*x", idLength, created.UnixNano())
	raw := withEnvelope(e, created, body)
	if err := b.write(id, raw); err != nil {
		return err
	}
	b.append(id, created, raw)
	b.evict()
	return nil
}

func (b *mailbox) write(id string, raw []byte) error {
	// The name has no extension yet, so that an email that is incomplete after a crash is not listed.
	incoming := filepath.Join(b.dir, "incoming")
	if err := os.WriteFile(incoming, raw, 0o644); err != nil {
		return fmt.Errorf("store the email: %w", err)
	}
	if err := os.Rename(incoming, b.path(id)); err != nil {
		return fmt.Errorf("store the email: %w", err)
	}
	return nil
}

func (b *mailbox) append(id string, created time.Time, raw []byte) {
	b.emails = append(b.emails, &entry{
		id: id, created: created, size: int64(len(raw)), mail: parse(raw).withoutBodies(),
	})
	b.size += int64(len(raw))
}

// evict removes the oldest emails beyond the limits. If a file cannot be removed, it only leaves the list.
func (b *mailbox) evict() {
	for len(b.emails) > b.maxMails || b.size > maxTotalSize {
		oldest := b.emails[0]
		_ = os.Remove(b.path(oldest.id))
		b.size -= oldest.size
		b.emails = slices.Delete(b.emails, 0, 1)
	}
}

// list returns copies of up to limit emails after the start newest ones, and how many there are and are unread.
func (b *mailbox) list(start, limit int) (page []entry, total, unread int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, e := range b.emails {
		if !e.read {
			unread++
		}
	}
	for i := len(b.emails) - 1 - start; i >= 0 && len(page) < limit; i-- {
		page = append(page, *b.emails[i])
	}
	return page, len(b.emails), unread
}

// open marks an email as read and returns it with its body. The ID "latest" stands for the newest one.
func (b *mailbox) open(id string) (entry, []byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.index(id)
	if i < 0 {
		return entry{}, nil, errNotFound
	}
	found := b.emails[i]
	raw, err := os.ReadFile(b.path(found.id))
	if err != nil {
		return entry{}, nil, fmt.Errorf("read a stored email: %w", err)
	}
	found.read = true
	whole := *found
	whole.mail = parse(raw)
	return whole, raw, nil
}

// remove deletes the emails with these IDs; unknown IDs are skipped.
func (b *mailbox) remove(ids []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.removeIf(func(e *entry) bool { return slices.Contains(ids, e.id) })
}

func (b *mailbox) removeAll() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.removeIf(func(*entry) bool { return true })
}

func (b *mailbox) removeIf(condition func(*entry) bool) error {
	var failed error
	b.emails = slices.DeleteFunc(b.emails, func(e *entry) bool {
		if !condition(e) {
			return false
		}
		if err := os.Remove(b.path(e.id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
			return false
		}
		b.size -= e.size
		return true
	})
	return failed
}

func (b *mailbox) index(id string) int {
	if id == "latest" {
		return len(b.emails) - 1
	}
	return slices.IndexFunc(b.emails, func(e *entry) bool { return e.id == id })
}

func (b *mailbox) path(id string) string { return filepath.Join(b.dir, id+extension) }

func timeOf(id string) (time.Time, bool) {
	nanoseconds, err := strconv.ParseInt(id, 16, 64)
	return time.Unix(0, nanoseconds).UTC(), err == nil && len(id) == idLength
}

func withEnvelope(e envelope, received time.Time, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", e.from)
	for _, to := range e.to {
		fmt.Fprintf(&b, "%s: %s\r\n", envelopeHeader, to)
	}
	fmt.Fprintf(&b, "Received: by localhost with ESMTP; %s\r\n", received.Format(time.RFC1123Z))
	b.Write(body)
	return b.Bytes()
}
