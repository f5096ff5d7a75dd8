package icc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPrimaries compares with the matrices that IEC 61966-2-1 and Display P3's profile have, adapted to D50.
func TestPrimaries(t *testing.T) {
	d65 := [2]float64{0.3127, 0.3290}
	for name, test := range map[string]struct {
		primaries Primaries
		want      matrix
	}{
		"sRGB": {Primaries{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}, d65}, matrix{
			{0.43607, 0.38515, 0.14307}, {0.22249, 0.71687, 0.06061}, {0.01392, 0.09708, 0.71410}}},
		"Display P3": {Primaries{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, d65}, matrix{
			{0.51512, 0.29198, 0.15710}, {0.24120, 0.69225, 0.06657}, {-0.00105, 0.04189, 0.78407}}},
	} {
		got, ok := test.primaries.toD50()
		require.True(t, ok)
		for i := range 3 {
			require.InDeltaSlice(t, test.want[i][:], got[i][:], 0.0005, name)
		}
	}
	for name, p := range map[string]Primaries{
		"nothing": {}, "a line": {{0.1, 0.1}, {0.2, 0.2}, {0.3, 0.3}, d65},
		"no white": {{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}, {}},
	} {
		require.Nil(t, RGB(p, SRGB.Tag()), name)
	}
}
