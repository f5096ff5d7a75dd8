package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

func usernames(users []watchparty.User) []string {
	var all []string
	for _, u := range users {
		all = append(all, u.Username)
	}
	return all
}

func TestUsers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	for _, name := range []string{"Anna", "anna_b", "annaxb", "Bert", "gone"} {
		newUser(t, s, name)
	}
	execute(t, s, "UPDATE users SET email = ? WHERE username = 'Bert'", `An%\_'@example.org`)
	execute(t, s, "UPDATE users SET deleted_at = now() WHERE username = 'gone'")
	bert, err := s.UserByUsername(t.Context(), "bert")
	require.NoError(t, err)
	_, err = s.SuspendUser(t.Context(), root.ID, bert.ID, watchparty.Suspension{Reason: "Noise"})
	require.NoError(t, err)

	for _, c := range []struct {
		search watchparty.UserFilter
		want   []string
	}{
		{watchparty.UserFilter{}, []string{"Bert", "annaxb", "anna_b", "Anna", "root"}},
		{watchparty.UserFilter{Search: "ANN"}, []string{"Anna", "annaxb", "anna_b"}},
		{watchparty.UserFilter{Search: "an"}, []string{"Anna", "annaxb", "anna_b", "Bert"}},
		{watchparty.UserFilter{Search: "anna_"}, []string{"Anna", "anna_b", "annaxb"}},
		{watchparty.UserFilter{Search: "%"}, nil},
		{watchparty.UserFilter{Search: "n%"}, nil},
		{watchparty.UserFilter{Search: `an%\`}, []string{"Anna", "annaxb", "anna_b", "Bert"}},
		{watchparty.UserFilter{Search: `AN%\_'@e`}, []string{"Bert"}},
		{watchparty.UserFilter{Search: "nna"}, nil},
		{watchparty.UserFilter{Search: "anna@example.org"}, []string{"Anna"}},
		{watchparty.UserFilter{Search: "gone"}, nil},
		{watchparty.UserFilter{Search: "an", State: watchparty.UserSuspended}, []string{"Bert"}},
		{watchparty.UserFilter{State: watchparty.UserSuspended}, []string{"Bert"}},
		{watchparty.UserFilter{Search: "an", State: watchparty.UserActive}, []string{"Anna", "annaxb", "anna_b"}},
	} {
		found, err := s.Users(t.Context(), c.search, Page{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, c.want, usernames(found), "%+v", c.search)
	}

	first, err := s.Users(t.Context(), watchparty.UserFilter{Search: "an"}, Page{Limit: 2})
	require.NoError(t, err)
	last := first[1]
	rest, err := s.Users(t.Context(), watchparty.UserFilter{Search: "an"},
		Page{Limit: 10, After: SearchKeys(last.Rank, last.ID)})
	require.NoError(t, err)
	require.Equal(t, []string{"Anna", "annaxb", "anna_b", "Bert"}, usernames(slices.Concat(first, rest)))
}

func TestSuspension(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, ada := newAdmin(t, s, "root"), newUser(t, s, "ada")
	session := func(user watchparty.User, token string) string {
		return logIn(t, s, user, NewSession{TokenHash: []byte(token), TTL: time.Hour})
	}
	first, second, other := session(ada, "one"), session(ada, "two"), session(root, "three")
	why := watchparty.Suspension{Reason: "Spam"}

	before := readValue[time.Time](t, s, "SELECT clock_timestamp()")
	suspended, err := s.SuspendUser(t.Context(), root.ID, ada.ID, why)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), suspended.SuspendedAt, time.Minute)
	require.True(t, suspended.UpdatedAt.After(before))
	stored, err := s.User(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, suspended, stored)
	for _, id := range []string{first, second} {
		_, err = s.SessionUser(t.Context(), id)
		require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	}
	_, err = s.SessionUser(t.Context(), other)
	require.NoError(t, err, "nobody else's")

	again, err := s.SuspendUser(t.Context(), root.ID, ada.ID, watchparty.Suspension{Reason: "Other"})
	require.NoError(t, err)
	require.Equal(t, suspended, again, "since the first time")

	_, err = s.LogIn(t.Context(), ada.ID, "hash of ada", NewSession{TokenHash: []byte("late"), TTL: time.Hour})
	require.ErrorIs(t, err, watchparty.ErrSuspended)
	_, err = s.RotateSession(t.Context(), []byte("one"), NewSession{TokenHash: []byte("later"), TTL: time.Hour})
	require.ErrorIs(t, err, watchparty.ErrBadRefresh)
	for range 2 {
		back, err := s.ReinstateUser(t.Context(), root.ID, ada.ID)
		require.NoError(t, err)
		require.Zero(t, back.SuspendedAt)
	}
	_, err = s.SessionUser(t.Context(), first)
	require.ErrorIs(t, err, watchparty.ErrUnauthenticated, "what has ended stays so")

	later := session(ada, "new")
	_, err = s.SessionUser(t.Context(), later)
	require.NoError(t, err)
	require.NoError(t, s.EndUserSessions(t.Context(), root.ID, ada.ID))
	_, err = s.SessionUser(t.Context(), later)
	require.ErrorIs(t, err, watchparty.ErrUnauthenticated)

	log, err := s.Audit(t.Context(), watchparty.AuditFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log, 3, "what changes nothing is not written down")
	for i, want := range []watchparty.AuditAction{
		watchparty.AuditUserSessionsEnded, watchparty.AuditUserReinstated, watchparty.AuditUserSuspended,
	} {
		require.Equal(t, want, log[i].Action)
		require.Equal(t, watchparty.AuditUser, log[i].TargetKind)
		require.Equal(t, ada.ID, log[i].TargetID)
		require.Equal(t, root.Person(), log[i].Actor)
		require.Equal(t, time.UTC, log[i].CreatedAt.Location())
	}
	require.Equal(t, map[string]any{"reason": "Spam", "hide_content": false}, log[2].Details)
	require.Equal(t, map[string]any{}, log[1].Details)

	execute(t, s, "UPDATE users SET deleted_at = now() WHERE id = ?", ada.ID)
	for _, id := range []string{ada.ID, newID()} {
		_, err = s.SuspendUser(t.Context(), root.ID, id, why)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		_, err = s.ReinstateUser(t.Context(), root.ID, id)
		require.ErrorIs(t, err, watchparty.ErrNotFound)
		require.ErrorIs(t, s.EndUserSessions(t.Context(), root.ID, id), watchparty.ErrNotFound)
		require.ErrorIs(t, s.EndUserSession(t.Context(), root.ID, id, newID()), watchparty.ErrNotFound)
	}
	require.Equal(t, 3, countRows(t, s, "audit"))
}

