package mail

import "github.com/watchparty/watchparty"

// Reason is what the answer means to whoever asked for the email. It holds nothing of the server's own words.
func (e *SendError) Reason() watchparty.EmailReason {
	switch {
	case e.Kind == Ambiguous:
		return watchparty.ReasonUnconfirmed
	case e.About == AboutMailbox:
		return watchparty.ReasonMailboxFull
	case e.Kind == Permanent && e.About == AboutRecipient:
		return watchparty.ReasonAddressRejected
	case e.Kind == Permanent:
		return watchparty.ReasonMessageRejected
	}
	return watchparty.ReasonServerUnreachable
}
