// Package web holds the pages that the API serves to people: where the links in mails lead, for those who run no
// front-end of their own.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed verify-email.html password-reset.html invitations.html unsubscribe.html reports.html assets
var files embed.FS

// Unsubscribe is the page that ends mails about invitations.
const Unsubscribe = "/unsubscribe"

// Reports is the page that shows an activity report.
const Reports = "/reports"

// Pages are the addresses of the pages, each in a file of its name.
func Pages() []string {
	return []string{"/verify-email", "/password-reset", "/invitations", Unsubscribe, Reports}
}

// Page serves one of them. It needs no other server, runs no script but its own, and tells nobody where it was: the
// token of the link is in the address, behind the #, where no server and no log sees it. Only that of a List-Unsubscribe
// header is in the query, since mail programs post to its address.
func Page(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		http.ServeFileFS(w, r, files, path[1:]+".html")
	}
}

// Assets serves what the pages load, below /assets/.
func Assets() http.Handler {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the name above is wrong
	}
	return http.StripPrefix("/assets/", http.FileServerFS(assets))
}
