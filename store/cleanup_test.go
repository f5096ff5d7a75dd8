package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// tablePolicies are those that statements apply.
func tablePolicies() []watchparty.Policy {
	return slices.DeleteFunc(watchparty.Policies(), func(p watchparty.Policy) bool { return p == watchparty.PolicyFiles })
}

// newRun stores a run of all policies that has begun.
func newRun(t *testing.T, s *Store, admin watchparty.User, dryRun bool) watchparty.CleanupRun {
	t.Helper()
	run, err := s.CreateRun(t.Context(), admin.ID, watchparty.NewRun{Policies: watchparty.Policies(), DryRun: dryRun},
		IdempotencyKey{})
	require.NoError(t, err)
	require.NoError(t, s.BeginRun(t.Context(), job.CleanupInput{RunID: run.ID, Policies: run.Policies, DryRun: dryRun},
		run.WorkflowID))
	return run
}

func everyPolicy(t *testing.T) string {
	t.Helper()
	encoded, err := json.Marshal(watchparty.Policies())
	require.NoError(t, err)
	return string(encoded)
}

func readRunCounts(t *testing.T, s *Store, runID string) map[watchparty.Policy]int64 {
	t.Helper()
	run, err := s.Run(t.Context(), runID)
	require.NoError(t, err)
	return run.Counts
}

