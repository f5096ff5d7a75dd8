package mail

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/mail/smtptest"
)

func TestRedact(t *testing.T) {
	m := Message{
		To: "alice.liddell@wonder.test", ToName: "Alice Liddell",
		Content: Content{Text: "https://watch.test/reset?token=AbCdEfGhIjKlMnOpQrSt-_12"},
	}
	for in, want := range map[string]string{
		"5.1.1 no such user":                                            "5.1.1 no such user",
		"<alice.liddell@wonder.test>: unknown":                          "[redacted] unknown",
		"to=<Alice.Liddell@WONDER.test>, relay=x":                       "[redacted] relay=x",
		`"odd one"@wonder.test unknown`:                                 "[redacted] unknown",
		"bob@other.test and carol+tag@[192.0.2.1] too":                  "[redacted] and [redacted] too",
		"zoë@bücher.test, 用户@例子.test":                                   "[redacted] [redacted]",
		"see alice.liddell%40wonder.test":                               "see [redacted]",
		"alice.liddell @ wonder.test":                                   "[redacted]",
		"alice.liddell＠wonder.test":                                     "[redacted]",
		"ali\u200bce.liddell@won\u00adder.test":                         "[redacted]",
		"b+alice.liddell=wonder.test@relay.test":                        "[redacted]",
		"b+alice.liddell=40wonder.test":                                 "[redacted]",
		"mailbox ALICE.LIDDELL is full":                                 "mailbox [redacted] is full",
		"alice.liddell alice.liddell alice.liddell":                     "[redacted] [redacted] [redacted]",
		"no malice.liddell":                                             "no malice.liddell",
		"Dear Alice Liddell, no":                                        "Dear [redacted], no",
		"size=4096 of 2048":                                             "size=4096 of 2048",
		"bad link watch.test/reset?token=abcdefghijklmnopqrst-_12 here": "bad link watch.test/reset?token=[redacted] here",
		"https://support.google.com/mail/?p=NoSuchUser x-gsmtp":         "https://support.google.com/mail/?p=NoSuchUser x-gsmtp",
		"a\r\nb\x00c\td\u2028e\x1b[31m":                                 "a b c d e [31m",
		"not \xff\xfe UTF-8":                                            "not \uFFFD\uFFFD UTF-8",
		"":                                                              "",
	} {
		require.Equal(t, want, new(Sender).redact(in, m), "%q", in)
	}

	for _, long := range []string{
		strings.Repeat("é", 4000), strings.Repeat("ab@c.test ", 4000), strings.Repeat("\xff", 9000) + "a@b.test",
	} {
		got := new(Sender).redact(long, m)
		require.LessOrEqual(t, utf8.RuneCountInString(got), 500)
		require.True(t, utf8.ValidString(got))
		require.NotContains(t, got, "@")
	}
}

// The kind is told from what the server said, not from what is left of it.
func TestKindDoesNotDependOnTheRecipient(t *testing.T) {
	t.Parallel()
	server := smtptest.Serve(t, smtptest.Script{Answers: map[string]string{"RCPT": "450 4.7.1 greylisted"}})
	m := testMessage(t)
	m.To = "4@wonder.test"
	requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Later)
}

func FuzzRedact(f *testing.F) {
	f.Add("550 <a@b.test>", "Alice")
	f.Add("\"@\xff ＠ \u2028", "")
	f.Fuzz(func(t *testing.T, in, name string) {
		got := new(Sender).redact(in, Message{To: "alice@wonder.test", ToName: name})
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, utf8.RuneCountInString(got), 500)
		require.NotContains(t, got, "@")
		require.NotContains(t, strings.ToLower(got), "alice@")
		require.False(t, strings.ContainsAny(got, "\r\n\t\x00\u0085\u2028\u2029"))
		for _, r := range got {
			require.False(t, r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0)
		}
	})
}
