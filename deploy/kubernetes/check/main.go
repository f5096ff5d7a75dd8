// Command check builds every overlay of the manifests as kustomize does, decodes what comes out with the types of the
// Kubernetes API, which refuse unknown fields, and holds it to the rules of this package. It needs no network and no
// cluster. It is a module of its own, since the program has no use for its dependencies.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Overlays that are elsewhere are given as arguments: go run . /path/to/overlay
func main() {
	dirs, err := overlays("..")
	if len(os.Args) > 1 {
		dirs = os.Args[1:]
	}
	var found []string
	if err == nil {
		found, err = checkAll("..", dirs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
	for _, problem := range found {
		fmt.Println(problem)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

// overlays are those below the folder of the manifests.
func overlays(root string) ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(root, "overlays", "*"))
	if err == nil && len(dirs) == 0 {
		err = fmt.Errorf("no overlays below %s", root)
	}
	return dirs, err
}

// checkAll returns the problems of overlays. The folder of the manifests has the rules of the adapter.
func checkAll(root string, dirs []string) ([]string, error) {
	adapter, err := readAdapter(filepath.Join(root, "components", "prometheus", "prometheus-adapter.yaml"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, dir := range dirs {
		text, err := build(dir)
		if err != nil {
			return nil, err
		}
		for _, problem := range check(text, adapter) {
			found = append(found, filepath.Base(dir)+": "+problem)
		}
	}
	return found, nil
}

// check returns the problems of one overlay. Those of the decoding come alone, since the rules need decoded objects.
func check(manifests string, adapter []string) []string {
	c, problems := decode(manifests)
	if len(problems) > 0 {
		return problems
	}
	for _, rule := range []func(*cluster){
		checkValues, checkPods, checkDeployments, checkProbes, checkSettings, checkStops, checkMemory, checkWorkers,
		checkBudgets, checkServices, checkMonitors, checkNetwork,
		func(c *cluster) { checkAutoscalers(c, adapter) },
	} {
		rule(c)
	}
	return c.problems
}
