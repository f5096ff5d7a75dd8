package mail

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"html"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/mail/smtptest"
	"github.com/watchparty/watchparty/report"
)

const reportLink = "https://watch.test/reports#token=x"

func reportEmail(t *testing.T, l watchparty.Language) Content {
	t.Helper()
	c, err := ActivityReport(l, ReportData{Report: madeUpReport(), URL: reportLink})
	require.NoError(t, err)
	return c
}

func TestActivityReport(t *testing.T) {
	for l, want := range map[watchparty.Language]struct{ subject, table, button string }{
		watchparty.English: {
			"WatchParty, 16–22 December 2030: 61 active people",
			`
Figure                  Now  Before  Change
New people               14      10    +40%
Active people            61      58   +5.2%
Returning people         47      48   −2.1%
Rooms opened             33      33     ±0%
Hours together        194.0   201.0   −3.5%
Messages              1,249     998    +25%
Invitations accepted     23      20    +15%
Emails failed             1       0       –
`, "See the whole report",
		},
		watchparty.German: {
			"WatchParty, 16.–22. Dezember 2030: 61 aktive Personen",
			`
Kennzahl                 Jetzt  Davor  Änderung
Neue Personen               14     10     +40 %
Aktive Personen             61     58    +5,2 %
Wiederkehrende Personen     47     48    −2,1 %
Geöffnete Räume             33     33      ±0 %
Gemeinsame Stunden       194,0  201,0    −3,5 %
Nachrichten              1.249    998     +25 %
Angenommene Einladungen     23     20     +15 %
Fehlgeschlagene E-Mails      1      0         –
`, "Den ganzen Bericht ansehen",
		},
	} {
		t.Run(string(l), func(t *testing.T) {
			c := reportEmail(t, l)
			require.Equal(t, want.subject, c.Subject)
			require.Contains(t, strings.ReplaceAll(c.Text, "\u00a0", " "), want.table)
			require.Contains(t, c.Text, want.button+":\n"+reportLink+"\n")
			for line := range strings.SplitSeq(c.Text, "\n") {
				require.LessOrEqual(t, utf8.RuneCountInString(line), textWidth)
			}
			text := strings.Replace(strings.Replace(c.Text, "-- \n", "", 1), want.button+":", want.button, 1)
			page := titles.ReplaceAllString(c.HTML, "")
			require.Equal(t, strings.Fields(text), strings.Fields(visibleText(page)),
				"the same in both parts, but for the pictures")

			pictures, err := report.Pictures(l, madeUpReport())
			require.NoError(t, err)
			require.Len(t, c.Images, 3)
			for i, image := range c.Images {
				require.Equal(t,
					Image{Name: pictures[i].Name, Title: pictures[i].Title, Alt: pictures[i].Alt, PNG: pictures[i].PNG}, image)
				require.Contains(t, c.HTML, html.EscapeString(image.Title)+"</p>")
				require.Contains(t, c.HTML, ` src="cid:`+image.Name+`@watchparty" width="494" alt="`+escapeAttribute(image.Alt)+`"`)
			}
			require.NotContains(t, c.HTML, "ZgotmplZ")
			require.Contains(t, c.HTML, `<html lang="`+string(l)+`"`)
		})
	}
}

// titles are what stands above the pictures.
var titles = regexp.MustCompile(`<p class="ink"[^>]*font-weight:600[^>]*>[^<]*</p>\n<p[^>]*><img[^>]*>`)

// escapeAttribute is how html/template escapes an attribute's text.
func escapeAttribute(s string) string { return strings.ReplaceAll(html.EscapeString(s), "+", "&#43;") }

func TestActivityReportWithoutThePeriodBefore(t *testing.T) {
	for l, want := range map[watchparty.Language]string{
		watchparty.English: "Not everything is known about the period before, 9–15 December 2030.",
		watchparty.German:  "Über den Zeitraum davor, 9.–15. Dezember 2030, ist nicht alles bekannt.",
	} {
		r := madeUpReport()
		require.NotContains(t, strings.Join(strings.Fields(reportEmail(t, l).Text), " "), want)
		r.Previous = nil
		c, err := ActivityReport(l, ReportData{Report: r, URL: reportLink})
		require.NoError(t, err)
		require.Contains(t, strings.Join(strings.Fields(c.Text), " "), want)
	}
}

func TestActivityReportRefuses(t *testing.T) {
	for _, d := range []ReportData{
		{Report: madeUpReport()}, {Report: madeUpReport(), URL: "javascript:alert(1)"}, {URL: reportLink},
	} {
		_, err := ActivityReport(watchparty.English, d)
		require.Error(t, err)
	}
}

// part is one of a multipart, with its parts.
type part struct {
	kind      string
	params    map[string]string
	contentID string
	shown     string // its disposition
	body      []byte
	parts     []part
}

func readParts(t *testing.T, contentType string, header func(string) string, body io.Reader) part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	p := part{kind: kind, params: params, contentID: header("Content-Id"), shown: header("Content-Disposition")}
	if !strings.HasPrefix(kind, "multipart/") {
		p.body, err = io.ReadAll(body)
		require.NoError(t, err)
		if header("Content-Transfer-Encoding") == "base64" {
			p.body, err = io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.body)))
			require.NoError(t, err)
		}
		return p
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		next, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // NextPart documents this very value
			return p
		}
		require.NoError(t, err)
		p.parts = append(p.parts, readParts(t, next.Header.Get("Content-Type"), next.Header.Get, next))
	}
}

var (
	cids = regexp.MustCompile(`src="cid:([^"]+)"`)
	srcs = regexp.MustCompile(`src="`)
)

