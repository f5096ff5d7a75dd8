package inbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMailboxDropsTheOldest(t *testing.T) {
	box, err := openMailbox(t.TempDir())
	require.NoError(t, err)
	box.maxMails = 2
	for _, subject := range []string{"1", "2", "3"} {
		require.NoError(t, box.add(envelope{from: "a@b"}, []byte("Subject: "+subject+"\r\n\r\nx")))
	}

	page, total, unread := box.list(0, 10)
	require.Equal(t, 2, total)
	require.Equal(t, 2, unread)
	require.Equal(t, "3", page[0].mail.Subject)
	require.Equal(t, "2", page[1].mail.Subject)

	again, err := openMailbox(box.dir)
	require.NoError(t, err)
	require.Len(t, again.emails, 2)
	require.Equal(t, box.size, again.size)
}
