package e2e

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// generatedClient makes a TypeScript client from the contract with a public generator, compiles a small front-end
// against it, and runs that.
func (f *flow) generatedClient(t *testing.T) {
	const bin = "node_modules/.bin/"
	for _, command := range [][]string{
		{bin + "openapi-typescript", "../../api/openapi.yaml", "--output", "schema.d.ts"},
		{bin + "tsc", "--project", ".", "--outDir", "build"},
		{"node", "build/smoke.js", f.client.base},
	} {
		run := exec.CommandContext(t.Context(), command[0], command[1:]...)
		run.Dir = "client"
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
}
