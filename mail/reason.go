package mail

import "github.com/watchparty/watchparty"

// Reason returns what the answer means to the person who requested the email, without the words of the server.
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
