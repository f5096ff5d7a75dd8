package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// TestRolesOfTheContract: x-role, which the server goes by, says what readers of the contract see in other places.
func TestRolesOfTheContract(t *testing.T) {
	t.Parallel()
	for id, op := range operations() {
		switch role(op.role()) {
		case roleAnyone:
			require.False(t, op.needsToken(), id)
		case roleUser:
			require.True(t, op.needsToken(), id)
		case roleAdmin:
			require.True(t, op.needsToken(), id)
			require.True(t, slices.Contains(op.Tags, "admin") || strings.HasPrefix(op.Description, "For admins."), id)
		default:
			t.Errorf("%s has no %s", id, roleExtension)
		}
		if strings.HasPrefix(op.path, "/admin/") {
			require.True(t, op.forAdmins(), id)
		}
	}
}

func TestAccessOf(t *testing.T) {
	t.Parallel()
	parameter := func(extensions map[string]any) openapi3.Parameters {
		return openapi3.Parameters{{Value: &openapi3.Parameter{Name: "all", Extensions: extensions}}}
	}
	for name, test := range map[string]struct {
		operation *openapi3.Operation
		want      access
		err       string
	}{
		"a role": {
			&openapi3.Operation{Extensions: map[string]any{"x-role": "user"}},
			access{roleUser, map[string]role{}}, "",
		},
		"of a parameter, too": {
			&openapi3.Operation{
				Extensions: map[string]any{"x-role": "anyone"}, Parameters: parameter(map[string]any{"x-role": "admin"}),
			},
			access{roleAnyone, map[string]role{"all": roleAdmin}}, "",
		},
		"none":    {&openapi3.Operation{OperationID: "new"}, access{}, `operation new: x-role is ""`},
		"unknown": {&openapi3.Operation{Extensions: map[string]any{"x-role": "root"}}, access{}, `x-role is "root"`},
		"no text": {&openapi3.Operation{Extensions: map[string]any{"x-role": true}}, access{}, `x-role is ""`},
		"unknown of a parameter": {
			&openapi3.Operation{
				Extensions: map[string]any{"x-role": "anyone"}, Parameters: parameter(map[string]any{"x-role": "root"}),
			},
			access{}, `parameter all`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := accessOf(test.operation)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}
