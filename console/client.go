package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

// problem is the reason why the API has refused a request.
type problem struct{ contract.Problem }

func (p *problem) Error() string {
	text := p.Title
	if p.Detail != nil {
		text = *p.Detail
	}
	if p.Errors != nil {
		for _, field := range *p.Errors {
			text += " " + labelOf(field.Field) + " " + field.Message + "."
		}
	}
	return text
}

// labels are the labels of fields that have another one than their name.
var labels = map[string]string{
	"q": "What to search for", "from": "“From”", "to": "“Before”", "user_id": "The account", "host_id": "The host",
	"actor_id": "The admin", "target_id": "What it was done to", "room_id": "The room ID",
	"invitation_id": "The invitation ID", "note": "The reason", "older_than": "“Older than”",
}

// labelOf is how a page calls a field.
func labelOf(field string) string {
	if label := labels[field]; label != "" {
		return label
	}
	return words(field)
}

func (c *Console) get(r *http.Request, path string, into any) error {
	return c.send(r, http.MethodGet, path, nil, into)
}

// send sends a request to the API in this process, as the admin of r and from r's client. It returns a *problem if the
// API refuses it.
func (c *Console) send(r *http.Request, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("console: encode the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(r.Context(), method, "/api"+path, content) //nolint:gosec // to this process
	if err != nil {
		return fmt.Errorf("console: make the request: %w", err)
	}
	request.Host, request.RemoteAddr = r.Host, r.RemoteAddr
	for _, name := range []string{"User-Agent", "X-Forwarded-For"} {
		if value := r.Header.Values(name); len(value) > 0 {
			request.Header[name] = value
		}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if id, ok := r.Context().Value(identityKey{}).(auth.Identity); ok {
		token, err := c.Access(id)
		if err != nil {
			return fmt.Errorf("console: access token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	c.API.ServeHTTP(answer, request)
	if answer.status >= http.StatusBadRequest {
		p := &problem{}
		if err := json.Unmarshal(answer.body.Bytes(), &p.Problem); err != nil {
			return fmt.Errorf("console: %s %s: status %d", method, pathOnly(path), answer.status)
		}
		p.Status = answer.status
		return p
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer.body.Bytes(), into); err != nil {
		return fmt.Errorf("console: read the answer of %s: %w", pathOnly(path), err)
	}
	return nil
}

// pathOnly returns a path without its query, which may contain an address.
func pathOnly(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// recorder keeps an answer of the API.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header         { return a.header }
func (a *recorder) WriteHeader(status int)      { a.status = status }
func (a *recorder) Write(p []byte) (int, error) { return a.body.Write(p) } //nolint:wrapcheck // never fails

// fill replaces {name} in a path of the API by the values of the console's path.
func fill(path string, r *http.Request) string {
	for {
		before, rest, found := strings.Cut(path, "{")
		if !found {
			return path
		}
		name, after, _ := strings.Cut(rest, "}")
		path = before + url.PathEscape(r.PathValue(name)) + after
	}
}
