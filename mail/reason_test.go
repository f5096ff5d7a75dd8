package mail

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestReason(t *testing.T) {
	for _, tt := range []struct {
		kind   Kind
		code   int
		answer string
		want   watchparty.MailReason
	}{
		{Permanent, 550, "5.1.1 no such user", watchparty.ReasonAddressRejected},
		{Permanent, 550, "5.1.10 the domain takes no mail", watchparty.ReasonAddressRejected},
		{Permanent, 550, "5.2.1 mailbox disabled", watchparty.ReasonAddressRejected},
		{Permanent, 550, "no such user", watchparty.ReasonAddressRejected},
		{Permanent, 551, "user not local", watchparty.ReasonAddressRejected},
		{Permanent, 553, "mailbox name not allowed", watchparty.ReasonAddressRejected},
		{Permanent, 0, "the server takes no such address", watchparty.ReasonAddressRejected},
		{Permanent, 552, "5.2.2 over quota", watchparty.ReasonMailboxFull},
		{Permanent, 550, "5.2.2 over quota", watchparty.ReasonMailboxFull},
		{Permanent, 552, "over quota", watchparty.ReasonMailboxFull},
		{Temporary, 452, "4.2.2 over quota", watchparty.ReasonMailboxFull},
		{Permanent, 552, "5.3.4 too big", watchparty.ReasonMessageRejected},
		{Permanent, 552, "5.2.3 too big", watchparty.ReasonMessageRejected},
		{Permanent, 554, "5.7.1 looks like spam", watchparty.ReasonMessageRejected},
		{Permanent, 554, "transaction failed", watchparty.ReasonMessageRejected},
		{Permanent, 550, "5.7.1 not from you", watchparty.ReasonMessageRejected},
		{Permanent, 550, "5.1.8 the sender's domain is not known", watchparty.ReasonMessageRejected},
		{Temporary, 451, "4.3.0 try later", watchparty.ReasonServerUnreachable},
		{Temporary, 450, "4.1.1 try later", watchparty.ReasonServerUnreachable},
		{Later, 421, "4.7.0 too many", watchparty.ReasonServerUnreachable},
		{Unreachable, 0, "the server refused the connection", watchparty.ReasonServerUnreachable},
		{Ambiguous, 0, "the server closed the connection", watchparty.ReasonUnconfirmed},
	} {
		e := &SendError{Kind: tt.kind, Code: tt.code, Answer: tt.answer}
		require.Equal(t, tt.want, e.Reason(), "%s", e)
	}
}
