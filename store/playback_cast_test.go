package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

const movieAddress = "https://movies.example/metropolis.webm"

// newCommand is one of an idle room that has never played anything.
func newCommand(kind playback.Kind) playback.Command {
	return playback.Command{Kind: kind, ID: newID()}
}

// newLoad is a Load in a room that has played nothing.
func newLoad(source watchparty.Source) playback.Command {
	c := newCommand(playback.Load)
	c.Source = source
	return c
}

// identity is the holder, signed in.
func (c *cast) identity() auth.Identity {
	return auth.Identity{UserID: c.holder.ID, Username: c.holder.Username, SessionID: c.session}
}

// signedIn signs a user in.
func signedIn(t testing.TB, s *Store, user watchparty.User) auth.Identity {
	t.Helper()
	session := logIn(t, s, user, NewSession{TokenHash: []byte(newID()), TTL: time.Hour})
	return auth.Identity{UserID: user.ID, Username: user.Username, SessionID: session}
}

// addItem has the holder add an item to the queue.
func (c *cast) addItem() watchparty.QueueItem {
	c.t.Helper()
	item, err := c.s.AddToQueue(c.t.Context(), c.room.ID, c.identity(), watchparty.Source{StreamURL: movieAddress},
		IdempotencyKey{})
	require.NoError(c.t, err)
	return item
}

// loadItem has the holder load something if nothing is loaded, and returns the ID of the item.
func (c *cast) loadItem() string {
	c.t.Helper()
	was, err := c.s.Playback(c.t.Context(), c.room.ID)
	require.NoError(c.t, err)
	if was.Status != playback.Idle {
		return was.Item.ID
	}
	load := newLoad(watchparty.Source{StreamURL: movieAddress})
	load.Epoch = was.Epoch
	answer, err := c.s.ApplyPlaybackCommand(c.t.Context(), c.room.ID, c.identity(), load)
	require.NoError(c.t, err)
	return answer.Item.ID
}

func renewLease(t testing.TB, s *Store, nodeID string) {
	t.Helper()
	require.NoError(t, s.RenewLease(t.Context(), nodeID))
}

// connect makes a connection of a user in the room, of a process of its own.
func (c *cast) connect(user watchparty.User) (nodeID, connID string) {
	c.t.Helper()
	nodeID, connID = newID(), newID()
	renewLease(c.t, c.s, nodeID)
	_, err := c.s.AddConnection(c.t.Context(), nodeID, connID, c.room.ID, signedIn(c.t, c.s, user))
	require.NoError(c.t, err)
	return nodeID, connID
}
