package coherence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A renewal of the tables below, in milliseconds.
type renewalStep struct {
	wanted         bool
	sent, answered time.Duration
	snapshot       Snapshot
	end            time.Duration // of the lease afterwards; 0 for none
}

func TestLease(t *testing.T) {
	t.Parallel()
	timing := Timing{Lease: 1000, List: 500}
	quiet := Snapshot{Oldest: 10, Next: 10}
	busy := Snapshot{Oldest: 7, Next: 10, Running: []uint64{7, 9}}
	tests := map[string][]renewalStep{
		"is given when writers know of it": {
			{true, 0, 5, quiet, 0},
			{true, 505, 506, quiet, 0},    // not longer than List after the answer to the first
			{true, 506, 507, quiet, 0},    // this snapshot has those that may not know
			{true, 530, 532, quiet, 1530}, // and none is running
			{true, 730, 735, busy, 1730},
		},
		"waits for transactions that run": {
			{true, 0, 5, quiet, 0},
			{true, 600, 605, busy, 0},
			{true, 700, 705, busy, 0},
			{true, 800, 805, Snapshot{Oldest: 7, Next: 12, Running: []uint64{7, 11}}, 0},
			{true, 900, 905, Snapshot{Oldest: 9, Next: 12, Running: []uint64{9, 11}}, 0},
			{true, 1000, 1005, Snapshot{Oldest: 11, Next: 12, Running: []uint64{11}}, 2000},
		},
		"begins anew after an answer that came when it had ended": {
			{true, 0, 5, quiet, 0},
			{true, 600, 605, quiet, 0},
			{true, 700, 705, quiet, 1700},
			{true, 800, 1699, quiet, 1800},
			{true, 1750, 1800, quiet, 0},
			{true, 2300, 2301, quiet, 0},
			{true, 2301, 2302, quiet, 0},
			{true, 2310, 2311, quiet, 3310},
		},
		"begins anew after a late answer while it waits": {
			{true, 0, 5, quiet, 0},
			{true, 600, 605, quiet, 0},
			{true, 700, 1600, quiet, 0},
			{true, 1650, 1651, quiet, 0},
			{true, 2101, 2102, quiet, 0},
			{true, 2110, 2111, quiet, 3110},
		},
		"is given back": {
			{true, 0, 5, quiet, 0},
			{true, 600, 605, quiet, 0},
			{true, 700, 705, quiet, 1700},
			{false, 800, 805, quiet, 0},
			{true, 900, 905, quiet, 0},
			{true, 1405, 1406, quiet, 0},
			{true, 1406, 1407, quiet, 0},
			{true, 1410, 1411, quiet, 2410},
		},
		"is not wanted": {{false, 0, 5, quiet, 0}, {false, 1000, 1005, quiet, 0}, {false, 2000, 2005, quiet, 0}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lease{timing: timing}
			for i, s := range steps {
				l.want(s.wanted)
				require.Equal(t, s.end, l.renew(s.sent, s.answered, s.snapshot), "step %d", i)
			}
		})
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	p := peers{timing: Timing{Lease: 1000, List: 500}}
	require.False(t, p.current(0), "before the first answer")
	update := func(sent, answered time.Duration, rows ...Row) { p.update("self", rows, sent, answered) }

	self, reader := Row{Process: "self", Turn: 1, Reads: true}, Row{Process: "reader", Turn: 1, Reads: true}
	update(100, 110, self, reader, Row{Process: "writer", Turn: 1, Deaf: true})
	require.Equal(t, []string{"reader"}, p.readers())
	require.True(t, p.anyDeaf())
	require.True(t, p.current(599))
	require.False(t, p.current(600))

	update(1109, 1120, self, reader)
	require.Equal(t, []string{"reader"}, p.readers(), "its turn was first seen less than Lease ago")
	require.False(t, p.anyDeaf())
	update(1110, 1125, self, reader)
	require.Empty(t, p.readers(), "its turn has not changed for as long as a lease is in force")

	reader.Turn, reader.Deaf = 2, true
	update(1200, 1210, self, reader)
	require.Equal(t, []string{"reader"}, p.readers(), "it lives")
	require.True(t, p.anyDeaf())
	update(2210, 2220, self, reader)
	require.Empty(t, p.readers())
	require.False(t, p.anyDeaf(), "the dead do not count")

	reader.Turn, reader.Reads = 3, false
	update(2300, 2310, self, reader)
	require.Empty(t, p.readers(), "it reads no cached data")
	require.Empty(t, p.gone(2310+KeepTime-1))
	require.Equal(t, []Row{reader}, p.gone(2310+KeepTime))
	update(2400, 2410, self)
	require.Empty(t, p.rows)
}
