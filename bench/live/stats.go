package live

import (
	"cmp"
	"math"
	"slices"
)

// Quantile is the value below which the share q of the values is; NaN for none.
func Quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		var none T
		return none
	}
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// spread is the differences of all pairs.
func spread(values []float64) (pairs []float64) {
	for i, a := range values {
		for _, b := range values[:i] {
			pairs = append(pairs, math.Abs(a-b))
		}
	}
	return pairs
}
