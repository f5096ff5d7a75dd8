package cache

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHit(t *testing.T) {
	t.Parallel()
	i := install(t)
	a := i.start(t)
	requireGet(t, a, text("first"), "first", false)
	requireGet(t, a, text("second"), "first", true)
	require.EqualValues(t, 1, a.Stats().Local)

	b := i.start(t)
	requireGet(t, b, text("second"), "first", true)
	require.EqualValues(t, 1, b.Stats().Shared)
	requireGet(t, b, text("second"), "first", true)
	require.EqualValues(t, 1, b.Stats().Local)
}

func TestChangeVoids(t *testing.T) {
	t.Parallel()
	i := install(t)
	a, b := i.start(t), i.start(t)
	requireGet(t, a, text("first"), "first", false)
	requireGet(t, b, text("second"), "first", true)
	for _, tag := range roomQuery().Tags {
		a.change(t, "room:2")
		requireGet(t, b, text("unrelated"), "first", true)
		a.change(t, tag)
		requireGet(t, b, text("second "+tag), "second "+tag, false)
		requireGet(t, a, text("third"), "second "+tag, true)
		requireGet(t, b, text("third"), "second "+tag, true)
		a.change(t, tag)
		requireGet(t, a, text("first"), "first", false)
	}
}
