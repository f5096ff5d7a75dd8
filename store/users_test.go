package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestCreateUser(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("stores the account, its email and the event", func(t *testing.T) {
		user, err := s.CreateUser(t.Context(), watchparty.Registration{
			Username: "Ada.L", Email: "Ada@Example.org", DisplayName: "Ада 🎬", Password: "never stored",
		}, "the hash")
		require.NoError(t, err)
		require.Equal(t, uuid.Version(7), uuid.MustParse(user.ID).Version())
		require.Equal(t, "Ada.L", user.Username)
		require.Equal(t, "Ada@Example.org", user.Email)
		require.Equal(t, "Ада 🎬", user.DisplayName)
		require.False(t, user.Admin)
		require.Zero(t, user.EmailVerifiedAt)

		stored, err := s.User(t.Context(), user.ID)
		require.NoError(t, err)
		require.Equal(t, user, stored, "what is answered after the write is what is read later")

		emailID := readValue[string](t, s, "SELECT id FROM emails WHERE user_id = ?", user.ID)
		email, err := s.Email(t.Context(), emailID)
		require.NoError(t, err)
		require.Equal(t, watchparty.EmailWelcome, email.Kind)
		require.Equal(t, watchparty.EmailQueued, email.State)
		require.Equal(t, "welcome-email/"+user.ID, email.WorkflowID)

		var event struct {
			Workflow, TaskQueue, State string
			Input                      json.RawMessage
		}
		require.NoError(t, s.db.NewRaw("SELECT workflow, task_queue, state, input FROM outbox WHERE workflow_id = ?",
			email.WorkflowID).Scan(t.Context(), &event))
		require.Equal(t, job.WorkflowWelcomeEmail, event.Workflow)
		require.Equal(t, job.TaskQueueEmail, event.TaskQueue)
		require.Equal(t, "pending", event.State)
		require.JSONEq(t, `{"email_id": "`+emailID+`"}`, string(event.Input), "identifiers and nothing else")
	})

	t.Run("name and address are unique without regard to case", func(t *testing.T) {
		newUser(t, s, "Grace")
		r := registration("gRACE")
		r.Email = "other@example.org"
		_, err := s.CreateUser(t.Context(), r, "h")
		require.ErrorIs(t, err, watchparty.ErrUsernameTaken)

		r = registration("someone-else")
		r.Email = "GRACE@EXAMPLE.ORG"
		_, err = s.CreateUser(t.Context(), r, "h")
		require.ErrorIs(t, err, watchparty.ErrEmailTaken)

		require.Equal(t, 1, readValue[int](t, s,
			"SELECT count(*) FROM users WHERE lower(username) IN ('grace', 'someone-else')"))
	})

	t.Run("keeps what is written in any script", func(t *testing.T) {
		r := registration("scripts")
		r.DisplayName = "e\u0301 👩‍👩‍👧 שלום ' \\ ? ?0 $1 --"
		user, err := s.CreateUser(t.Context(), r, "h?'")
		require.NoError(t, err)
		stored, hash, err := s.Credentials(t.Context(), r.Email)
		require.NoError(t, err)
		require.Equal(t, r.DisplayName, stored.DisplayName)
		require.Equal(t, user, stored)
		require.Equal(t, "h?'", hash)
	})
}

func TestCreateUserIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	t.Run("no event, no account", func(t *testing.T) {
		execute(t, s, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'`)
		execute(t, s, `CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()`)
		_, err := s.CreateUser(t.Context(), registration("ada"), "h")
		require.ErrorContains(t, err, "refused")
		require.Zero(t, countRows(t, s, "users"))
		require.Zero(t, countRows(t, s, "emails"))
		require.Empty(t, s.Events(), "no signal without an event")
		execute(t, s, `DROP TRIGGER refuse ON outbox`)
	})

	t.Run("no email, no account", func(t *testing.T) {
		execute(t, s, `CREATE TRIGGER refuse BEFORE INSERT ON emails FOR EACH ROW EXECUTE FUNCTION refuse()`)
		_, err := s.CreateUser(t.Context(), registration("ada"), "h")
		require.ErrorContains(t, err, "refused")
		require.Zero(t, countRows(t, s, "users"))
		require.Zero(t, countRows(t, s, "outbox"))
		execute(t, s, `DROP TRIGGER refuse ON emails`)
	})

	t.Run("the event is announced after the commit", func(t *testing.T) {
		// A commit that lasts: a signal before its end would be seen too early.
		execute(
			t, s, `CREATE FUNCTION last() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'`,
		)
		execute(t, s, `CREATE CONSTRAINT TRIGGER last AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION last()`)
		seen := make(chan int)
		go func() {
			<-s.Events()
			n := -1
			_ = s.db.NewRaw("SELECT count(*) FROM outbox").Scan(context.Background(), &n)
			seen <- n
		}()
		newUser(t, s, "ada")
		require.Equal(t, 1, <-seen)
		execute(t, s, `DROP TRIGGER last ON outbox`)

		_, err := s.CreateUser(t.Context(), registration("ADA"), "h")
		require.Error(t, err)
		require.Empty(t, s.Events())
	})

	t.Run("a workflow that is in the outbox already takes back what was done before", func(t *testing.T) {
		user := newUser(t, s, "bob")
		<-s.Events()
		events := countRows(t, s, "outbox")
		err := s.withEvent(t.Context(), func(ctx context.Context, tx bun.Tx) (job.Event, error) {
			_, err := tx.NewUpdate().Model((*userRow)(nil)).Set("display_name = 'changed'").Where("id = ?", user.ID).Exec(ctx)
			return job.WelcomeEmailEvent(user.ID, newID()), err
		})
		require.True(t, violates(err, "outbox_workflow_id_key"), "%v", err)
		require.Empty(t, s.Events())
		stored, err := s.User(t.Context(), user.ID)
		require.NoError(t, err)
		require.Equal(t, user, stored)
		require.Equal(t, events, countRows(t, s, "outbox"))
	})
}

func TestUsersByUsername(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob, gone := newUser(t, s, "Ada"), newUser(t, s, "bob"), newUser(t, s, "carl")
	err := s.DeleteAccount(t.Context(), gone.ID, "hash of "+gone.Username)
	require.NoError(t, err)
	found, err := s.UsersByUsername(t.Context(), []string{"BOB", "ada", "ada", "carl", "nobody", ""})
	require.NoError(t, err)
	require.Equal(t, []watchparty.User{ada, bob}, found)
}

