package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// takeAll takes connections for a kind until it may have no more, and at most so many, and returns how many it got.
func takeAll(s *shares, k *kind, most int) (taken int) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for taken < most && s.acquire(over, k) == nil {
		taken++
	}
	return taken
}

// TestKindsNeverHaveAllConnections: however many kinds wait for locks, with whatever size of pool, another kind has a
// connection.
func TestKindsNeverHaveAllConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, reserve int }{{2, 1}, {3, 1}, {4, 1}, {9, 3}, {10, 3}, {20, 6}, {1000, 333}} {
		for _, kinds := range []int{1, 2, 3, 8, 2000} {
			s := newShares(c.size)
			held, taken := make([]*kind, kinds), 0
			for i := range held {
				held[i] = &kind{heldUp: true}
				taken += takeAll(s, held[i], (c.size+2)/3)
			}
			require.LessOrEqual(t, taken, c.size-c.reserve)
			require.True(t, kinds < 3 || taken == c.size-c.reserve, "they have the rest")
			other := &kind{}
			require.Equal(t, 1, min(takeAll(s, other, c.size), 1), "%d connections, %d kinds", c.size, kinds)
			s.release(other, 0)
			require.Equal(t, 1, min(takeAll(s, other, c.size), 1), "again")
		}
	}
	s := newShares(1)
	require.Equal(t, 1, takeAll(s, &kind{heldUp: true}, 1), "one connection has no reserve")
}

// TestReserve: a kind takes one connection of the reserve at a time, and none after it was held up.
func TestReserve(t *testing.T) {
	t.Parallel()
	s := newShares(9)
	locked, other := &kind{}, &kind{}
	require.Equal(t, 6, takeAll(s, locked, 9))
	require.Equal(t, 1, takeAll(s, other, 9))
	s.release(other, heldUpTime-1)
	require.Equal(t, 1, takeAll(s, other, 9))
	s.release(other, heldUpTime)
	require.Zero(t, takeAll(s, other, 9))
	s.release(locked, 2*heldUpTime)
	require.Equal(t, 1, takeAll(s, other, 9), "what is not of the reserve is for all")
	s.release(other, 0)
	require.Equal(t, 1, takeAll(s, locked, 9))
	require.Equal(t, 1, takeAll(s, other, 9), "it is held up no more")
}

// TestClaimsWait: the oldest claim that may have a connection gets it, and one that has given up leaves it to others.
func TestClaimsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShares(3)
		first, second := &kind{}, &kind{}
		require.Equal(t, 2, takeAll(s, first, 3))
		require.Equal(t, 1, takeAll(s, second, 3))
		granted := make(chan string, 3)
		wait := func(ctx context.Context, k *kind, name string) {
			go func() {
				if s.acquire(ctx, k) == nil {
					granted <- name
				}
			}()
			synctest.Wait()
		}
		impatient, giveUp := context.WithCancel(t.Context())
		wait(impatient, first, "gives up")
		wait(t.Context(), first, "first kind")
		wait(t.Context(), second, "second kind")
		giveUp()
		synctest.Wait()
		s.release(second, 0)
		require.Equal(t, "second kind", <-granted, "the connection is of the reserve")
		s.release(first, time.Hour)
		synctest.Wait()
		require.Empty(t, granted)
		s.release(second, 0)
		require.Equal(t, "first kind", <-granted)
		s.release(first, 0)
		s.release(first, 0)
		require.Equal(t, 3, s.free)
		require.Zero(t, s.waiting.Len())
	})
}
