package coherence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// naiveLedger says the same as a Ledger in the plainest way.
type naiveLedger struct {
	changes []Change
	horizon uint64
	copies  []naiveCopy
}

type naiveCopy struct {
	tags []string
	void *atomic.Bool
	want bool
}

func (n *naiveLedger) fresh(s Snapshot, tags []string) bool {
	if s.Oldest <= n.horizon {
		return false
	}
	for _, c := range n.changes {
		if !s.Ended(c.Transaction) && slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(c.Tags, t) }) {
			return false
		}
	}
	return true
}

func (n *naiveLedger) add(c Change) {
	n.changes = append(n.changes, c)
	for i, kept := range n.copies {
		if slices.ContainsFunc(kept.tags, func(t string) bool { return slices.Contains(c.Tags, t) }) {
			n.copies[i].want = true
		}
	}
}

func randomSnapshot(r *rand.Rand) Snapshot {
	s := Snapshot{Oldest: r.Uint64N(30)}
	s.Next = s.Oldest
	for range r.IntN(4) {
		s.Running = append(s.Running, s.Next)
		s.Next += 1 + r.Uint64N(3)
	}
	s.Next += r.Uint64N(3)
	return s
}

func randomTags(r *rand.Rand) []string {
	var tags []string
	for _, tag := range []string{"a", "b", "c", "d"} {
		if r.IntN(2) == 0 {
			tags = append(tags, tag)
		}
	}
	return tags
}

// TestLedgerIsTheNaiveOne: random steps have the outcome that they have without lists in order, compaction and
// forgetting.
func TestLedgerIsTheNaiveOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		l, n := NewLedger(), &naiveLedger{}
		for step := range 200 {
			switch r.IntN(6) {
			case 0, 1:
				c := Change{Transaction: 1 + r.Uint64N(35), Tags: randomTags(r)}
				l.Add(c)
				n.add(c)
			case 2:
				if r.IntN(5) == 0 {
					l.Forget(r.Uint64N(30))
					n.horizon = max(n.horizon, l.horizon)
				}
			case 3:
				if r.IntN(100) == 0 {
					l.Reset()
					for i := range n.copies {
						n.copies[i].want = true
					}
					n.changes, n.horizon = nil, 0
				}
			case 4: // a copy is given up
				if len(n.copies) > 0 {
					given := &n.copies[r.IntN(len(n.copies))]
					given.void.Store(true)
					given.want = true
				}
			default:
				s, tags, void := randomSnapshot(r), randomTags(r), new(atomic.Bool)
				want := n.fresh(s, tags)
				require.Equal(t, want, l.Fresh(s, tags), "seed %d step %d", seed, step)
				require.Equal(t, want, l.Admit(s, tags, void), "seed %d step %d", seed, step)
				if want {
					n.copies = append(n.copies, naiveCopy{tags: tags, void: void})
				}
			}
			for _, c := range n.copies {
				require.Equal(t, c.want, c.void.Load() || len(c.tags) == 0 && c.want, "seed %d step %d", seed, step)
			}
		}
	}
}

func TestLedgerKeepsNothingOfTagsWithoutChangesAndCopies(t *testing.T) {
	t.Parallel()
	l := NewLedger()
	s := Snapshot{Oldest: 100, Next: 100}
	var voids []*atomic.Bool
	for i := range 10 * minCompact {
		void := new(atomic.Bool)
		require.True(t, l.Admit(s, []string{"shared", fmt.Sprint(i)}, void))
		voids = append(voids, void)
		if i%2 == 0 {
			void.Store(true)
		}
	}
	l.Add(Change{Transaction: 50, Tags: []string{"changed"}})
	l.Forget(49)
	require.Equal(t, 5*minCompact+2, l.Size())
	for _, void := range voids {
		void.Store(true)
	}
	l.Forget(50)
	require.Zero(t, l.Size())
}

// Reads of things that do not exist, say, must not fill the memory while no change is made and forgotten.
func TestLedgerIsBoundedWithoutChanges(t *testing.T) {
	t.Parallel()
	l := NewLedger()
	for i := range 100 * minCompactTags {
		void := new(atomic.Bool)
		require.True(t, l.Admit(Snapshot{Oldest: 1, Next: 1}, []string{fmt.Sprint(i)}, void))
		void.Store(true)
	}
	require.LessOrEqual(t, l.Size(), minCompactTags)
}

func TestListOfCopiesIsCompacted(t *testing.T) {
	t.Parallel()
	l := NewLedger()
	for range 1000 {
		void := new(atomic.Bool)
		require.True(t, l.Admit(Snapshot{Oldest: 1, Next: 1}, []string{"a"}, void))
		void.Store(true)
	}
	require.LessOrEqual(t, len(l.tags["a"].copies), minCompact+1)
}
