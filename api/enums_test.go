package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/health"
	"github.com/watchparty/watchparty/workflows/job"
)

// enumsOfTheirOwn has the enumerations that have not the values of a type, and why.
var enumsOfTheirOwn = map[string]string{
	"AvatarUpload.status":            "only the current upload is shown, which none has superseded",
	"AvatarUpload.step":              "only of an upload that is being processed",
	"CleanupEndedMessage.data.state": "only runs that have ended",
	"CleanupReport.state":            "only runs that have ended",
	"Health.status":                  "derived from the parts",
	"JobBatch.action":                "only the contract names the acts",
	"JobEvent.kind":                  "shorter than Temporal's types of events",
	"JobStep.state":                  "shorter than Temporal's",
	"ProblemCode":                    "TestProblemCodes compares the codes with those of the errors",
	"ReportKind":                     "one for each table of reports",
	"Retry.how":                      "only the contract names the ways",
	"RoomState":                      "nobody but admins sees a closed room",
	"TemporalState":                  "whether a call succeeded",
}

// TestEnumsAreThoseOfTheProgram: each enumeration of the contract has the values of a type or a list of the program, so
// that a value that is added to one and not to the other fails here. What only the contract has is listed.
func TestEnumsAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	known := [][]string{
		job.WorkflowTypes(), job.ServableTaskQueues(), job.AllTaskQueues(), health.Parts(),
		plainStrings(watchparty.WebhookKinds()),
		{job.ScheduleCleanup, job.ScheduleWeeklyReport, job.ScheduleMonthlyReport},
	}
	for _, folder := range []string{"..", "../jobs", "../playback"} {
		for _, values := range constants(t, folder) {
			known = append(known, values)
		}
	}
	found := map[string][]string{}
	for name, schema := range readContract().Components.Schemas {
		collectEnums(name, schema, found)
	}
	require.Greater(t, len(found), 50)
	for where, values := range found {
		same := slices.ContainsFunc(known, func(list []string) bool { return sameSet(list, values) })
		if reason, only := enumsOfTheirOwn[where]; only {
			require.False(t, same, "%s is not special any more: %s", where, reason)
			continue
		}
		assert.True(t, same, "%s has the values of no type of the program: %v", where, values)
	}
	for where := range enumsOfTheirOwn {
		require.Contains(t, found, where)
	}
}

// TestEnumsAreDescribedWhole: a description that explains most values of an enumeration explains all of them.
func TestEnumsAreDescribedWhole(t *testing.T) {
	t.Parallel()
	checked := 0
	var check func(where string, ref *openapi3.SchemaRef)
	check = func(where string, ref *openapi3.SchemaRef) {
		var missing []string
		for _, value := range ref.Value.Enum {
			if text, ok := value.(string); ok && !strings.Contains(ref.Value.Description, "`"+text+"`") {
				missing = append(missing, text)
			}
		}
		if 2*len(missing) < len(ref.Value.Enum) {
			assert.Empty(t, missing, where)
			checked++
		}
		for name, property := range ref.Value.Properties {
			if property.Ref == "" {
				check(where+"."+name, property)
			}
		}
	}
	for name, schema := range readContract().Components.Schemas {
		check(name, schema)
	}
	require.Greater(t, checked, 20)
}

// collectEnums adds the enumerations of a schema and of what is written in it.
func collectEnums(where string, ref *openapi3.SchemaRef, found map[string][]string) {
	if len(ref.Value.Enum) > 1 { // one alone is the mark of a kind of message
		for _, value := range ref.Value.Enum {
			if value != nil {
				found[where] = append(found[where], value.(string))
			}
		}
	}
	for name, property := range ref.Value.Properties {
		if property.Ref == "" {
			collectEnums(where+"."+name, property, found)
		}
	}
	if items := ref.Value.Items; items != nil && items.Ref == "" {
		collectEnums(where, items, found)
	}
}

// constants returns the values of the constants of each string type of a package.
func constants(t *testing.T, folder string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	values := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			of, typed := spec.Type.(*ast.Ident)
			for _, value := range spec.Values {
				if text, ok := value.(*ast.BasicLit); ok && typed && text.Kind == token.STRING {
					unquoted, err := strconv.Unquote(text.Value)
					require.NoError(t, err)
					if unquoted != "" { // null in the contract
						values[of.Name] = append(values[of.Name], unquoted)
					}
				}
			}
			return true
		})
	}
	return values
}

func plainStrings[T ~string](values []T) []string {
	return convert(values, func(v T) string { return string(v) })
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
