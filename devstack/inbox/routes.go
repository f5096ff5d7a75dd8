package inbox

import "net/http"

func routes(box *mailbox) http.Handler {
	a, p := &api{box: box}, newPages(box)
	mux := http.NewServeMux()

	mux.HandleFunc("GET /api/v1/messages", a.list)
	mux.HandleFunc("DELETE /api/v1/messages", a.remove)
	mux.HandleFunc("GET /api/v1/message/{id}", a.show)
	mux.HandleFunc("GET /api/v1/message/{id}/headers", a.headers)
	mux.HandleFunc("GET /api/v1/message/{id}/raw", a.raw)
	mux.HandleFunc("GET /api/v1/message/{id}/part/{part}", a.part)
	mux.HandleFunc("/api/", a.unknown)

	mux.HandleFunc("GET /{$}", p.list)
	mux.HandleFunc("POST /delete", p.removeAll)
	mux.HandleFunc("GET /message/{id}", p.show)
	mux.HandleFunc("GET /message/{id}/html", p.html)
	mux.HandleFunc("GET /style.css", p.style)

	// Emails have links that sign people in, so pages of other sites must not act on them.
	return http.NewCrossOriginProtection().Handler(mux)
}
