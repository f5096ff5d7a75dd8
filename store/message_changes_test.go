package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/devstack/stacktest"
)

// follower is a reader that continues after the last change that it has seen.
type follower struct {
	s     *Store
	room  watchparty.Room
	after Keys
	seen  map[string]watchparty.Message // the last that they saw of each message
}

func newFollower(t *testing.T, s *Store, room watchparty.Room) *follower {
	t.Helper()
	last, err := s.LastMessageChange(t.Context(), room.ID)
	require.NoError(t, err)
	return &follower{s: s, room: room, after: last, seen: map[string]watchparty.Message{}}
}

// readOn reads all pages that there are, and returns how many changes they had.
func (f *follower) readOn(t *testing.T, limit int) int {
	t.Helper()
	for read := 0; ; {
		page, err := f.s.ChangedMessages(t.Context(), f.room.ID, Page{After: f.after, Limit: limit})
		require.NoError(t, err)
		if len(page) == 0 {
			return read
		}
		for _, m := range page {
			f.seen[m.ID] = m
		}
		last := page[len(page)-1]
		f.after = Keys{last.ChangedAt, last.ID}
		read += len(page)
	}
}

func TestMessageChanges(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room, other := newRoom(t, s, ada, nil), newRoom(t, s, ada, nil)
	first, second := postMessage(t, s, room, ada, "one"), postMessage(t, s, room, ada, "two")
	elsewhere := postMessage(t, s, other, ada, "elsewhere")
	edit := func(m watchparty.Message, body string) {
		t.Helper()
		_, err := s.EditMessage(t.Context(), m.ID, ada.ID, body)
		require.NoError(t, err)
	}
	f := newFollower(t, s, room)
	require.Zero(t, f.readOn(t, 10), "posting is no change")
	edit(second, "two.")
	edit(first, "one.")
	edit(elsewhere, "elsewhere.")
	require.Equal(t, 2, f.readOn(t, 1))
	require.Equal(t, "two.", f.seen[second.ID].Body)
	require.Equal(t, "one.", f.seen[first.ID].Body)
	late := newFollower(t, s, room)
	require.NoError(t, s.DeleteMessage(t.Context(), second.ID, ada.ID))
	require.Equal(t, 1, f.readOn(t, 10))
	require.False(t, f.seen[second.ID].DeletedAt.IsZero())
	require.Empty(t, f.seen[second.ID].Body)
	require.Equal(t, 1, late.readOn(t, 10), "what was before its first cursor is no news")

	t.Run("a clock that was set back", func(t *testing.T) {
		execute(t, s, "UPDATE messages SET updated_at = now() + interval '1 h' WHERE id = ?", second.ID)
		f.readOn(t, 10)
		edit(first, "one!")
		require.Equal(t, 1, f.readOn(t, 10))
		require.Equal(t, "one!", f.seen[first.ID].Body)
	})
}

// TestChangesCommitInOrder: while a change is not committed yet, a later one waits for it. A reader who saw the later
// one first would never see the other.
func TestChangesCommitInOrder(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	slow, fast := postMessage(t, s, room, ada, "slow"), postMessage(t, s, room, ada, "fast")
	f := newFollower(t, s, room)

	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var pid int
	require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
	require.NoError(t, blankMessage(withTags(t.Context()), tx, messageRow{ID: slow.ID, RoomID: room.ID}))
	done := make(chan error, 1)
	go func() {
		_, err := s.EditMessage(context.WithoutCancel(t.Context()), fast.ID, ada.ID, "fast.")
		done <- err
	}()
	require.Eventually(t, func() bool {
		const waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid)))"
		return readValue[bool](t, s, waiting, pid) || len(done) > 0
	}, 30*time.Second, 10*time.Millisecond)
	f.readOn(t, 10)
	require.NoError(t, tx.Commit())
	require.NoError(t, <-done)
	f.readOn(t, 10)
	require.False(t, f.seen[slow.ID].DeletedAt.IsZero())
	require.Equal(t, "fast.", f.seen[fast.ID].Body)
}

// TestFollowerMissesNoChange: a reader that always continues after the last change that it has seen has the final form
// of all messages, however many people edit and delete at once.
func TestFollowerMissesNoChange(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedURL(t)
	s := openStoreAt(t, url)
	stores := []*Store{s, openStoreAt(t, url)}
	room := newRoom(t, s, newUser(t, s, "host"), nil)
	const writers, each = 12, 6
	users, posted := make([]watchparty.User, writers), make([][]watchparty.Message, writers)
	for i := range users {
		users[i] = newUser(t, s, fmt.Sprint("user", i))
		joinRoom(t, s, room, users[i])
		for range each {
			posted[i] = append(posted[i], postMessage(t, s, room, users[i], "first"))
		}
	}
	f := newFollower(t, s, room)
	errs := make(chan error, writers*each*2)
	var wg sync.WaitGroup
	for i, user := range users {
		wg.Go(func() {
			for n, m := range posted[i] {
				_, err := stores[(i+n)%2].EditMessage(t.Context(), m.ID, user.ID, fmt.Sprint("edited ", n))
				errs <- err
				if n%3 == 0 {
					errs <- stores[i%2].DeleteMessage(t.Context(), m.ID, user.ID)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for more := true; more; {
		select {
		case <-done:
			more = false // one more look sees the rest
		default:
		}
		f.readOn(t, 5)
	}
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	stored, err := s.Messages(t.Context(), room.ID, Page{Limit: 2 * writers * each})
	require.NoError(t, err)
	require.Len(t, stored, writers*each)
	for _, m := range stored {
		known := f.seen[m.ID]
		require.Equal(t, []any{m.Body, m.DeletedAt}, []any{known.Body, known.DeletedAt}, m.ID)
	}
}