// TestSendWithImages: a multipart/related whose root is what other emails are, and whose pictures are those that the
// HTML shows.
func TestSendWithImages(t *testing.T) {
	server := smtptest.Serve(t, smtptest.Script{})
	m := testMessage(t)
	m.Content = reportEmail(t, watchparty.German)
	require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))

	content := server.Contents()[0]
	for line := range strings.SplitSeq(content, "\r\n") {
		require.LessOrEqual(t, len(line), 78, line)
	}
	require.Less(t, len(content), 150_000)
	msg, err := netmail.ReadMessage(strings.NewReader(content))
	require.NoError(t, err)
	related := readParts(t, msg.Header.Get("Content-Type"), msg.Header.Get, msg.Body)
	require.Equal(t, "multipart/related", related.kind)
	require.Equal(t, "multipart/alternative", related.params["type"])
	require.Len(t, related.parts, 1+3)

	alternative := related.parts[0]
	require.Equal(t, "multipart/alternative", alternative.kind)
	require.Len(t, alternative.parts, 2)
	require.Equal(t, "text/plain", alternative.parts[0].kind)
	require.Equal(t, "text/html", alternative.parts[1].kind)
	require.Equal(t, m.Content.Text, strings.ReplaceAll(string(alternative.parts[0].body), "\r\n", "\n"))
	page := strings.ReplaceAll(string(alternative.parts[1].body), "\r\n", "\n")
	require.Equal(t, m.Content.HTML, page)

	pictures := map[string][]byte{}
	for _, p := range related.parts[1:] {
		require.Equal(t, "image/png", p.kind)
		require.True(t, strings.HasPrefix(p.shown, "inline"), p.shown)
		require.Regexp(t, `^<[^<>@\s]+@[^<>@\s]+>$`, p.contentID)
		_, err := png.Decode(bytes.NewReader(p.body))
		require.NoError(t, err)
		pictures["<"+strings.Trim(p.contentID, "<>")+">"] = p.body
	}
	shown := cids.FindAllStringSubmatch(page, -1)
	require.Len(t, shown, len(pictures))
	require.Len(t, srcs.FindAllString(page, -1), len(pictures), "nothing from elsewhere")
	for i, id := range shown {
		require.Equal(t, m.Content.Images[i].PNG, pictures["<"+id[1]+">"])
	}
}

func TestSendSignsImages(t *testing.T) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	server := smtptest.Serve(t, smtptest.Script{})
	c := smtpConfig(server)
	c.DKIMSelector, c.DKIMKeyFile = "2026", pemFile(t, "PRIVATE KEY", pkcs8(t, key))
	m := testMessage(t)
	m.Content = reportEmail(t, watchparty.English)
	require.NoError(t, newSender(t, c).Send(t.Context(), m))
	require.NoError(
		t, requireSigned(t, server.Contents()[0], "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(public)),
	)
}

func TestSendRefusesImagesThatAreNone(t *testing.T) {
	good := reportEmail(t, watchparty.English).Images[0]
	for name, change := range map[string]func(*Image){
		"no name":             func(i *Image) { i.Name = "" },
		"a name with a break": func(i *Image) { i.Name = "x>\r\nBcc: victim@other.test" },
		"no picture":          func(i *Image) { i.PNG = nil },
		"another picture":     func(i *Image) { i.PNG = []byte("<svg/>") },
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.Serve(t, smtptest.Script{})
			m := testMessage(t)
			bad := good
			change(&bad)
			m.Content.Images = []Image{bad}
			requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Permanent)
			require.Empty(t, server.Commands())
		})
	}
}

// TestEmailsWithoutImagesHaveNoneOfTheirParts: even one whose text looks like such a header.
func TestEmailsWithoutImagesHaveNoneOfTheirParts(t *testing.T) {
	server := smtptest.Serve(t, smtptest.Script{})
	m := testMessage(t)
	m.Content.Text = "x\nContent-Type: multipart/related;\n"
	require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(), m))
	requireEmail(t, server, m)
}

func TestPreviewOfAReportShowsItsPictures(t *testing.T) {
	previews, err := Previews(watchparty.English)
	require.NoError(t, err)
	for _, p := range previews {
		require.NotContains(t, p.HTML, "cid:")
		require.Equal(t, p.Kind == watchparty.EmailActivityReport, strings.Contains(p.HTML, `src="data:image/png;base64,`))
	}
}

func TestActivityReportOfWhatWasNotCounted(t *testing.T) {
	since := watchparty.Day("2030-12-30")
	r := madeUpReport()
	r.CountedSince, r.Figures, r.Previous = &since, nil, nil
	for i := range r.Days {
		r.Days[i].Figures = nil
	}
	for l, want := range map[watchparty.Language][2]string{
		watchparty.English: {
			"WatchParty, 16–22 December 2030: not known",
			"Counting began on 30 December 2030; what happened before is not known.",
		},
		watchparty.German: {"WatchParty, 16.–22. Dezember 2030: nicht bekannt",
			"Gezählt wird seit dem 30. Dezember 2030; was davor geschah, ist nicht bekannt."},
	} {
		c, err := ActivityReport(l, ReportData{Report: r, URL: reportLink})
		require.NoError(t, err)
		require.Equal(t, want[0], c.Subject)
		require.Contains(t, strings.Join(strings.Fields(c.Text), " "), want[1])
		require.Contains(t, strings.Join(strings.Fields(visibleText(c.HTML)), " "), want[1])
		require.Empty(t, c.Images)
		require.NotRegexp(t, `\b0\b`, c.Text)
	}
}