// applyPolicy applies a policy to a batch, and returns the rooms that it says are changed.
func applyPolicy(
	t *testing.T, s *Store, runID string, policy watchparty.Policy, threshold time.Time, limit int,
) []string {
	t.Helper()
	tags := changesOf(s, func() {
		_, err := s.CleanupBatch(t.Context(), runID, policy, threshold, limit, Cursor{})
		require.NoError(t, err)
	})
	var rooms []string
	for _, tag := range tags {
		if kind, room, _ := strings.Cut(tag, ":"); kind == "room" || kind == "messages" {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// The distance of a row from the threshold, and whether its policy applies to it. A row of exactly that age stays.
var distances = []struct {
	from    time.Duration
	applies bool
}{
	{-time.Second, true}, {-time.Microsecond, true}, {0, false}, {time.Microsecond, false}, {time.Second, false},
}

// atThresholds runs a test where the clock should not matter: with sessions in other time zones than the program's, and
// on both sides of a leap day.
func atThresholds(t *testing.T, test func(t *testing.T, s *Store, threshold time.Time)) {
	t.Helper()
	for _, zone := range []string{"UTC", "Pacific/Kiritimati", "America/St_Johns"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			s := openStoreInZone(t, zone)
			for _, threshold := range []time.Time{
				time.Now().Add(-24 * time.Hour).Truncate(time.Microsecond),
				time.Date(2024, 2, 29, 23, 59, 59, 0, time.FixedZone("", -11*3600)),
				time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
			} {
				t.Run(threshold.Format(time.RFC3339), func(t *testing.T) { test(t, s, threshold) })
			}
		})
	}
}

func TestCleanupThresholds(t *testing.T) {
	t.Parallel()
	atThresholds(t, cleanupThresholds)
}

func cleanupThresholds(t *testing.T, s *Store, threshold time.Time) {
	admin, bob := newAdmin(t, s, fmt.Sprint("admin", threshold.Unix())), newUser(t, s, fmt.Sprint("bob", threshold.Unix()))
	new0 := func(t *testing.T) watchparty.Room { return newRoom(t, s, admin, nil) }
	at := func(t *testing.T, query string, when time.Time, roomID string) { execute(t, s, query, when, roomID) }

	// Each makes something whose only relevant time is the given one, in a room that is returned.
	scenes := []struct {
		name   string
		policy watchparty.Policy
		make   func(t *testing.T, when time.Time) watchparty.Room
		gone   string // whether the policy was applied in a room
	}{
		{"participant", watchparty.PolicyParticipants, func(t *testing.T, when time.Time) watchparty.Room {
			room := new0(t)
			joinRoom(t, s, room, bob)
			at(
				t,
				"UPDATE participants SET last_seen_at = ? WHERE room_id = ? AND user_id <> (SELECT host_id FROM rooms "+
					"WHERE id = room_id)",
				when,
				room.ID,
			)
			return room
		}, "SELECT NOT EXISTS (SELECT FROM participants WHERE room_id = ? AND user_id <> (SELECT host_id FROM rooms " +
			"WHERE id = room_id))"},
		{"message", watchparty.PolicyMessages, func(t *testing.T, when time.Time) watchparty.Room {
			room := new0(t)
			postMessage(t, s, room, admin, "hello")
			at(t, "UPDATE messages SET created_at = ? WHERE room_id = ?", when, room.ID)
			return room
		}, "SELECT NOT EXISTS (SELECT FROM messages WHERE room_id = ?)"},
		{"room by its change", watchparty.PolicyRooms, func(t *testing.T, when time.Time) watchparty.Room {
			room := new0(t)
			require.NoError(t, s.LeaveRoom(t.Context(), room.ID, admin.ID))
			at(t, "UPDATE rooms SET updated_at = ?0, last_active_at = ?0 WHERE id = ?1", when, room.ID)
			return room
		}, "SELECT archived_at IS NOT NULL FROM rooms WHERE id = ?"},
		{"room by who is in it", watchparty.PolicyRooms, func(t *testing.T, when time.Time) watchparty.Room {
			room := new0(t)
			at(t, "UPDATE rooms SET updated_at = ?0, last_active_at = ?0 WHERE id = ?1", threshold.Add(-time.Hour), room.ID)
			at(t, "UPDATE participants SET last_seen_at = ? WHERE room_id = ?", when, room.ID)
			return room
		}, "SELECT archived_at IS NOT NULL FROM rooms WHERE id = ?"},
		{"room by what is said in it", watchparty.PolicyRooms, func(t *testing.T, when time.Time) watchparty.Room {
			room := new0(t)
			postMessage(t, s, room, admin, "hello")
			require.NoError(t, s.LeaveRoom(t.Context(), room.ID, admin.ID))
			at(t, "UPDATE rooms SET updated_at = ?0, last_active_at = ?0 WHERE id = ?1", threshold.Add(-time.Hour), room.ID)
			at(t, "UPDATE messages SET created_at = ? WHERE room_id = ?", when, room.ID)
			return room
		}, "SELECT archived_at IS NOT NULL FROM rooms WHERE id = ?"},
	}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			rooms := make([]watchparty.Room, 0, len(distances))
			for _, d := range distances {
				rooms = append(rooms, scene.make(t, threshold.Add(d.from)))
			}
			var want []string
			for i, d := range distances {
				if d.applies {
					want = append(want, rooms[i].ID)
				}
			}

			dry := newRun(t, s, admin, true)
			require.NoError(t, s.CountCleanup(t.Context(), dry.ID, scene.policy, threshold))
			require.EqualValues(t, len(want), readRunCounts(t, s, dry.ID)[scene.policy], "a dry run says what would be done")
			for _, room := range rooms {
				require.False(t, readValue[bool](t, s, scene.gone, room.ID), "and does nothing")
			}

			run := newRun(t, s, admin, false)
			require.ElementsMatch(t, want, applyPolicy(t, s, run.ID, scene.policy, threshold, 100))
			for i, d := range distances {
				require.Equal(t, d.applies, readValue[bool](t, s, scene.gone, rooms[i].ID), "%s from the threshold", d.from)
			}
			require.Equal(t, map[watchparty.Policy]int64{scene.policy: int64(len(want))}, readRunCounts(t, s, run.ID))

			require.Empty(t, applyPolicy(t, s, run.ID, scene.policy, threshold, 100), "again finds nothing")
			require.Equal(t, map[watchparty.Policy]int64{scene.policy: int64(len(want))}, readRunCounts(t, s, run.ID))
		})
	}
}

