package mutant

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestApply: a text has to be in its file once, also after the edits before.
func TestApply(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "a.go"), []byte("one two two"), 0o600))
	files, err := Apply(root, []Edit{{"a.go", "one", "1"}, {"a.go", "1 two ", ""}})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a.go": "two"}, files)
	for _, old := range []string{"two", "three"} {
		_, err := Apply(root, []Edit{{"a.go", old, ""}})
		require.ErrorContains(t, err, "not once")
	}
	_, err = Apply(root, []Edit{{"b.go", "one", ""}})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestCheck: an edit that does not compile is found.
func TestCheck(t *testing.T) {
	t.Parallel()
	const file = "bus/bus.go"
	types, err := ReadTypes("../..", []Edit{{file, "", ""}})
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join("../..", file))
	require.NoError(t, err)
	require.NoError(t, types.Check(file, string(content)))
	require.Error(t, types.Check(file, string(content)+"\nvar wrong int = \"text\"\n"))
	require.Error(t, types.Check(file, "package"))
}
