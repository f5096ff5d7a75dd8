package store

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

// BenchmarkPlaybackCommand gives seeks to one room, from one caller and from eight at once.
func BenchmarkPlaybackCommand(b *testing.B) {
	s := openStore(b)
	host := newUser(b, s, "host")
	room := newRoom(b, s, host, nil)
	by := auth.Identity{UserID: host.ID, SessionID: logIn(b, s, host, NewSession{TokenHash: []byte("t"), TTL: time.Hour})}
	send := func(c playback.Command) {
		c.ID = newID()
		_, err := s.ApplyPlaybackCommand(b.Context(), room.ID, by, c)
		require.NoError(b, err)
	}
	send(newLoad(watchparty.Source{StreamURL: movieAddress}))
	var n atomic.Int64
	seek := func() {
		position := n.Add(1)
		send(playback.Command{Kind: playback.Seek, Epoch: 1, PositionMS: &position})
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			seek()
		}
	})
	b.Run("eight", func(b *testing.B) {
		b.SetParallelism(4) // of two cores
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				seek()
			}
		})
	})
	b.Run("versions of 2000 rooms", func(b *testing.B) {
		ids := make([]string, 2000)
		for i := range ids {
			ids[i] = newID()
		}
		execute(b, s, `INSERT INTO rooms (id, name, visibility, capacity, host_id)
			SELECT id, 'room', 'public', 9, ? FROM unnest(?::uuid[]) AS i (id)`, host.ID, pgdialect.Array(ids))
		execute(b, s, "INSERT INTO playbacks (room_id) SELECT id FROM rooms ON CONFLICT DO NOTHING")
		for b.Loop() {
			versions, err := s.LiveVersions(b.Context(), ids)
			require.NoError(b, err)
			require.Len(b, versions, len(ids))
		}
	})
}