// TestSuspensionAndRefreshAtOnce: an exchange that is on its way leaves no token behind.
func TestSuspensionAndRefreshAtOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, ada := newAdmin(t, s, "root"), newUser(t, s, "ada")
	next := func(token string) NewSession {
		return NewSession{TokenHash: []byte(token), TTL: time.Hour}
	}
	id := logIn(t, s, ada, next("first"))
	b := raiseBarrier(t, s, "INSERT", "sessions")
	var wg sync.WaitGroup
	var ended error
	wg.Go(func() { _, _ = s.RotateSession(t.Context(), []byte("first"), next("second")) })
	b.awaitStopped(t, 1, nil)
	wg.Go(func() { ended = s.EndUserSessions(t.Context(), root.ID, ada.ID) })
	b.awaitStopped(t, 2, nil)
	b.release(t)
	wg.Wait()
	require.NoError(t, ended)
	_, err := s.SessionUser(t.Context(), id)
	require.ErrorIs(t, err, watchparty.ErrUnauthenticated)
	_, err = s.RotateSession(t.Context(), []byte("second"), next("third"))
	require.ErrorIs(t, err, watchparty.ErrBadRefresh)
}

// TestSuspensionIsOneTransaction: nothing is done that is not in the log.
func TestSuspensionIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root, ada := newAdmin(t, s, "root"), newUser(t, s, "ada")
	execute(t, s, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'`)
	execute(t, s, `CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()`)
	session := logIn(t, s, ada, NewSession{TokenHash: []byte("one"), TTL: time.Hour})
	confirmAddresses(t, s, ada)
	ada, err := s.User(t.Context(), ada.ID)
	require.NoError(t, err)
	for name, act := range map[string]func() error{
		"suspend": func() error {
			_, err := s.SuspendUser(t.Context(), root.ID, ada.ID, watchparty.Suspension{Reason: "Spam"})
			return err
		},
		"end sessions": func() error { return s.EndUserSessions(t.Context(), root.ID, ada.ID) },
		"end session":  func() error { return s.EndUserSession(t.Context(), root.ID, ada.ID, session) },
		"grant":        func() error { _, err := s.GrantAdmin(t.Context(), ada.Email); return err },
		"clean up": func() error {
			_, err := s.CreateRun(t.Context(), root.ID, watchparty.NewRun{Policies: watchparty.Policies()}, IdempotencyKey{})
			return err
		},
	} {
		require.ErrorContains(t, act(), "refused", name)
	}
	user, err := s.SessionUser(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, ada, user)
	require.Zero(t, countRows(t, s, "cleanup_runs"))
}

