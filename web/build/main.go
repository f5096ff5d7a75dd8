// Command build bundles the scripts of the pages that are written in TypeScript into web/assets.
package main

import (
	"fmt"
	"os"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"watch/main.ts"},
		Outfile:     "assets/watch.js",
		Bundle:      true,
		Write:       true,
		Format:      api.FormatESModule,
		Target:      api.ES2022,
		Charset:     api.CharsetUTF8,
		Alias: map[string]string{
			"watchparty-client":      "../clients/typescript/src/index.ts",
			"watchparty-client/live": "../clients/typescript/src/live/index.ts",
		},
		Banner:    map[string]string{"js": "// Generated from web/watch by `go generate ./web`: do not edit."},
		LogLevel:  api.LogLevelWarning,
		Platform:  api.PlatformBrowser,
		LineLimit: 120,
	})
	if len(result.Errors) > 0 {
		fmt.Fprintln(os.Stderr, "web: the scripts cannot be bundled")
		os.Exit(1)
	}
}
