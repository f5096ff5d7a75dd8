package rules

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/mutant"
)

var (
	whole  = flag.Bool("rules.whole", false, "remove each rule, and not only some")
	only   = flag.String("rules.only", "", "remove the rules whose tests match, such as ^store")
	update = flag.Bool("update", false, "write docs/rules.md")
)

// root is the folder of the repository.
const root = "../.."

// clientFolder has the client in TypeScript.
const clientFolder = "clients/typescript"

// place returns the folder and the name of the rule's test.
func (r rule) place() (folder, test string) {
	folder, test, _ = strings.Cut(r.test, " ")
	return folder, test
}

// TestTable: each rule can be removed, and its test exists.
func TestTable(t *testing.T) {
	t.Parallel()
	tests := map[string]map[string]bool{}
	var edits []edit
	for _, s := range design {
		for _, r := range s.rules {
			edits = append(edits, r.without...)
		}
	}
	check, err := mutant.ReadTypes(root, edits)
	require.NoError(t, err)
	titles := readTitles(t)
	said := map[string]bool{}
	for _, s := range design {
		for _, r := range s.rules {
			require.False(t, said[s.title+r.says], "twice: %s", r.says)
			said[s.title+r.says] = true
			folder, test := r.place()
			require.NotEmpty(t, r.without, r.says)
			files, err := mutant.Apply(root, r.without)
			require.NoError(t, err, r.says)
			for path, text := range files {
				if folder != clientFolder {
					assert.NoError(t, check.Check(path, text), r.says)
				}
			}
			if folder == clientFolder {
				assert.Contains(t, titles, test, r.says)
				continue
			}
			if tests[folder] == nil {
				tests[folder] = readTests(t, folder)
			}
			test, _, _ = strings.Cut(test, "/")
			assert.True(t, tests[folder][test], "%s has no %s: %s", folder, test, r.says)
		}
	}
}

// readTests returns the names of the tests in a folder.
func readTests(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	require.NoError(t, err)
	tests := map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}

// readTitles returns the tests of the client in TypeScript and the table that it shares with the Go client.
func readTitles(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	files := []string{filepath.Join(root, "live/player/testdata/rules.json")}
	for _, name := range withoutServers {
		files = append(files, filepath.Join(root, clientFolder, "test", name+".test.ts"))
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		all.Write(content)
	}
	// Some tests have a title for each of several close codes.
	return regexp.MustCompile(`\$\{code\} is final|after \$\{code\} `).
		ReplaceAllStringFunc(all.String(), func(s string) string {
			return s + strings.ReplaceAll(s, "${code}", "4403") + strings.ReplaceAll(s, "${code}", "1012")
		})
}

// quick are the tests that run without a rule in the short form, too: those of packages that build in a moment.
var quick = []string{
	"playback TestEveryCommandOfAnOldEpochIsStale", "playback TestSkipPasses", "live/player TestFollowerRules",
	"live/wire TestLimitsAreTheContracts",
}

// TestRules removes each rule from the code and runs its test, which has to fail. The long form runs each test with the
// rule, too.
//
//nolint:paralleltest // builds would be in each other's way
func TestRules(t *testing.T) {
	var lines []string
	tried, passed := map[string]bool{}, map[string]bool{}
	for _, s := range design {
		for _, r := range s.rules {
			switch {
			case *whole:
			case *only != "":
				if !regexp.MustCompile(*only).MatchString(r.test) {
					continue
				}
			case !slices.Contains(quick, r.test), tried[r.test]:
				continue
			}
			tried[r.test] = true
			t.Run(s.title+": "+r.says, func(t *testing.T) {
				if long := *whole || *only != ""; long && !passed[r.test] {
					with := rule{test: r.test}.run(t)
					require.True(t, with.passed, "the test fails with the rule, too\n%s", with.output)
					passed[r.test] = true
				}
				begin := time.Now()
				without := r.run(t)
				line := fmt.Sprintf("%-7v %5.1f s  %s  (%s)", without.caught, time.Since(begin).Seconds(), r.says, r.test)
				lines = append(lines, line)
				require.True(t, without.caught, "no test fails without this rule: %s\n%s", r.says, without.output)
			})
		}
	}
	t.Logf("caught, time, rule, test:\n%s", strings.Join(lines, "\n"))
}

