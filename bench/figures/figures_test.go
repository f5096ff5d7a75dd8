package figures

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	t.Parallel()
	var m Table
	m.AtMost("clock", 10, 9.54, " ms")
	m.AtMost("settled", 1, 1.98, " s")
	m.AtMost("lost", 0, 0, "")
	m.AtLeast("against the floor", 0.75, 0.8, "")
	m.AtLeast("against Express", 8, 7.96, " ×")
	m.Figure("p50", 0.25, " s")
	m.Text("| a |\n|---|\n")
	m.Plot("plots/seek.svg")
	require.Equal(t, `| | bar | measured | |
|---|---:|---:|---|
| clock | ≤ 10 ms | 9.54 ms | met |
| settled | ≤ 1 s | 1.98 s | **missed** |
| lost | 0 | 0 | met |
| against the floor | ≥ 0.750 | 0.800 | met |
| against Express | ≥ 8 × | 7.96 × | **missed** |
| p50 | – | 0.250 s |  |

| a |
|---|

![seek](plots/seek.svg)`, m.String())
}