func TestCleanupBatches(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	threshold := time.Now().Add(-24 * time.Hour)
	const rows, limit = 25, 10
	for i := range rows {
		room, user := newRoom(t, s, admin, nil), newUser(t, s, fmt.Sprint("user", i))
		joinRoom(t, s, room, user)
		postMessage(t, s, room, user, "hello")
	}
	execute(t, s, "UPDATE messages SET created_at = now() - interval '2 d'")
	execute(t, s, "UPDATE rooms SET updated_at = now() - interval '2 d', last_active_at = now() - interval '2 d'")
	execute(
		t,
		s,
		"UPDATE participants SET last_seen_at = now() - interval '2 d' WHERE user_id <> (SELECT host_id FROM rooms "+
			"WHERE id = room_id)",
	)
	active := newRoom(t, s, admin, nil)
	postMessage(t, s, active, admin, "I stay")
	// Hosts are in every room; only when they are gone too is a room inactive.
	execute(
		t, s, "DELETE FROM participants WHERE user_id = (SELECT host_id FROM rooms WHERE id = room_id) AND room_id <> ?",
		active.ID,
	)
	run := newRun(t, s, admin, false)

	for _, policy := range []watchparty.Policy{watchparty.PolicyParticipants, watchparty.PolicyMessages,
		watchparty.PolicyRooms} {
		t.Run(string(policy), func(t *testing.T) {
			var sizes []int
			var rooms []string
			for len(sizes) == 0 || sizes[len(sizes)-1] == limit {
				batch := applyPolicy(t, s, run.ID, policy, threshold, limit)
				sizes, rooms = append(sizes, len(batch)), append(rooms, batch...)
			}
			require.Equal(t, []int{10, 10, 5}, sizes)
			slices.Sort(rooms)
			require.Len(t, slices.Compact(rooms), rows)
			require.NotContains(t, rooms, active.ID)
			require.EqualValues(t, rows, readRunCounts(t, s, run.ID)[policy])
		})
	}
	require.Equal(t, 1, countRows(t, s, "messages"))
	require.Equal(t, 1, countRows(t, s, "participants"))
	open, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, Page{Limit: 100})
	require.NoError(t, err)
	require.Equal(t, []string{active.ID}, roomIDs(open))
	require.Equal(t, rows+1, countRows(t, s, "rooms"), "a room is archived, not deleted")
}

// Workers that share a policy, as a repeated attempt beside a late one may, do each row once and count it once.
func TestParallelCleanup(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	room := newRoom(t, s, admin, nil)
	const rows = 300
	execute(t, s, `INSERT INTO messages (id, room_id, user_id, body, created_at)
		SELECT gen_random_uuid(), ?, ?, 'old', now() - interval '2 d' FROM generate_series(1, ?)`, room.ID, admin.ID, rows)
	run := newRun(t, s, admin, false)
	var (
		wg      sync.WaitGroup
		removed atomic.Int64
	)
	errs := make(chan error, 4)
	for range 4 {
		wg.Go(func() {
			for removed.Load() < rows {
				b, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, time.Now().Add(-24*time.Hour), 20,
					Cursor{})
				if err != nil {
					errs <- err
					return
				}
				removed.Add(int64(b.Rows))
			}
		})
	}
	wg.Wait()
	close(errs)
	require.NoError(t, <-errs)
	require.EqualValues(t, rows, removed.Load())
	require.EqualValues(t, rows, readRunCounts(t, s, run.ID)[watchparty.PolicyMessages])
	require.Zero(t, countRows(t, s, "messages"))
}

