package console

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchparty/watchparty/auth"
)

//go:embed templates assets
var files embed.FS

// Base is where the console is served.
const Base = "/admin"

// policy is the Content-Security-Policy of all pages. Posters are wherever the catalogue says; previews of emails are
// shown in frames of this server, without scripts.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Deps are the parts that the console is built on.
type Deps struct {
	Log *slog.Logger
	// API is the handler of the API.
	API http.Handler
	// Session finds the sign-in of a token. It returns ErrUnauthenticated if it has ended, or began more than age ago.
	Session func(ctx context.Context, token string, age time.Duration) (auth.Identity, error)
	// Access returns an access token of the API for a sign-in.
	Access func(auth.Identity) (string, error)
	// Secure says whether browsers reach the console by https.
	Secure bool
}

// Console is the handler of all paths below Base.
type Console struct {
	Deps
	pages      *template.Template
	style      []byte
	styleSheet string // its path, with a hash of its content
	protect    *http.CrossOriginProtection
	mux        *http.ServeMux
}

// New makes a console.
func New(d Deps) (*Console, error) {
	c := &Console{Deps: d, protect: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	var err error
	if c.style, err = files.ReadFile("assets/console.css"); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	sum := sha256.Sum256(c.style)
	c.styleSheet = Base + "/assets/" + hex.EncodeToString(sum[:6]) + "/console.css"
	if c.pages, err = template.New("").Funcs(c.functions()).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.mux.HandleFunc("GET "+Base+"/assets/{hash}/console.css", c.serveStyle)
	c.mux.HandleFunc("GET "+Base+"/sign-in", c.showSignIn)
	c.mux.HandleFunc("POST "+Base+"/sign-in", c.signIn)
	c.mux.HandleFunc("POST "+Base+"/sign-out", c.signOut)
	for _, p := range pages() {
		c.mux.Handle("GET "+p.path, c.admins(c.servePage(p)))
	}
	for _, a := range acts() {
		c.mux.Handle("POST "+Base+a.path, c.admins(c.act(a)))
	}
	c.mux.Handle("GET "+Base+"/emails/previews/{kind}/{language}", c.admins(http.HandlerFunc(c.showPreview)))
	c.mux.Handle(Base+"/", c.admins(http.HandlerFunc(c.notFound)))
	return c, nil
}

// ServeHTTP answers requests. A form that another site has sent is refused before it is read.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := c.protect.Check(r); err != nil {
		c.Log.WarnContext(r.Context(), "console refuses a request of another site", slog.String("path", r.URL.Path))
		c.render(w, r, http.StatusForbidden, view{Title: "Refused", Template: "message", Problem: "The request came " +
			"from another site. Open the console in its own tab, and try again."})
		return
	}
	c.mux.ServeHTTP(w, r)
}

func (c *Console) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(c.style)
}

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusNotFound, view{Title: "Not found", Template: "message", Problem: "There is no such page."})
}

// view is what a template shows.
type view struct {
	Title    string
	Nav      string // the entry of the navigation that is current
	Template string
	Data     any
	Query    map[string]string // the filters, as they are typed
	Problem  string            // what went wrong
	Notice   string            // what was done
	Admin    string            // the username; empty before the sign-in
	Path     string
	Back     string  // the page that a refused form was on
	Again    []typed // what a refused form or refused filters had, to be sent again; empty if that makes no sense
	// Unfiltered says that filters were refused, and that the page may be shown without them.
	Unfiltered bool
	Next       string // the address of the next page of a list; empty on the last one
}

// render writes a page. It renders all of it first, so that a fault in a template is no half page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Admin, v.Path, v.Back = usernameOf(r.Context()), r.URL.Path, cameFrom(r)
	if v.Notice == "" {
		v.Notice = c.takeNotice(w, r)
	}
	var b strings.Builder
	if err := c.pages.ExecuteTemplate(&b, v.Template, v); err != nil {
		c.Log.ErrorContext(r.Context(), "console page not rendered", slog.String("page", v.Template), slog.Any("error", err))
		http.Error(w, "The page could not be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

// cameFrom returns the page of the console that a form was sent from, and nothing for others. A form that was refused
// before remembers the page in a field.
func cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if before := r.PostFormValue(backField); before != "" && err == nil {
		from, err = from.Parse(before)
	}
	if r.Method != http.MethodPost || err != nil || from.Host != r.Host || !strings.HasPrefix(from.Path, Base) {
		return ""
	}
	return from.RequestURI()
}

// failed shows why the API refuses a request.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, v view, err error) {
	var p *problem
	switch {
	case errors.As(err, &p) && p.Status == http.StatusUnauthorized:
		c.toSignIn(w, r)
	case errors.As(err, &p):
		v.Problem = p.Error()
		if v.Template == "" || v.Data == nil {
			v.Template = "message"
		}
		c.render(w, r, p.Status, v)
	default:
		c.Log.ErrorContext(r.Context(), "console request failed", slog.Any("error", err))
		v.Problem, v.Template = "Something went wrong on our side.", "message"
		c.render(w, r, http.StatusInternalServerError, v)
	}
}
