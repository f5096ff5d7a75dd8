package watchparty_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackageTable: the table of packages in CONTRIBUTING.md has each folder with Go code, by itself or under a folder
// whose row is "with its sub-packages", and no folder that is gone.
func TestPackageTable(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(content), "\n## The packages\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	listed := map[string]bool{".": false} // whether with its sub-packages
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for _, name := range regexp.MustCompile("`([a-z0-9/]+)/`").FindAllStringSubmatch(cells[1], -1) {
			listed[name[1]] = strings.Contains(cells[2], "with its sub-packages")
			require.DirExists(t, name[1])
		}
	}
	set, folders := sources(t)
	for folder, files := range folders {
		for _, file := range files {
			if name := set.Position(file.Pos()).Filename; !strings.HasSuffix(name, "_test.go") && !isListed(listed, folder) {
				t.Errorf("%s is not in the table of packages in CONTRIBUTING.md", folder)
				break
			}
		}
	}
}

// isListed reports whether the table has a folder, or a folder above it with its sub-packages.
func isListed(listed map[string]bool, folder string) bool {
	if _, is := listed[folder]; is {
		return true
	}
	for above := path.Dir(folder); above != "."; above = path.Dir(above) {
		if listed[above] {
			return true
		}
	}
	return false
}
