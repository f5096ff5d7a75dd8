// Package web holds the pages that the API serves to people: the pages that links in emails lead to, for installations
// without a front-end, and the page that shows the contract. It also serves the scripts, styles and pictures of the
// pages.
package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/watchparty/watchparty/web/reference"
)

//go:embed *.html assets
var files embed.FS

// Paths of the pages. Links in emails lead to all but Docs and Problems, with the token in the fragment, which
// browsers send to no server. A front-end at FRONTEND_URL has its own pages at the same paths.
const (
	VerifyEmail   = "/verify-email"   // confirms an address
	PasswordReset = "/password-reset" // sets a new password
	Invitations   = "/invitations"    // accepts or declines an invitation
	Unsubscribe   = "/unsubscribe"    // ends emails about invitations
	Reports       = "/reports"        // shows an activity report
	Docs          = "/docs"           // shows the API's contract
	Problems      = "/problems"       // explains the codes of the API's errors
	Watch         = "/watch"          // shows rooms, and movies in them; ?room= names one
)

//go:generate go run ./build

// Pages returns the paths of the pages that links in emails lead to.
func Pages() []string {
	return []string{VerifyEmail, PasswordReset, Invitations, Unsubscribe, Reports}
}

// policy is the Content-Security-Policy of the pages: a page loads nothing from other servers, and cannot be shown in a
// frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page serves the page at a path. The page loads nothing from other servers, runs only scripts of this server, and
// sends no Referer, since its address has the link's token. The token is behind the #, so that it reaches no server and
// no log. Only the token of a List-Unsubscribe header is in the query, since mail programs post to that address. The
// home is where people watch: Watch, or the address of a front-end.
func Page(path, home string) http.HandlerFunc {
	content, err := files.ReadFile(path[1:] + ".html")
	if err != nil {
		panic(fmt.Errorf("web: no page %s: %w", path, err)) // the paths above are wrong
	}
	return serve(withData(string(content), "home", home), policy)
}

// watchPolicy is the Content-Security-Policy of Watch: movies and posters are wherever the catalogue says.
const watchPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; " +
	"media-src 'self' https:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Demo is what the page at Watch offers to sign in with.
type Demo struct {
	Accounts []string `json:"accounts"` // email addresses
	Password string   `json:"password"`
}

// WatchPage serves the page at Watch. A demo is for development only.
func WatchPage(demo *Demo) (http.HandlerFunc, error) {
	content, err := files.ReadFile("watch.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	text := string(content)
	if demo != nil {
		encoded, err := json.Marshal(demo) //nolint:gosec // everybody may know the password of the demo
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		text = withData(text, "demo", string(encoded))
	}
	return serve(text, watchPolicy), nil
}

// withData gives the body of a page a data attribute.
func withData(text, name, value string) string {
	return strings.Replace(text, "<body>", fmt.Sprintf(`<body data-%s="%s">`, name, html.EscapeString(value)), 1)
}

// DocsPage serves the page that shows the contract.
func DocsPage(document []byte) (http.HandlerFunc, error) {
	content, err := reference.Page(document, Problems)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return serve(string(content), policy), nil
}

// LiveDocsPage serves the page that shows the contract of live rooms.
func LiveDocsPage(document []byte) (http.HandlerFunc, error) {
	content, err := reference.LivePage(document)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return serve(string(content), policy), nil
}

func serve(text, policy string) http.HandlerFunc {
	file := File("text/html; charset=utf-8", []byte(withHashes(text)))
	return func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header(), policy)
		file(w, r)
	}
}

// withHashes gives the assets in a page the addresses with their hashes.
func withHashes(text string) string {
	for name, asset := range assets() {
		text = strings.ReplaceAll(text, `"/assets/`+name+`"`, `"`+html.EscapeString("/assets/"+asset.hash+"/"+name)+`"`)
	}
	return text
}

// protect sets the headers of each page.
func protect(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
}

// File serves content that does not change while the process runs. Clients may cache it, but have to revalidate it each
// time.
func File(contentType string, content []byte) http.HandlerFunc {
	file := newAsset(contentType, content)
	return func(w http.ResponseWriter, r *http.Request) { file.serve(w, r, revalidated) }
}

// assets returns the files that the pages load, by name.
var assets = sync.OnceValue(func() map[string]asset {
	all, err := readAssets()
	if err != nil {
		panic(err) // what is embedded is wrong
	}
	return all
})

// Assets serves the files that the pages load, below /assets/. The pages refer to a file by an address with the hash of
// its content, which clients cache for a year. An address without a hash, or with the hash of another release, gets the
// present content, which clients have to revalidate.
func Assets() http.Handler {
	all := assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hash, name := path.Split(strings.TrimPrefix(r.URL.Path, "/assets/"))
		a, ok := all[name]
		switch {
		case !ok:
			http.NotFound(w, r)
		case hash == a.hash+"/":
			a.serve(w, r, kept)
		default:
			a.serve(w, r, revalidated)
		}
	})
}

// RoomURL is the address at which a room is watched: base is FRONTEND_URL.
func RoomURL(base, roomID string) string { return base + Watch + "?room=" + roomID }
