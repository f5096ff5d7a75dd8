package watchparty_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFaultsHaveTests: each test that docs/faults.md names exists, and each of its rows names one.
func TestFaultsHaveTests(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	_, folders := sources(t)
	for _, files := range folders {
		for _, file := range files {
			for _, declaration := range file.Decls {
				if f, ok := declaration.(*ast.FuncDecl); ok {
					tests[f.Name.Name] = true
				}
			}
		}
	}
	content, err := os.ReadFile("docs/faults.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| .*#?\d+.*\|$`).FindAllString(string(content), -1)
	require.Len(t, rows, 36)
	for _, row := range rows {
		named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(row, -1)
		require.NotEmpty(t, named, row)
		for _, test := range named {
			require.True(t, tests[test[1]], "%s: no such test, in %s", test[1], row)
		}
	}
}

// TestTheClientHasNoWallClock: a system clock that is set while people watch must move nobody.
func TestTheClientHasNoWallClock(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("clients/typescript/src/live/*.ts")
	require.NoError(t, err)
	require.Greater(t, len(files), 5)
	for _, path := range files {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotRegexp(t, `\bDate\b`, string(content), path)
	}
}
