package mail

import (
	"regexp"

	"github.com/watchparty/watchparty"
)

// enhanced is a code of RFC 3463, such as 5.1.1, at the beginning of an answer.
var enhanced = regexp.MustCompile(`^[245]\.(\d{1,3})\.(\d{1,3})\b`)

// Reason is what the answer means to whoever asked for the mail. It holds nothing of the server's own words.
func (e *SendError) Reason() watchparty.MailReason {
	switch e.Kind {
	case Ambiguous:
		return watchparty.ReasonUnconfirmed
	case Unreachable, Later:
		return watchparty.ReasonServerUnreachable
	}
	subject, detail := "", ""
	if parts := enhanced.FindStringSubmatch(e.Answer); parts != nil {
		subject, detail = parts[1], parts[2]
	}
	switch {
	case subject == "2" && detail == "2", subject == "" && e.Code == 552:
		return watchparty.ReasonMailboxFull
	case e.Kind == Temporary:
		return watchparty.ReasonServerUnreachable
	case subject == "1" && (detail == "7" || detail == "8"), subject == "2" && detail == "3": // the sender, the size
		return watchparty.ReasonMessageRejected
	case subject == "1", subject == "2":
		return watchparty.ReasonAddressRejected
	case subject == "" && (e.Code == 0 || e.Code == 550 || e.Code == 551 || e.Code == 553):
		return watchparty.ReasonAddressRejected
	}
	return watchparty.ReasonMessageRejected
}