// outcome is how the test of a rule has ended: caught, if the test itself has failed.
type outcome struct {
	passed, caught bool
	output         string
}

// run runs the test of a rule without the rule.
func (r rule) run(t *testing.T) outcome {
	t.Helper()
	if folder, _ := r.place(); folder == clientFolder {
		return r.runNode(t)
	}
	return r.runGo(t)
}

func (r rule) runGo(t *testing.T) outcome {
	t.Helper()
	file, err := mutant.Overlay(t.TempDir(), root, r.without)
	require.NoError(t, err)
	folder, test := r.place()
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", file, "-vet", "off", "-count", "1", "-timeout", "5m",
		"-run", strings.Join(parts, "/"), "./"+folder)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	ran := !strings.Contains(string(out), "[no tests to run]")
	return outcome{err == nil && ran, err != nil && strings.Contains(string(out), "--- FAIL: "+test), string(out)}
}

// withoutServers are the tests of the client in TypeScript that need no server.
var withoutServers = []string{"connection", "rules", "watch"}

// runNode is runGo for the client in TypeScript. The client without the rule is built in another folder.
func (r rule) runNode(t *testing.T) outcome {
	t.Helper()
	base := t.TempDir()
	client := filepath.Join(base, clientFolder)
	origin, err := filepath.Abs(root)
	require.NoError(t, err)
	for _, folder := range []string{"src", "test"} {
		require.NoError(t, os.CopyFS(filepath.Join(client, folder), os.DirFS(filepath.Join(origin, clientFolder, folder))))
	}
	for _, name := range []string{"node_modules", "package.json", "tsconfig.json"} {
		require.NoError(t, os.Symlink(filepath.Join(origin, clientFolder, name), filepath.Join(client, name)))
	}
	for _, name := range []string{"api", "live"} {
		require.NoError(t, os.Symlink(filepath.Join(origin, name), filepath.Join(base, name)))
	}
	files, err := mutant.Apply(root, r.without)
	require.NoError(t, err)
	for path, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(base, path), []byte(text), 0o600))
	}
	_, title := r.place()
	title = regexp.QuoteMeta(title)
	build := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "--project", "test")
	build.Dir = client
	if out, err := build.CombinedOutput(); err != nil {
		return outcome{output: string(out)}
	}
	tests := []string{}
	for _, name := range withoutServers {
		tests = append(tests, "test/build/test/"+name+".test.js")
	}
	test := exec.CommandContext(t.Context(), "node", append([]string{
		"--test", "--test-reporter", "tap", "--test-name-pattern", title}, tests...)...) //nolint:gosec // as above
	test.Dir = client
	out, err := test.CombinedOutput()
	says := func(result string) bool {
		return regexp.MustCompile(`(?m)^\s*` + result + ` \d+ - .*` + title).Match(out)
	}
	return outcome{err == nil && says("ok"), err != nil && says("not ok"), string(out)}
}

// TestPage: docs/rules.md is what the table says.
func TestPage(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(preface)
	for _, s := range design {
		fmt.Fprintf(&page, "\n## %s\n\n| rule | test |\n|---|---|\n", s.title)
		for _, r := range s.rules {
			_, test := r.place()
			fmt.Fprintf(&page, "| %s | `%s` |\n", r.says, strings.ReplaceAll(test, "_", " "))
		}
	}
	file := filepath.Join(root, "docs/rules.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page.String(), string(got), "go test ./live/rules -run TestPage -update")
}

const preface = "# Rules of live rooms, and the tests that hold them\n" + `
An edit removes each rule from the code, and the named test fails then. The edits are in live/rules/table_test.go.
"make test" checks that the edits fit and that the tests exist, and runs some tests without their rules. "make soak"
does that with every rule. This page is made from the table.
`
