package store

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadMarkersOfSeveralDevices: however many devices mark at once, the latest message counts.
func TestReadMarkersOfSeveralDevices(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	room := newRoom(t, s, ada, nil)
	var posted []string
	for range 12 {
		posted = append(posted, postMessage(t, s, room, ada, "hello").ID)
	}
	var wg sync.WaitGroup
	errs := make(chan error, len(posted))
	for _, id := range posted {
		wg.Go(func() { errs <- s.MarkRead(t.Context(), room.ID, ada.ID, id) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(
		t, slices.Max(posted), readValue[string](t, s, "SELECT message_id FROM read_markers WHERE user_id = ?", ada.ID),
	)
}
