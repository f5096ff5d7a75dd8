package inbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/devstack/inbox"
	"github.com/watchparty/watchparty/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const welcome = "From: =?utf-8?q?WatchParty_caf=C3=A9?= <hello@watchparty.test>\r\n" +
	"To: Alice <alice@watchparty.test>\r\n" +
	"Subject: =?utf-8?b?V2lsbGtvbW1lbiDwn46s?=\r\n" +
	"Message-ID: <welcome-1@watchparty.test>\r\n" +
	"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=outer\r\n\r\n" +
	"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n" +
	"--inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Sch=F6n, dass du da bist.\r\n" +
	"--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	"<html><head><style>p{color:red}</style></head><body><p>Schön!</p><img " +
	"src=\"cid:logo\"><script>alert(1)</script></body></html>\r\n" +
	"--inner--\r\n" +
	"--outer\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\r\nPNG\r\n" +
	"--outer\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=report.csv\r\n\r\na,b\r\n" +
	"--outer--\r\n"

type list struct {
	Total, Unread, Count int
	Messages             []struct {
		ID, MessageID, Subject, Snippet string
		Read                            bool
		From                            struct{ Name, Address string }
		To, Cc, Bcc                     []struct{ Name, Address string }
		Size, Attachments               int
	}
}

type message struct {
	ID, MessageID, Subject, Text, HTML, ReturnPath string
	To, Cc, Bcc                                    []struct{ Name, Address string }
	Attachments, Inline                            []struct {
		PartID, FileName, ContentType, ContentID string
		Size                                     int
	}
}

