package inbox

import (
	"bytes"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	pageLength = 100

	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; " +
		"frame-ancestors 'none'"
	// An email may show images and use its own styles, and its links open in a new tab. It runs no scripts.
	mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:; font-src data:; " +
		"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

//go:embed pages
var pageFiles embed.FS

// pages has the pages for people.
type pages struct {
	box       *mailbox
	templates *template.Template
}

func newPages(box *mailbox) *pages {
	functions := template.FuncMap{
		"when": func(t time.Time) string { return t.Local().Format("2 Jan 15:04:05") },
		"join": joinAddresses,
	}
	return &pages{
		box:       box,
		templates: template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "pages/*.html")),
	}
}

type listPage struct {
	Messages     []messageSummary
	Total        int
	Unread       int
	Start        int
	Newer, Older int // where the neighbouring pages start; -1 if there is none
}

func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	start, _ := window(r, pageLength)
	found, total, unread := p.box.list(start, pageLength)
	page := listPage{Total: total, Unread: unread, Start: start, Newer: -1, Older: -1}
	for _, e := range found {
		page.Messages = append(page.Messages, summarise(e))
	}
	if start > 0 {
		page.Newer = max(0, start-pageLength)
	}
	if start+len(found) < total {
		page.Older = start + pageLength
	}
	p.render(w, http.StatusOK, "list.html", page)
}

func (p *pages) removeAll(w http.ResponseWriter, r *http.Request) {
	if err := p.box.removeAll(); err != nil {
		p.fail(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	found, _, err := p.box.open(r.PathValue("id"))
	if err != nil {
		p.fail(w, err)
		return
	}
	p.render(w, http.StatusOK, "message.html", describe(found))
}

func (p *pages) html(w http.ResponseWriter, r *http.Request) {
	found, _, err := p.box.open(r.PathValue("id"))
	if err != nil {
		p.fail(w, err)
		return
	}
	setHeaders(w, mailPolicy)
	_, _ = w.Write([]byte(frameable(found.mail)))
}

func (p *pages) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "pages/style.css")
}

func (p *pages) fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, errNotFound) {
		status = http.StatusNotFound
	}
	p.render(w, status, "error.html", err.Error())
}

func (p *pages) render(w http.ResponseWriter, status int, name string, data any) {
	var body bytes.Buffer
	if err := p.templates.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setHeaders(w, pagePolicy)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func setHeaders(w http.ResponseWriter, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer") // no other site should learn the address of an email
	w.Header().Set("Cache-Control", "no-store")
}

var head = regexp.MustCompile(`(?i)<head[^>]*>`)

// frameable makes the links of an email open outside of its frame, and embeds its inline images.
func frameable(m mail) string {
	const base = `<base target="_blank">`
	page := m.HTML
	for _, image := range m.Inline {
		data := "data:" + image.ContentType + ";base64," + base64.StdEncoding.EncodeToString(image.body)
		page = strings.ReplaceAll(page, "cid:"+image.ContentID, data)
	}
	if at := head.FindStringIndex(page); at != nil {
		return page[:at[1]] + base + page[at[1]:]
	}
	return base + page
}

func joinAddresses(list []address) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.String()
	}
	return strings.Join(names, ", ")
}
