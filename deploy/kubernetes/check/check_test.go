package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of the manifests.
const root = ".."

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(content)
}

// rendered is what kustomize makes of an overlay, and the metrics that the adapter serves.
func rendered(t *testing.T, overlay string) (manifests string, adapter []string) {
	t.Helper()
	manifests, err := build(filepath.Join(root, "overlays", overlay))
	require.NoError(t, err)
	adapter, err = readAdapter(filepath.Join(root, "components", "prometheus", "prometheus-adapter.yaml"))
	require.NoError(t, err)
	return manifests, adapter
}

// TestOverlays: nothing is wrong with any of them.
func TestOverlays(t *testing.T) {
	dirs, err := overlays(root)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(dirs), 3)
	found, err := checkAll(root, dirs)
	require.NoError(t, err)
	require.Empty(t, found)
}

// TestEverythingIsUsed: each file belongs to a kustomization, and each component to an overlay.
func TestEverythingIsUsed(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(root, "*", "*", "kustomization.yaml"))
	require.NoError(t, err)
	folders = append(folders, filepath.Join(root, "base", "kustomization.yaml"))
	overlays := ""
	for _, path := range folders {
		text := readFile(t, path)
		if strings.Contains(path, "overlays") {
			overlays += text
		}
		files, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		for _, file := range files {
			used := strings.Contains(text, file.Name()) || file.Name() == "kustomization.yaml"
			require.True(t, used || file.Name() == "prometheus-adapter.yaml", "%s beside %s", file.Name(), path)
		}
	}
	for _, path := range folders {
		if dir := filepath.Dir(path); strings.Contains(dir, "components") {
			require.Contains(t, overlays, "../../components/"+filepath.Base(dir)+"\n")
		}
	}
}

// TestDocumentedSecrets: the page lists the keys of each secret, and no others.
func TestDocumentedSecrets(t *testing.T) {
	used := map[string]bool{}
	for _, overlay := range []string{"example", "temporal-cloud", "temporal-certificate"} {
		manifests, _ := rendered(t, overlay)
		c, problems := decode(manifests)
		require.Empty(t, problems)
		for _, w := range c.workloads {
			for _, v := range w.pod.Spec.Volumes {
				if v.Secret == nil {
					continue
				}
				for _, item := range v.Secret.Items {
					used[fmt.Sprintf("| `%s` | `%s` |", v.Secret.SecretName, item.Key)] = true
				}
			}
		}
	}
	require.GreaterOrEqual(t, len(used), 8)
	page := readFile(t, "../../../docs/kubernetes.md")
	_, table, found := strings.Cut(page, "| secret | key |")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	require.Equal(t, len(used), strings.Count(table, "\n| `"), table)
	for line := range used {
		require.Contains(t, table, line)
	}
}

// TestDocumentedConnections: the page says how many connections to Postgres all pods together may have.
func TestDocumentedConnections(t *testing.T) {
	page := readFile(t, "../../../docs/kubernetes.md")
	for _, overlay := range []string{"example", "temporal-cloud"} {
		manifests, _ := rendered(t, overlay)
		c, problems := decode(manifests)
		require.Empty(t, problems)
		most, err := c.connections()
		require.NoError(t, err)
		require.Contains(t, page, fmt.Sprintf("| `%s` | %d |", overlay, most))
	}
}

// TestScrapedJobs: the jobs are those of deploy/monitoring, whose alert rules need their names.
func TestScrapedJobs(t *testing.T) {
	text := readFile(t, "../../monitoring/prometheus.yml")
	for role, name := range metricsJobs {
		require.Contains(t, text, "job_name: "+name+"\n")
		require.Contains(t, text, fmt.Sprintf("localhost:%d'", metricsPorts[role]))
	}
}