// A batch neither waits for rows that somebody holds nor does anything to them.
func TestCleanupSkipsHeldRows(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	threshold := time.Now().Add(-24 * time.Hour)
	held, free := newRoom(t, s, admin, nil), newRoom(t, s, admin, nil)
	for _, room := range []watchparty.Room{held, free} {
		postMessage(t, s, room, admin, "hello")
	}
	for _, scene := range []struct {
		policy    watchparty.Policy
		old, lock string
	}{
		{watchparty.PolicyParticipants, "UPDATE participants SET last_seen_at = now() - interval '2 d'",
			"SELECT FROM participants WHERE room_id = ? FOR UPDATE"},
		{watchparty.PolicyMessages, "UPDATE messages SET created_at = now() - interval '2 d'",
			"SELECT FROM messages WHERE room_id = ? FOR UPDATE"},
		{watchparty.PolicyRooms, "UPDATE rooms SET updated_at = now() - interval '2 d', last_active_at = now() - interval " +
			"'2 d'", "SELECT FROM rooms WHERE id = ? FOR KEY SHARE"},
	} {
		t.Run(string(scene.policy), func(t *testing.T) {
			execute(t, s, scene.old)
			run := newRun(t, s, admin, false)
			tx, err := s.db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer func() { _ = tx.Rollback() }()
			_, err = tx.NewRaw(scene.lock, held.ID).Exec(t.Context())
			require.NoError(t, err)

			require.Equal(t, []string{free.ID}, applyPolicy(t, s, run.ID, scene.policy, threshold, 10))
			require.NoError(t, tx.Rollback())
			require.Equal(t, []string{held.ID}, applyPolicy(t, s, run.ID, scene.policy, threshold, 10))
			require.EqualValues(t, 2, readRunCounts(t, s, run.ID)[scene.policy])
		})
	}
}

// A row that becomes active between the read and the change of a batch is not removed.
func TestCleanupSparesWhatBecomesActive(t *testing.T) {
	t.Parallel()
	threshold := func() time.Time { return time.Now().Add(-24 * time.Hour) }

	t.Run("a participant who is coming back", func(t *testing.T) {
		s := openStore(t)
		admin, bob := newAdmin(t, s, "admin"), newUser(t, s, "bob")
		room := newRoom(t, s, admin, nil)
		joinRoom(t, s, room, bob)
		execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '2 d'")
		run := newRun(t, s, admin, false)
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		seen, err := touchParticipant(withTags(t.Context()), tx, room.ID, bob.ID)
		require.NoError(t, err)
		require.True(t, seen)
		require.Len(t, applyPolicy(t, s, run.ID, watchparty.PolicyParticipants, threshold(), 10), 1, "the host alone")
		require.NoError(t, tx.Commit())
		require.Empty(t, applyPolicy(t, s, run.ID, watchparty.PolicyParticipants, threshold(), 10))
		people, err := s.Participants(t.Context(), room.ID)
		require.NoError(t, err)
		require.Len(t, people, 1)
		require.Equal(t, bob.ID, people[0].User.ID)
		require.EqualValues(t, 1, readRunCounts(t, s, run.ID)[watchparty.PolicyParticipants])
	})

	// Either the guest comes first and the room stays open, or the batch does and the guest is told.
	for name, enter := range map[string]func(s *Store, room watchparty.Room, host, guest watchparty.User) error{
		"a room that someone joins": func(s *Store, room watchparty.Room, _, guest watchparty.User) error {
			_, err := s.JoinRoom(t.Context(), room.ID, guest.ID)
			return err
		},
		"a room in which someone speaks": func(s *Store, room watchparty.Room, host, _ watchparty.User) error {
			_, err := s.PostMessage(t.Context(), host, watchparty.NewMessage{RoomID: room.ID, Body: "still here"},
				IdempotencyKey{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			host, guest := newAdmin(t, s, "host"), newUser(t, s, "guest")
			room := newRoom(t, s, host, nil)
			execute(t, s, "UPDATE rooms SET updated_at = now() - interval '2 d', last_active_at = now() - interval '2 d'")
			execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '2 d'")
			run := newRun(t, s, host, false)
			b := raiseBarrier(t, s, "UPDATE", "rooms")
			var (
				wg       sync.WaitGroup
				done     Batch
				errBatch error
				errEnter error
				entered  atomic.Bool
			)
			wg.Go(func() {
				done, errBatch = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyRooms, threshold(), 10, Cursor{})
			})
			b.awaitStopped(t, 1, nil)
			wg.Go(func() {
				errEnter = enter(s, room, host, guest)
				entered.Store(true)
			})
			b.awaitStopped(t, 2, entered.Load)
			enteredFirst := entered.Load()
			b.release(t)
			wg.Wait()

			require.NoError(t, errBatch)
			after, err := s.Room(t.Context(), room.ID)
			require.NoError(t, err)
			archived := !after.ArchivedAt.IsZero()
			require.Equal(t, archived, done.Rows == 1)
			require.EqualValues(t, done.Rows, readRunCounts(t, s, run.ID)[watchparty.PolicyRooms])
			if enteredFirst {
				require.NoError(t, errEnter)
				require.False(t, archived, "someone was in it already")
			} else if errEnter != nil {
				require.ErrorIs(t, errEnter, watchparty.ErrRoomArchived)
				require.True(t, archived)
			}
		})
	}
}

