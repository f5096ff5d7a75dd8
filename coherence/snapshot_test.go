package coherence

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSnapshot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Snapshot{
		"10:20:10,14,15": {Oldest: 10, Next: 20, Running: []uint64{10, 14, 15}},
		"10:10:":         {Oldest: 10, Next: 10, Running: []uint64{}},
		"1:18446744073709551615:": {
			Oldest: 1, Next: 18446744073709551615, Running: []uint64{},
		},
	} {
		s, err := ParseSnapshot(text)
		require.NoError(t, err, text)
		require.Equal(t, want, s)
		require.Equal(t, text, s.String())
		encoded, err := json.Marshal(Row{Seen: s})
		require.NoError(t, err)
		var row Row
		require.NoError(t, json.Unmarshal(encoded, &row))
		require.Equal(t, s, row.Seen, "in JSON")
	}
	for _, text := range []string{
		"", "10", "10:20", "10:20:30:40", "a:20:", "10:b:", "10:20:c", "10:20:11,", "-1:20:", "20:10:", "10:20:15,14",
		"1:18446744073709551616:",
	} {
		_, err := ParseSnapshot(text)
		require.Error(t, err, text)
		require.Error(t, new(Snapshot).UnmarshalText([]byte(text)), text)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	s := Snapshot{Oldest: 10, Next: 20, Running: []uint64{10, 14, 15}}
	for transaction, want := range map[uint64]bool{
		0: true, 9: true, 10: false, 11: true, 13: true, 14: false, 15: false, 16: true, 19: true, 20: false, 21: false,
	} {
		require.Equal(t, want, s.Ended(transaction), transaction)
	}
	require.False(t, Snapshot{}.Ended(0), "the zero snapshot is from before all transactions")
}
