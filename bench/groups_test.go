package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGroups: the name of a group stands for its sections, and each of them is there.
func TestGroups(t *testing.T) {
	require.Equal(t, []string{"store", "live-together"}, expand([]string{"store", "live"})[:2])
	for group := range groups {
		for _, name := range expand([]string{group}) {
			require.True(t, slices.ContainsFunc(sections, func(s section) bool { return s.name == name }), name)
		}
	}
}