func TestGrantAdminIsAudited(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada := newUser(t, s, "ada")
	confirmAddresses(t, s, ada)
	granted, err := s.GrantAdmin(t.Context(), ada.Email)
	require.NoError(t, err)
	again, err := s.GrantAdmin(t.Context(), ada.Email)
	require.NoError(t, err)
	require.Equal(t, granted, again)
	log, err := s.Audit(t.Context(), watchparty.AuditFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log, 1, "granting what is granted changes nothing")
	require.Equal(t, watchparty.AuditAdminGranted, log[0].Action)
	require.Equal(t, ada.ID, log[0].TargetID)
	require.Zero(t, log[0].Actor)

	execute(t, s, "UPDATE users SET deleted_at = now()")
	_, err = s.GrantAdmin(t.Context(), ada.Email)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

func TestCreateRunOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	once := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("asked")}
	runs := make([]watchparty.CleanupRun, 10)
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			runs[i], errs[i] = s.CreateRun(t.Context(), root.ID,
				watchparty.NewRun{Policies: []watchparty.Policy{watchparty.PolicyRooms}, DryRun: i == 0,
					OlderThan: 90 * time.Minute}, once)
		})
	}
	wg.Wait()
	for i, run := range runs {
		require.NoError(t, errs[i])
		require.Equal(t, runs[0], run)
	}
	for table, want := range map[string]int{"cleanup_runs": 1, "audit": 1} {
		require.Equal(t, want, countRows(t, s, table), table)
	}
	require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow_id = ?", runs[0].WorkflowID))
	log, err := s.Audit(t.Context(), watchparty.AuditFilter{TargetID: runs[0].ID}, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"policies": []any{"inactive_rooms"}, "dry_run": runs[0].DryRun, "older_than": "1h30m0s",
	}, log[0].Details)

	_, err = s.CreateRun(t.Context(), root.ID, watchparty.NewRun{},
		IdempotencyKey{Hash: once.Hash, Fingerprint: []byte("something else")})
	require.ErrorIs(t, err, watchparty.ErrKeyReused)
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ada, bob := newAdmin(t, s, "ada"), newAdmin(t, s, "bob")
	movie := newID()
	for i := range 6 {
		actor := []watchparty.User{ada, bob}[i%2]
		action := []watchparty.AuditAction{watchparty.AuditMovieCreated, watchparty.AuditMovieUpdated,
			watchparty.AuditUserSuspended}[i%3]
		target := []string{movie, movie, ada.ID}[i%3]
		kind := []watchparty.AuditKind{watchparty.AuditMovie, watchparty.AuditMovie, watchparty.AuditUser}[i%3]
		require.NoError(t, s.inTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return audit(ctx, tx, actor.ID, action, kind, target, map[string]any{"i": i})
		}))
	}
	chosen := func(f watchparty.AuditFilter, p Page) (numbers []int, last string) {
		entries, err := s.Audit(t.Context(), f, p)
		require.NoError(t, err)
		for _, e := range entries {
			numbers, last = append(numbers, int(e.Details["i"].(float64))), e.ID
		}
		return numbers, last
	}
	for want, f := range map[string]watchparty.AuditFilter{
		"[5 4 3 2 1 0]": {}, "[4 2 0]": {ActorID: ada.ID}, "[5 2]": {TargetID: ada.ID},
		"[4 1]": {Action: watchparty.AuditMovieUpdated},
		"[3]":   {ActorID: bob.ID, TargetID: movie, Action: watchparty.AuditMovieCreated}, "[]": {ActorID: newID()},
	} {
		numbers, _ := chosen(f, Page{Limit: 10})
		require.Equal(t, want, fmt.Sprint(numbers))
	}
	_, last := chosen(watchparty.AuditFilter{ActorID: ada.ID}, Page{Limit: 2})
	numbers, _ := chosen(watchparty.AuditFilter{ActorID: ada.ID}, Page{Limit: 2, After: Keys{last}})
	require.Equal(t, []int{0}, numbers)

	err := s.DeleteAccount(t.Context(), bob.ID, "hash of "+bob.Username)
	require.NoError(t, err)
	err = s.RemoveAccount(t.Context(), bob.ID)
	require.NoError(t, err)
	entries, err := s.Audit(t.Context(), watchparty.AuditFilter{ActorID: bob.ID}, Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.Equal(t, watchparty.Person{ID: bob.ID, Username: "bob", DisplayName: "bob"}, entries[0].Actor,
		"an admin cannot get out of the log")
}
