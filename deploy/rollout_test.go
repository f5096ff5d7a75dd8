package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rollOut runs deploy/kubernetes/rollout.sh where kubectl notes its calls and says what the shell code makes of them.
// It returns the calls, and what the script says.
func rollOut(t *testing.T, kubectl string) (calls []string, said string, err error) {
	t.Helper()
	dir := t.TempDir()
	noted := filepath.Join(dir, "calls")
	text := "#!/bin/sh\necho \"$@\" >> " + noted + "\n" + kubectl + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kubectl"), []byte(text), 0o700)) //nolint:gosec // a command
	script := exec.CommandContext(t.Context(), "kubernetes/rollout.sh", "overlays/mine", "party")
	script.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PAUSE=0", "COUNT="+filepath.Join(dir, "count"))
	output, err := script.CombinedOutput()
	content, readErr := os.ReadFile(noted)
	require.NoError(t, readErr)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if i := len(fields); i > 2 && fields[0] == "apply" {
			fields = []string{"apply", fields[i-1]} // the file has a random name
		}
		if len(fields) > 3 && fields[1] != "kustomize" {
			fields = fields[:3]
		}
		calls = append(calls, strings.Join(fields, " "))
	}
	return calls, string(output), err
}

// TestRolloutOrder: migrations end before anything that needs them begins, and workers are replaced before the API.
func TestRolloutOrder(t *testing.T) {
	calls, said, err := rollOut(t, `case "$1 $2" in "get job")
		echo x >> "$COUNT"
		[ "$(wc -l < "$COUNT")" -lt 3 ] || echo SuccessCriteriaMet Complete ;;
	esac`)
	require.NoError(t, err, said)
	const component = "app.kubernetes.io/component"
	require.Equal(t, []string{
		"kustomize overlays/mine",
		"apply !" + component,
		"delete job migrate",
		"apply " + component + "=migrate",
		"get job migrate", "get job migrate", "get job migrate", // until it is complete
		"delete job check-histories",
		"apply " + component + "=check-histories",
		"get job check-histories",
		"apply " + component + "=worker",
		"rollout status deployment",
		"apply " + component + "=api",
		"rollout status deployment",
	}, calls)
}

// TestRolloutEnds: nothing after a step that fails is changed.
func TestRolloutEnds(t *testing.T) {
	for name, c := range map[string]struct{ kubectl, last, said string }{
		"overlay": {`[ "$1" != kustomize ] || exit 1`, "kustomize overlays/mine", ""},
		"migrations": {`[ "$1 $2" != "get job" ] || echo FailureTarget Failed`,
			"logs job/migrate -n", "the job migrate has failed"},
		"workers": {`[ "$1 $2" != "get job" ] || echo Complete
			[ "$1" != rollout ] || exit 1`, "rollout status deployment", "rollout of: worker"},
	} {
		t.Run(name, func(t *testing.T) {
			calls, said, err := rollOut(t, c.kubectl)
			require.Error(t, err)
			require.Equal(t, c.last, calls[len(calls)-1])
			require.Contains(t, said, c.said)
			require.NotContains(t, strings.Join(calls, "\n"), "component=api")
		})
	}
}