// The same for a guest who is in the room before the batch has locked it, yet after it has looked who is there.
func TestCleanupSparesWhatItSawInactive(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host, guest := newAdmin(t, s, "host"), newUser(t, s, "guest")
	room := newRoom(t, s, host, nil)
	postMessage(t, s, room, host, "long ago")
	execute(t, s, "UPDATE rooms SET updated_at = now() - interval '2 d', last_active_at = now() - interval '2 d'")
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '2 d'")
	execute(t, s, "UPDATE messages SET created_at = now() - interval '2 d'")
	run := newRun(t, s, host, false)
	b := raiseReadBarrier(t, s, "messages")
	var (
		wg   sync.WaitGroup
		done Batch
		err  error
	)
	wg.Go(func() {
		done, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyRooms, time.Now().Add(-24*time.Hour), 10, Cursor{})
	})
	b.awaitStopped(t, 1, nil)
	joinRoom(t, s, room, guest)
	b.release(t)
	wg.Wait()
	require.NoError(t, err)
	require.Zero(t, done.Rows)
	after, err := s.Room(t.Context(), room.ID)
	require.NoError(t, err)
	require.True(t, after.ArchivedAt.IsZero(), "the guest is in it")
	require.Zero(t, readRunCounts(t, s, run.ID)[watchparty.PolicyRooms])

	execute(t, s, "UPDATE rooms SET last_active_at = now() - interval '2 d'")
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '2 d'")
	require.Equal(t, []string{room.ID}, applyPolicy(t, s, run.ID, watchparty.PolicyRooms, time.Now().Add(-24*time.Hour),
		10),
		"it was the guest who kept it open")
}

// A heartbeat changes nothing about the room itself, so that only the statement that archives it can see it.
func TestCleanupSparesWhoIsSeenAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host := newAdmin(t, s, "host")
	room := newRoom(t, s, host, nil)
	postMessage(t, s, room, host, "long ago")
	execute(t, s, "UPDATE rooms SET updated_at = now() - interval '2 d', last_active_at = now() - interval '2 d'")
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '2 d'")
	execute(t, s, "UPDATE messages SET created_at = now() - interval '2 d'")
	run := newRun(t, s, host, false)
	b := raiseReadBarrier(t, s, "messages")
	var (
		wg   sync.WaitGroup
		done Batch
		err  error
	)
	wg.Go(func() {
		done, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyRooms, time.Now().Add(-24*time.Hour), 10, Cursor{})
	})
	b.awaitStopped(t, 1, nil)
	_, errSeen := s.Heartbeat(t.Context(), room.ID, host.ID, time.Hour)
	b.release(t)
	wg.Wait()
	require.NoError(t, errSeen)
	require.NoError(t, err)
	require.Zero(t, done.Rows)
	require.True(t, done.More, "it was chosen")
	after, err := s.Room(t.Context(), room.ID)
	require.NoError(t, err)
	require.True(t, after.ArchivedAt.IsZero())
}

