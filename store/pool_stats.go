package store

import (
	"sync/atomic"
	"time"
)

// PoolStats are counts of the pool of connections.
type PoolStats struct {
	Used, Idle, Max int
	Acquired        int64         // connections that work has got
	Waited          int64         // times that work waited for one, for its turn or for a new one
	Wait            time.Duration // in total
	Refused         int64         // times that work got none
}

// counters are those of the pool that puddle does not have: it does not see waits for a turn.
type counters struct{ acquired, waited, wait, refused atomic.Int64 }

// noWait is the longest time to take a connection that is free.
const noWait = time.Millisecond

func (c *counters) count(took time.Duration) {
	c.acquired.Add(1)
	c.wait.Add(int64(took))
	if took > noWait {
		c.waited.Add(1)
	}
}

// PoolStats is cheap enough to be called at each scrape.
func (s *Store) PoolStats() PoolStats {
	stat, counted := s.pool.connections.Stat(), &s.pool.waits
	return PoolStats{
		Used: int(stat.AcquiredResources()), Idle: int(stat.IdleResources()), Max: int(stat.MaxResources()),
		Acquired: counted.acquired.Load(), Waited: counted.waited.Load(), Wait: time.Duration(counted.wait.Load()),
		Refused: counted.refused.Load(),
	}
}
