package coherence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Snapshot says which transactions of Postgres had ended at a moment: those with an ID below Next that are not in Running.
// The zero Snapshot is from before all transactions.
type Snapshot struct {
	Oldest  uint64   // all transactions below had ended
	Next    uint64   // the first ID that no transaction that had ended has
	Running []uint64 // in ascending order; between Oldest and Next
}

// ParseSnapshot reads the text of a pg_snapshot, xmin:xmax:xip_list.
// Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
func ParseSnapshot(text string) (Snapshot, error) {
	var s Snapshot
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("coherence: %q is not a snapshot", text)
	}
	numbers := parts[:2]
	if parts[2] != "" {
		numbers = append(numbers, strings.Split(parts[2], ",")...)
	}
	ids := make([]uint64, len(numbers))
	for i, number := range numbers {
		id, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return s, fmt.Errorf("coherence: %q is not a snapshot", text)
		}
		ids[i] = id
	}
	s.Oldest, s.Next, s.Running = ids[0], ids[1], ids[2:]
	if s.Oldest > s.Next || !slices.IsSorted(s.Running) {
		return Snapshot{}, fmt.Errorf("coherence: %q is not a snapshot", text)
	}
	return s, nil
}

// String is the text that ParseSnapshot reads.
func (s Snapshot) String() string {
	b := strconv.AppendUint(nil, s.Oldest, 10)
	b = append(b, ':')
	b = strconv.AppendUint(b, s.Next, 10)
	b = append(b, ':')
	for i, id := range s.Running {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, id, 10)
	}
	return string(b)
}

// Ended reports whether a transaction had ended. What it did, if it was committed, is in all data that was read at the
// snapshot or later.
func (s Snapshot) Ended(transaction uint64) bool {
	if transaction < s.Oldest {
		return true
	}
	if transaction >= s.Next {
		return false
	}
	_, running := slices.BinarySearch(s.Running, transaction)
	return !running
}