func TestCleanupCountIsInTheSameTransaction(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	postMessage(t, s, newRoom(t, s, admin, nil), admin, "old")
	run := newRun(t, s, admin, false)
	execute(t, s, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'`)
	execute(t, s, `CREATE TRIGGER refuse BEFORE UPDATE ON cleanup_runs FOR EACH ROW EXECUTE FUNCTION refuse()`)
	_, err := s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyMessages, time.Now().Add(time.Hour), 10, Cursor{})
	require.ErrorContains(t, err, "refused")
	require.Equal(t, 1, countRows(t, s, "messages"), "what is not counted is not removed")
}

// TestCleanupCountsFromOutside: things outside of the database are counted by the activity that removes them.
func TestCleanupCountsFromOutside(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	run := newRun(t, s, admin, false)
	for range 2 {
		require.NoError(t, s.AddCleanupCount(t.Context(), run.ID, watchparty.PolicyFiles, 3))
	}
	require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyFiles: 6}, readRunCounts(t, s, run.ID))
	for range 2 {
		require.NoError(t, s.SetCleanupCount(t.Context(), run.ID, watchparty.PolicyFiles, 4, []string{"a"}))
	}
	require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyFiles: 4}, readRunCounts(t, s, run.ID))
	require.NoError(t, s.SetCleanupCount(t.Context(), run.ID, watchparty.PolicyFiles, 0, nil))
	require.Equal(t, "[]", readValue[string](t, s, "SELECT samples->>'orphaned_files' FROM cleanup_runs WHERE id = ?",
		run.ID))
}

func TestUnknownPolicy(t *testing.T) {
	s := &Store{} // the database is not asked
	_, err := s.CleanupBatch(t.Context(), newID(), "everything", time.Now(), 10, Cursor{})
	require.ErrorContains(t, err, "everything")
	require.ErrorContains(t, s.CountCleanup(t.Context(), newID(), "everything", time.Now()), "everything")
	for _, policy := range tablePolicies() {
		require.NotEmpty(t, rules[policy], policy)
	}
}

// A room that people visit is not inactive, even if nobody is in it now and no record of their visit is left; nor is
// one in which they are going to meet.
func TestCleanupSparesRoomsThatAreUsed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	host := newAdmin(t, s, "host")
	for name, visit := range map[string]func(room, guest string) error{
		"entered and left": func(room, guest string) error {
			if _, err := s.JoinRoom(t.Context(), room, guest); err != nil {
				return err
			}
			return s.LeaveRoom(t.Context(), room, guest)
		},
		"left": func(room, _ string) error { return s.LeaveRoom(t.Context(), room, host.ID) },
		"with a party ahead": func(room, _ string) error {
			return second(s.ScheduleParty(t.Context(), room, host.ID, newPartyIn(300*24*time.Hour), IdempotencyKey{}))
		},
		"spoken in": func(room, _ string) error {
			_, err := s.PostMessage(t.Context(), host, watchparty.NewMessage{RoomID: room, Body: "hello"}, IdempotencyKey{})
			return err
		},
	} {
		room, err := s.CreateRoom(t.Context(), host.ID, watchparty.NewRoom{Name: name, Visibility: watchparty.Public,
			Capacity: 5}, IdempotencyKey{})
		require.NoError(t, err)
		execute(t, s, "UPDATE rooms SET updated_at = now() - interval '31 d', last_active_at = now() - interval '31 d'")
		require.NoError(t, visit(room.ID, newUser(t, s, "guest-"+room.ID[24:]).ID))
		execute(t, s, "DELETE FROM participants")
		execute(t, s, "DELETE FROM messages")
		run, err := s.CreateRun(t.Context(), host.ID, watchparty.NewRun{Policies: watchparty.Policies()}, IdempotencyKey{})
		require.NoError(t, err)
		_, err = s.CleanupBatch(t.Context(), run.ID, watchparty.PolicyRooms, time.Now().Add(-30*24*time.Hour), 10, Cursor{})
		require.NoError(t, err)
		kept, err := s.Room(t.Context(), room.ID)
		require.NoError(t, err)
		require.Zero(t, kept.ArchivedAt, name)
	}
}
