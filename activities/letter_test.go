package activities_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

var oneTime = auth.NewOneTime("a secret of the tests")

// emailFixture is a user whose welcome email is queued, and the activities that send it.
type emailFixture struct {
	*testsuite.TestActivityEnvironment
	t          *testing.T
	store      *store.Store
	activities *activities.Email
	user       watchparty.User
	in         job.EmailInput
}

func newEmailFixture(t *testing.T, s *mail.Sender) *emailFixture {
	t.Helper()
	l := &emailFixture{t: t, store: openStore(t)}
	l.activities = &activities.Email{
		Store:       l.store,
		Sender:      s,
		OneTime:     oneTime,
		FrontendURL: "http://watchparty.test",
		PublicURL:   "https://api.watchparty.test",
	}
	l.TestActivityEnvironment = environment(l.activities)
	l.user = register(t, l.store,
		"alice"+strings.ToLower(stacktest.KeyPrefix(t)[len(stacktest.KeyPrefix(t))-13:len(stacktest.KeyPrefix(t))-1]))
	err := l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("user_id = ?", l.user.ID).
		Scan(t.Context(), &l.in.EmailID)
	require.NoError(t, err)
	return l
}

func (l *emailFixture) send() error {
	_, err := l.ExecuteActivity(job.ActivitySendEmail, l.in)
	return err
}

func (l *emailFixture) row() watchparty.Email {
	l.t.Helper()
	row, err := l.store.Email(l.t.Context(), l.in.EmailID)
	require.NoError(l.t, err)
	return row
}

// requireNothingPersonal wants a text to name neither the user nor what the server said.
func (l *emailFixture) requireNothingPersonal(text string) {
	l.t.Helper()
	for _, word := range []string{l.user.Email, l.user.Username, l.user.DisplayName, "@", "mailbox"} {
		require.NotContains(l.t, strings.ToLower(text), strings.ToLower(word))
	}
}

type inboxMessage struct {
	ID, MessageID, Subject string
	To                     []struct{ Address string }
}

// receivedEmails are the emails that the inbox has for an address.
func receivedEmails(t *testing.T, address string) (found []inboxMessage) {
	t.Helper()
	require.NotEmpty(t, stacktest.InboxURL(), "with SMTP_HOST, INBOX_URL has to be set too")
	var list struct{ Messages []inboxMessage }
	fetch(t, stacktest.InboxURL()+"/api/v1/messages?limit=1000", &list)
	for _, m := range list.Messages {
		if len(m.To) == 1 && m.To[0].Address == address {
			found = append(found, m)
		}
	}
	return found
}

func fetch(t *testing.T, url string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // read to its end
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}

// newInvitation is a letter that brings an invitation of its user's to an address without an account.
func newInvitation(t *testing.T, s *mail.Sender) (*emailFixture, watchparty.Invitation) {
	t.Helper()
	l := newEmailFixture(t, s)
	room, err := l.store.CreateRoom(
		t.Context(),
		l.user.ID,
		watchparty.NewRoom{
			Name:       "Silents & <b>more</b>",
			Visibility: watchparty.Private,
			Capacity:   5,
		},
		store.IdempotencyKey{},
	)
	require.NoError(t, err)
	execute(t, l.store, "UPDATE users SET email_verified_at = now() WHERE id = ?", l.user.ID)
	guest := watchparty.NewInvitation{Email: "guest-of-" + l.user.Email}
	invitation, err := l.store.Invite(t.Context(), room.ID, l.user.ID, guest, store.IdempotencyKey{})
	require.NoError(t, err)
	err = l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("subject_id = ?", invitation.ID).
		Scan(t.Context(), &l.in.EmailID)
	require.NoError(t, err)
	return l, invitation
}

// letterOf is the email of that kind that is queued last.
func (l *emailFixture) letterOf(kind watchparty.EmailKind) *emailFixture {
	l.t.Helper()
	err := l.store.DB().
		NewSelect().
		Table("emails").
		Column("id").
		Where("kind = ?", string(kind)).
		Order("id DESC").
		Limit(1).
		Scan(l.t.Context(), &l.in.EmailID)
	require.NoError(l.t, err)
	return l
}

// requireSent sends the email and returns what came to an address; none for one that was cancelled.
func (l *emailFixture) requireSent(to string, state watchparty.EmailState) (text string) {
	l.t.Helper()
	for range 2 {
		value, err := l.ExecuteActivity(job.ActivitySendEmail, l.in)
		require.NoError(l.t, err)
		var result job.EmailResult
		require.NoError(l.t, value.Get(&result))
		require.Equal(l.t, state, result.State)
		require.Equal(l.t, state, l.row().State)
	}
	var shown struct{ Text string }
	for _, m := range receivedEmails(l.t, to) {
		if m.MessageID == l.in.EmailID+"@watchparty.test" {
			require.Empty(l.t, shown.Text, "it came twice")
			fetch(l.t, stacktest.InboxURL()+"/api/v1/message/"+m.ID, &shown)
		}
	}
	return shown.Text
}