func start(t *testing.T, dir string) *inbox.Server {
	t.Helper()
	s, err := inbox.Start(inbox.Config{SMTPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func send(t *testing.T, s *inbox.Server, body string, to ...string) {
	t.Helper()
	auth := smtp.PlainAuth("", "anyone", "anything", "127.0.0.1")
	require.NoError(t, smtp.SendMail(s.SMTPAddr(), auth, "bounce@watchparty.test", to, []byte(body)))
}

func request(t *testing.T, method, url string, body io.Reader) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, content
}

func getJSON[T any](t *testing.T, s *inbox.Server, path string) T {
	t.Helper()
	status, _, body := request(t, http.MethodGet, "http://"+s.HTTPAddr()+path, nil)
	require.Equal(t, http.StatusOK, status, string(body))
	var value T
	require.NoError(t, json.Unmarshal(body, &value))
	return value
}

func TestMailIsListedAndShown(t *testing.T) {
	s := start(t, t.TempDir())
	send(t, s, welcome, "alice@watchparty.test", "hidden@watchparty.test")

	all := getJSON[list](t, s, "/api/v1/messages")
	require.Equal(t, 1, all.Total)
	require.Equal(t, 1, all.Unread)
	summary := all.Messages[0]
	require.Equal(t, "Willkommen 🎬", summary.Subject)
	require.Equal(t, "welcome-1@watchparty.test", summary.MessageID)
	require.Equal(t, "WatchParty café", summary.From.Name)
	require.Equal(t, "alice@watchparty.test", summary.To[0].Address)
	require.Equal(t, "hidden@watchparty.test", summary.Bcc[0].Address)
	require.NotNil(t, summary.Cc)
	require.Equal(t, "Schön, dass du da bist.", summary.Snippet)
	require.Equal(t, 2, summary.Attachments)
	require.False(t, summary.Read)

	whole := getJSON[message](t, s, "/api/v1/message/"+summary.ID)
	require.Equal(t, "Schön, dass du da bist.", strings.TrimSpace(whole.Text))
	require.Contains(t, whole.HTML, "<p>Schön!</p>")
	require.Equal(t, "bounce@watchparty.test", whole.ReturnPath)
	require.Equal(t, "report.csv", whole.Attachments[0].FileName)
	require.Equal(t, "logo", whole.Inline[0].ContentID)
	require.Equal(t, 0, getJSON[list](t, s, "/api/v1/messages").Unread)

	headers := getJSON[map[string][]string](t, s, "/api/v1/message/latest/headers")
	require.Equal(t, []string{"<welcome-1@watchparty.test>"}, headers["Message-Id"])

	part := "/api/v1/message/" + summary.ID + "/part/" + whole.Attachments[0].PartID
	status, header, body := request(t, http.MethodGet, "http://"+s.HTTPAddr()+part, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "a,b", string(body))
	require.Equal(t, "attachment; filename=report.csv", header.Get("Content-Disposition"))
}

func TestPages(t *testing.T) {
	s := start(t, t.TempDir())
	base := "http://" + s.HTTPAddr()

	_, _, empty := request(t, http.MethodGet, base+"/", nil)
	require.Contains(t, string(empty), "No emails yet")

	send(t, s, welcome, "alice@watchparty.test")
	_, _, page := request(t, http.MethodGet, base+"/", nil)
	require.Contains(t, string(page), "Willkommen 🎬")

	id := getJSON[list](t, s, "/api/v1/messages").Messages[0].ID
	require.Contains(t, string(page), "/message/"+id)
	status, header, page := request(t, http.MethodGet, base+"/message/"+id, nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(page), "alice@watchparty.test")
	require.Contains(t, string(page), "/message/"+id+"/html")
	require.NotContains(t, string(page), "<script")
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")

	_, header, body := request(t, http.MethodGet, base+"/message/"+id+"/html", nil)
	require.Contains(t, string(body), `<head><base target="_blank">`)
	require.Contains(t, string(body), "data:image/png;base64,UE5H")
	require.Contains(t, header.Get("Content-Security-Policy"), "sandbox allow-popups")
	require.NotContains(t, header.Get("Content-Security-Policy"), "script-src")

	status, _, _ = request(t, http.MethodGet, base+"/message/none", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, _, _ = request(t, http.MethodGet, base+"/style.css", nil)
	require.Equal(t, http.StatusOK, status)
	status, _, _ = request(t, http.MethodPost, base+"/delete", nil)
	require.Equal(t, http.StatusOK, status)
	require.Zero(t, getJSON[list](t, s, "/api/v1/messages").Total)
}

func TestListIsNewestFirstAndPaged(t *testing.T) {
	s := start(t, t.TempDir())
	for i := range 5 {
		send(t, s, fmt.Sprintf("Subject: %d\r\n\r\nhello", i), "bob@watchparty.test")
	}
	page := getJSON[list](t, s, "/api/v1/messages?start=1&limit=2")
	require.Equal(t, 5, page.Total)
	require.Equal(t, 2, page.Count)
	require.Equal(t, "3", page.Messages[0].Subject)
	require.Equal(t, "2", page.Messages[1].Subject)
	require.Empty(t, getJSON[list](t, s, "/api/v1/messages?start=9").Messages)
}

func TestDelete(t *testing.T) {
	s := start(t, t.TempDir())
	url := "http://" + s.HTTPAddr() + "/api/v1/messages"
	for range 3 {
		send(t, s, "Subject: x\r\n\r\nhello", "bob@watchparty.test")
	}
	id := getJSON[list](t, s, "/api/v1/messages").Messages[1].ID

	status, _, _ := request(t, http.MethodDelete, url, strings.NewReader(`{"IDs":["`+id+`"]}`))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 2, getJSON[list](t, s, "/api/v1/messages").Total)

	status, _, _ = request(t, http.MethodDelete, url, nil)
	require.Equal(t, http.StatusOK, status)
	require.Zero(t, getJSON[list](t, s, "/api/v1/messages").Total)
}

func TestOtherSitesMayNotDelete(t *testing.T) {
	s := start(t, t.TempDir())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+s.HTTPAddr()+"/api/v1/messages", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", "https://elsewhere.example")
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestUnknownIsJSON(t *testing.T) {
	s := start(t, t.TempDir())
	for _, path := range []string{
		"/api/v1/message/none", "/api/v1/message/latest", "/api/v1/message/..%2f/raw", "/api/v2/x",
	} {
		status, header, body := request(t, http.MethodGet, "http://"+s.HTTPAddr()+path, nil)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Equal(t, "application/json", header.Get("Content-Type"))
		var answer struct{ Error string }
		require.NoError(t, json.Unmarshal(body, &answer))
		require.NotEmpty(t, answer.Error)
	}
}

func TestMailsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	send(t, first, welcome, "alice@watchparty.test", "hidden@watchparty.test")
	before := getJSON[list](t, first, "/api/v1/messages").Messages[0]
	require.NoError(t, first.Close())
	// What a crash in the middle of storing an email leaves behind.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "incoming"), []byte("half"), 0o600))

	second := start(t, dir)
	after := getJSON[list](t, second, "/api/v1/messages")
	require.Equal(t, 1, after.Total)
	require.Equal(t, before, after.Messages[0])
}

func TestTooLargeMailIsRefused(t *testing.T) {
	s := start(t, t.TempDir())
	body := "Subject: big\r\n\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 11<<10)
	err := smtp.SendMail(s.SMTPAddr(), nil, "a@watchparty.test", []string{"b@watchparty.test"}, []byte(body))
	require.ErrorContains(t, err, "552")
	require.Zero(t, getJSON[list](t, s, "/api/v1/messages").Total)
}

func TestUnreadableMailIsStillShown(t *testing.T) {
	s := start(t, t.TempDir())
	for _, body := range []string{
		"no headers at all",
		"Subject: =?x?y?z?=\r\nTo: not an address <\r\nContent-Type: text/plain; charset=no-such\r\n\r\nhello",
		"Subject: cut\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>",
	} {
		send(t, s, body, "bob@watchparty.test")
		got := getJSON[message](t, s, "/api/v1/message/latest")
		status, _, page := request(t, http.MethodGet, "http://"+s.HTTPAddr()+"/message/"+got.ID, nil)
		require.Equal(t, http.StatusOK, status, string(page))
	}
	require.Equal(t, 3, getJSON[list](t, s, "/api/v1/messages").Total)
}

func TestCloseCutsOpenConnections(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	c, err := net.Dial("tcp", s.SMTPAddr())
	require.NoError(t, err)
	defer c.Close()
	reply := make([]byte, 512)
	exchange := func(line string) {
		_, err := io.WriteString(c, line)
		require.NoError(t, err)
		_, err = c.Read(reply)
		require.NoError(t, err)
	}
	_, err = c.Read(reply)
	require.NoError(t, err)
	exchange("HELO x\r\n")
	exchange("MAIL FROM:<a@watchparty.test>\r\n")
	exchange("RCPT TO:<b@watchparty.test>\r\n")
	exchange("DATA\r\n")
	_, err = io.WriteString(c, "Subject: half\r\n\r\nnot the end")
	require.NoError(t, err)

	require.NoError(t, s.Close())
	_, _ = io.Copy(io.Discard, c) // ends, by EOF or reset, because the server is gone
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestPortTaken(t *testing.T) {
	s := start(t, t.TempDir())
	_, err := inbox.Start(inbox.Config{SMTPAddr: "127.0.0.1:0", HTTPAddr: s.HTTPAddr(), Dir: t.TempDir()})
	require.ErrorContains(t, err, "listen for HTTP")
}

func TestMailIsWrittenBeforeItIsAcknowledged(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	send(t, s, welcome, "alice@watchparty.test")
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(content, []byte("Return-Path: <bounce@watchparty.test>\r\n")))
	require.Contains(t, string(content), "X-Envelope-To: alice@watchparty.test\r\n")
}

// TestChartsOfAReportAreShown: the pictures of an email as WatchParty sends it.
func TestChartsOfAReportAreShown(t *testing.T) {
	s := start(t, t.TempDir())
	host, port, err := net.SplitHostPort(s.SMTPAddr())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	sender, err := mail.New(
		config.Email{Host: host, Port: number, TLS: "none", From: "no-reply@watchparty.test", Timeout: 10 * time.Second},
	)
	require.NoError(t, err)
	day := watchparty.ActivityDay{Day: "2026-03-02", Figures: &watchparty.Figures{ActiveUsers: 3}}
	content, err := mail.ActivityReport(watchparty.English, mail.ReportData{
		Report: watchparty.ActivityReport{
			From:    day.Day,
			To:      day.Day,
			Figures: day.Figures,
			Days:    []watchparty.ActivityDay{day},
		},
		URL: "https://watch.test/reports#token=x",
	})
	require.NoError(t, err)
	require.NoError(t, sender.Send(t.Context(), mail.Message{ID: "1", To: "ops@watchparty.test", Content: content}))

	id := getJSON[list](t, s, "/api/v1/messages").Messages[0].ID
	whole := getJSON[message](t, s, "/api/v1/message/"+id)
	require.Len(t, whole.Inline, len(content.Images))
	require.Empty(t, whole.Attachments)
	_, _, page := request(t, http.MethodGet, "http://"+s.HTTPAddr()+"/message/"+id+"/html", nil)
	require.Equal(t, len(content.Images), strings.Count(string(page), `src="data:image/png;base64,`))
	require.NotContains(t, string(page), "cid:")
}
