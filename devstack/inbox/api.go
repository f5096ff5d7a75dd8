package inbox

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

const defaultLimit = 50

// api is the API for programs. Its types have the fields of Mailpit.
type api struct{ box *mailbox }

type messageList struct {
	Total          int              `json:"total"`
	Unread         int              `json:"unread"`
	Count          int              `json:"count"`
	MessagesCount  int              `json:"messages_count"`
	MessagesUnread int              `json:"messages_unread"`
	Start          int              `json:"start"`
	Tags           []string         `json:"tags"`
	Messages       []messageSummary `json:"messages"`
}

type messageSummary struct {
	ID          string
	MessageID   string
	Read        bool
	From        address
	To          []address
	Cc          []address
	Bcc         []address
	ReplyTo     []address
	Subject     string
	Created     time.Time
	Tags        []string
	Size        int64
	Attachments int
	Snippet     string
}

type message struct {
	ID          string
	MessageID   string
	From        address
	To          []address
	Cc          []address
	Bcc         []address
	ReplyTo     []address
	ReturnPath  string
	Subject     string
	Date        time.Time
	Tags        []string
	Text        string
	HTML        string
	Size        int64
	Inline      []part
	Attachments []part
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	start, limit := window(r, defaultLimit)
	page, total, unread := a.box.list(start, limit)
	answer := messageList{
		Total: total, Unread: unread, Count: len(page), MessagesCount: total, MessagesUnread: unread, Start: start,
		Tags: []string{}, Messages: make([]messageSummary, len(page)),
	}
	for i, e := range page {
		answer.Messages[i] = summarise(e)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	var body struct{ IDs []string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body)
	if err != nil && !errors.Is(err, io.EOF) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"Error": err.Error()})
		return
	}
	if len(body.IDs) == 0 {
		err = a.box.removeAll()
	} else {
		err = a.box.remove(body.IDs)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "ok")
}

func (a *api) show(w http.ResponseWriter, r *http.Request) {
	found, _, err := a.box.open(r.PathValue("id"))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, describe(found))
}

func (a *api) headers(w http.ResponseWriter, r *http.Request) {
	found, _, err := a.box.open(r.PathValue("id"))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, found.mail.Headers)
}

func (a *api) raw(w http.ResponseWriter, r *http.Request) {
	_, raw, err := a.box.open(r.PathValue("id"))
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(raw)
}

func (a *api) part(w http.ResponseWriter, r *http.Request) {
	found, _, err := a.box.open(r.PathValue("id"))
	if err != nil {
		writeError(w, err)
		return
	}
	p, ok := found.mail.part(r.PathValue("part"))
	if !ok {
		writeError(w, errNotFound)
		return
	}
	// The part is downloaded, not shown: an attached page would run in the origin of this server.
	w.Header().Set("Content-Type", p.ContentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": p.FileName}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(p.body)
}

func (a *api) unknown(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, map[string]string{"Error": "no such endpoint"})
}

func summarise(e entry) messageSummary {
	m := e.mail
	return messageSummary{
		ID: e.id, MessageID: m.MessageID, Read: e.read, From: m.From, To: orEmpty(m.To), Cc: orEmpty(m.Cc),
		Bcc: orEmpty(m.Bcc), ReplyTo: orEmpty(m.ReplyTo), Subject: m.Subject, Created: e.created, Tags: []string{},
		Size: e.size, Attachments: len(m.Attachments) + len(m.Inline), Snippet: m.Snippet,
	}
}

func describe(e entry) message {
	m := e.mail
	return message{
		ID: e.id, MessageID: m.MessageID, From: m.From, To: orEmpty(m.To), Cc: orEmpty(m.Cc), Bcc: orEmpty(m.Bcc),
		ReplyTo: orEmpty(m.ReplyTo), ReturnPath: m.ReturnPath, Subject: m.Subject, Date: shownDate(e),
		Tags: []string{}, Text: m.Text, HTML: m.HTML, Size: e.size, Inline: orEmpty(m.Inline),
		Attachments: orEmpty(m.Attachments),
	}
}

func shownDate(e entry) time.Time {
	if e.mail.Date.IsZero() {
		return e.created
	}
	return e.mail.Date
}

// orEmpty makes a list [] in JSON instead of null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// window reads start and limit. Invalid values count as absent.
func window(r *http.Request, limitUnlessTold int) (start, limit int) {
	query := r.URL.Query()
	start, err := strconv.Atoi(query.Get("start"))
	if err != nil || start < 0 {
		start = 0
	}
	limit, err = strconv.Atoi(query.Get("limit"))
	if err != nil || limit <= 0 {
		limit = limitUnlessTold
	}
	return start, limit
}

func writeError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, errNotFound) {
		status = http.StatusNotFound
	}
	writeJSON(w, status, map[string]string{"Error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only when the client is gone
}
