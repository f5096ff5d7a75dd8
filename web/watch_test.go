package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// textFields are the text fields of the forms at /watch, by file and name, with their properties in the contract.
var textFields = map[string]string{
	"chat.ts body":       "PostMessageRequest.body",
	"invite.ts email":    "EmailRequest.email",
	"lobby.ts name":      "CreateRoomRequest.name",
	"movies.ts title":    "AddToQueueRequest.title",
	"report.ts text":     "ReportAbuseRequest.text",
	"schedule.ts title":  "SchedulePartyRequest.title",
	"settings.ts name":   "UpdateRoomRequest.name",
	"signin.ts username": "RegisterRequest.username",
	"signin.ts password": "RegisterRequest.password",
}

// TestTextFields: people cannot write more into a form than the API takes, and not less.
func TestTextFields(t *testing.T) {
	t.Parallel()
	contract, err := openapi3.NewLoader().LoadFromFile("../api/openapi.yaml")
	require.NoError(t, err)
	field := regexp.MustCompile(`(?:name: |input\()'(\w+)'[^()]*?maxlength: (\d+)`)
	files, err := filepath.Glob("watch/*.ts")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		fields := field.FindAllStringSubmatch(string(source), -1)
		require.Len(t, fields, strings.Count(string(source), "maxlength:"), file)
		for _, match := range fields {
			name := filepath.Base(file) + " " + match[1]
			found[name] = true
			schema, property, _ := strings.Cut(textFields[name], ".")
			require.NotEmpty(t, property, "%s is not in textFields", name)
			require.Contains(t, contract.Components.Schemas, schema)
			most := longest(contract.Components.Schemas[schema].Value.Properties[property].Value)
			require.Equal(t, strconv.FormatUint(most, 10), match[2], name)
		}
	}
	require.Len(t, found, len(textFields))
}

// TestFormsSendWhatWasChanged: a form that changes what there is sends the difference to what it showed, since others
// may have changed the rest meanwhile. TestWatchPageDialogs tries each of these forms.
func TestFormsSendWhatWasChanged(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("watch/*.ts")
	require.NoError(t, err)
	var forms []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(source), "new FormData(") && strings.Contains(string(source), "api.PATCH(") {
			require.Contains(t, string(source), "changes(shown, ", file)
			forms = append(forms, filepath.Base(file))
		}
	}
	require.Equal(t, []string{"schedule.ts", "settings.ts"}, forms)
}

// longest is the limit of a text.
func longest(schema *openapi3.Schema) uint64 {
	if schema.MaxLength != nil {
		return *schema.MaxLength
	}
	for _, part := range schema.AllOf {
		if most := longest(part.Value); most > 0 {
			return most
		}
	}
	return 0
}
