// Package web holds the pages that the API serves to people: where the links in mails lead, for those who run no
// front-end of their own, and the page that shows the contract. It serves what they load, too.
package web

import (
	"embed"
	"fmt"
	"html"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed *.html assets
var files embed.FS

const (
	// Unsubscribe is the page that ends mails about invitations.
	Unsubscribe = "/unsubscribe"
	// Reports is the page that shows an activity report.
	Reports = "/reports"
	// Docs is the page that shows the API's contract.
	Docs = "/docs"
)

// Pages are the addresses of the pages behind links, each in a file of its name.
func Pages() []string {
	return []string{"/verify-email", "/password-reset", "/invitations", Unsubscribe, Reports}
}

// policy lets a page load what this server has, and nothing else. Nobody may show it in a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPolicy is for Swagger UI, which has pictures in its style sheet.
var docsPolicy = strings.Replace(policy, "img-src 'self'", "img-src 'self' data:", 1)

// Page serves one of the pages. It needs no other server, runs no script but its own, and tells nobody where it was: the
// token of the link is in the address, behind the #, where no server and no log sees it. Only that of a List-Unsubscribe
// header is in the query, since mail programs post to its address.
func Page(address string) http.HandlerFunc {
	content, err := files.ReadFile(address[1:] + ".html")
	if err != nil {
		panic(fmt.Errorf("web: no page %s: %w", address, err)) // the names above are wrong
	}
	text := string(content)
	for name, asset := range assets() {
		text = strings.ReplaceAll(text, `"/assets/`+name+`"`, `"`+html.EscapeString("/assets/"+asset.hash+"/"+name)+`"`)
	}
	serve := File("text/html; charset=utf-8", []byte(text))
	allowed := policy
	if address == Docs {
		allowed = docsPolicy
	}
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", allowed)
		h.Set("Referrer-Policy", "no-referrer")
		serve(w, r)
	}
}

// File serves content that is the same for as long as the process runs. Clients keep it, and ask each time whether it is
// still right.
func File(contentType string, content []byte) http.HandlerFunc {
	a := newAsset(contentType, content, nil)
	return func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, revalidated) }
}

// assets are what the pages load, by name.
var assets = sync.OnceValue(func() map[string]asset {
	all, err := readAssets()
	if err != nil {
		panic(err) // what is embedded is wrong
	}
	return all
})

// Assets serves what the pages load, below /assets/. The pages' addresses have the content's hash in them, and are kept
// for long. Under another hash, which a page of another release may have, and without one, the present content is served.
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
