package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

const clientFolder = "../clients/typescript"

// TestTypeScriptClient runs the client's own tests, against a server that fails as servers do.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	node(t, clientFolder, []string{"npm", "test"})
}

// installedClient builds the client, and a small front-end that has installed it, and runs that.
func (f *flow) installedClient(t *testing.T) {
	node(t, clientFolder, []string{"npm", "run", "build"})
	node(t, "client",
		[]string{"node_modules/.bin/tsc", "--project", "."},
		[]string{"node", "build/smoke.js", f.client.base, base64.StdEncoding.EncodeToString(noise(t, 32))},
	)
}

// clientInABrowser uploads a picture from a page of another origin.
func (f *flow) clientInABrowser(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /client/", http.StripPrefix("/client/", http.FileServer(http.Dir(clientFolder+"/dist"))))
	mux.Handle("GET /openapi-fetch/", http.StripPrefix("/openapi-fetch/",
		http.FileServer(http.Dir(clientFolder+"/node_modules/openapi-fetch/dist"))))
	picture := noise(t, 600)
	mux.HandleFunc("GET /picture.png", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(picture) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, uploadPage, html.EscapeString(f.client.base))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := f.browser.open(t, server.URL)
	page.requireShows(t, "uploaded: processing, sent: 1")
	page.requireShows(t, "gone: unauthenticated")
}

const uploadPage = `<!doctype html>
<script type="importmap">{"imports": {"openapi-fetch": "/openapi-fetch/index.mjs"}}</script>
<body data-api="%s"><pre></pre>
<script type="module">
import { createWatchParty } from '/client/index.js';
const say = (text) => document.querySelector('pre').append(text + '\n');
try {
  const api = createWatchParty({ baseUrl: document.body.dataset.api, storage: localStorage });
  const username = 'browser-' + Math.random().toString(36).slice(2, 10);
  const password = 'correct horse battery';
  await api.POST('/auth/register', { body: { username, email: username + '@people.example', password } });
  const picture = await (await fetch('/picture.png')).blob();
  const parts = [];
  const upload = await api.uploadAvatar(picture, { onProgress: (part) => parts.push(part) });
  say('uploaded: ' + upload.status + ', sent: ' + parts.at(-1));
  await api.DELETE('/users/me', { body: { password } });
  await api.GET('/users/me').catch((error) => say('gone: ' + error.code));
} catch (error) {
  say('failed: ' + error + ' ' + error.stack);
}
</script>
`

// node runs commands in a folder with Node packages.
func node(t *testing.T, dir string, commands ...[]string) {
	t.Helper()
	for _, command := range commands {
		run := exec.CommandContext(t.Context(), command[0], command[1:]...) //nolint:gosec // the test's own command
		run.Dir = dir
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
}

// noise is a square picture that no compression makes small.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = byte(rand.Uint32()) //nolint:gosec // not a secret
	}
	var encoded bytes.Buffer
	require.NoError(t, png.Encode(&encoded, picture))
	return encoded.Bytes()
}