func TestParallelRegistrationsOfOneName(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	const attempts = 100
	errs := make([]error, attempts)
	var wg sync.WaitGroup
	for i := range attempts {
		wg.Go(func() {
			r := registration([]string{"ada", "Ada", "ADA"}[i%3])
			r.Email = fmt.Sprintf("ada%d@example.org", i)
			_, errs[i] = s.CreateUser(t.Context(), r, "h")
		})
	}
	wg.Wait()
	created := 0
	for _, err := range errs {
		if err == nil {
			created++
			continue
		}
		require.ErrorIs(t, err, watchparty.ErrUsernameTaken)
	}
	require.Equal(t, 1, created)
	for _, table := range []string{"users", "emails", "outbox"} {
		require.Equal(t, 1, countRows(t, s, table), table)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	s := openStore(t)

	t.Run("find", func(t *testing.T) {
		ada := newUser(t, s, "Ada")
		found, err := s.UserByUsername(t.Context(), "aDA")
		require.NoError(t, err)
		require.Equal(t, ada, found)
		found, hash, err := s.Credentials(t.Context(), "ADA@example.ORG")
		require.NoError(t, err)
		require.Equal(t, ada, found)
		require.Equal(t, "hash of Ada", hash)
	})

	t.Run("find nobody", func(t *testing.T) {
		newUser(t, s, "nobody2")
		_, err := s.User(t.Context(), newID())
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		for _, name := range []string{"nobody", "nobody%", "nobody_"} {
			_, err = s.UserByUsername(t.Context(), name)
			require.ErrorIs(t, err, watchparty.ErrNotFound, name)
		}
		user, hash, err := s.Credentials(t.Context(), "nobody@example.org")
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.Empty(t, user.ID)
		require.Empty(t, hash)
	})

	t.Run("update", func(t *testing.T) {
		carl, dora := newUser(t, s, "carl"), newUser(t, s, "dora")
		name := "Charles"
		before := readValue[time.Time](t, s, "SELECT clock_timestamp()")
		changed, err := s.UpdateProfile(t.Context(), carl.ID, watchparty.ProfileChange{DisplayName: &name})
		require.NoError(t, err)
		require.Equal(t, "Charles", changed.DisplayName)
		require.Equal(t, "carl", changed.Username)
		require.True(t, changed.UpdatedAt.After(before))
		stored, err := s.User(t.Context(), carl.ID)
		require.NoError(t, err)
		require.Equal(t, changed, stored)
		other, err := s.User(t.Context(), dora.ID)
		require.NoError(t, err)
		require.Equal(t, dora, other, "nobody else changes")

		same, err := s.UpdateProfile(t.Context(), carl.ID, watchparty.ProfileChange{})
		require.NoError(t, err)
		require.Equal(t, "Charles", same.DisplayName)
		_, err = s.UpdateProfile(t.Context(), newID(), watchparty.ProfileChange{DisplayName: &name})
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	})

	t.Run("grant admin", func(t *testing.T) {
		emil, fritz := newUser(t, s, "emil"), newUser(t, s, "fritz")
		confirmAddresses(t, s, emil)
		granted, err := s.GrantAdmin(t.Context(), "EMIL@example.org")
		require.NoError(t, err)
		require.Equal(t, emil.ID, granted.ID)
		require.True(t, granted.Admin)
		stored, err := s.User(t.Context(), emil.ID)
		require.NoError(t, err)
		require.True(t, stored.Admin)
		other, err := s.User(t.Context(), fritz.ID)
		require.NoError(t, err)
		require.False(t, other.Admin)

		_, err = s.GrantAdmin(t.Context(), "nobody@example.org")
		require.ErrorIs(t, err, watchparty.ErrNotFound)
	})
}

// The domain's times are UTC wherever the server is.
func TestTimesAreUTC(t *testing.T) {
	t.Parallel()
	s := openStoreInZone(t, "Asia/Kolkata")

	user := newUser(t, s, "ada")
	room := newRoom(t, s, user, nil)
	postMessage(t, s, room, user, "hello")
	execute(t, s, "UPDATE users SET email_verified_at = now()")
	execute(t, s, "UPDATE rooms SET archived_at = now()")
	emailID := readValue[string](t, s, "SELECT id FROM emails")
	require.NoError(t, s.MarkEmailSent(t.Context(), emailID, 1))

	user, err := s.User(t.Context(), user.ID)
	require.NoError(t, err)
	room, err = s.Room(t.Context(), room.ID)
	require.NoError(t, err)
	email, err := s.Email(t.Context(), emailID)
	require.NoError(t, err)
	people, err := s.Participants(t.Context(), room.ID)
	require.NoError(t, err)
	messages, err := s.Messages(t.Context(), room.ID, Page{Limit: 1})
	require.NoError(t, err)
	for name, at := range map[string]time.Time{
		"user's creation": user.CreatedAt, "user's change": user.UpdatedAt, "verification": user.EmailVerifiedAt,
		"room's creation": room.CreatedAt, "archiving": room.ArchivedAt, "email's creation": email.CreatedAt,
		"sending": email.SentAt,
		"joining": people[0].JoinedAt, "presence": people[0].LastSeenAt, "message": messages[0].CreatedAt,
	} {
		require.Equal(t, time.UTC, at.Location(), name)
		require.WithinDuration(t, time.Now(), at, time.Minute, name)
	}
}

// An account whose answer could not be given, for lack of a session, would be there without anyone knowing.
func TestCreateSignedInUserIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	session := NewSession{TokenHash: []byte("the same"), TTL: time.Hour}
	registration := func(name string) watchparty.Registration {
		return watchparty.Registration{Username: name, Email: name + "@people.example", DisplayName: name}
	}
	created, err := s.CreateSignedInUser(t.Context(), registration("first"), "hash", session, IdempotencyKey{})
	require.NoError(t, err)
	rotated, err := s.RotateSession(t.Context(), session.TokenHash,
		NewSession{TokenHash: []byte("next"), TTL: session.TTL})
	require.NoError(t, err)
	require.Equal(t, []any{created.User, created.SessionID}, []any{rotated.User, rotated.SessionID})

	_, err = s.CreateSignedInUser(t.Context(), registration("second"), "hash", session, IdempotencyKey{})
	require.Error(t, err, "the token is taken")
	_, err = s.UserByUsername(t.Context(), "second")
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}
