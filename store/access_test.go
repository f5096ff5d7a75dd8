package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// guardAccess makes a transaction fail that changes people's rights in a room without incrementing the version of the
// room or of the account.
const guardAccess = `
	CREATE FUNCTION guard_access() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE
		changed record;
		mine bigint := txid_current() % (2::bigint ^ 32)::bigint;
	BEGIN
		changed := coalesce(NEW, OLD);
		IF EXISTS (SELECT FROM rooms WHERE id = changed.room_id AND xmin::text::bigint < mine)
			AND EXISTS (SELECT FROM users WHERE id = changed.user_id AND xmin::text::bigint < mine) THEN
			RAISE EXCEPTION 'nobody has counted a change of %', TG_TABLE_NAME;
		END IF;
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER guard AFTER INSERT OR UPDATE OR DELETE ON members DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION guard_access();
	CREATE CONSTRAINT TRIGGER guard AFTER INSERT OR UPDATE OR DELETE ON bans DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION guard_access();
	CREATE CONSTRAINT TRIGGER guard AFTER INSERT OR UPDATE OR DELETE ON mutes DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION guard_access();
	CREATE CONSTRAINT TRIGGER guard AFTER DELETE ON participants DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION guard_access()`

// uncounted lists operations that the guard finds, but that no connection has to learn of.
var uncounted = map[string]string{
	"CleanupBatch of " + string(watchparty.PolicyParticipants): "whoever was not seen for so long is not connected",
}

// TestEveryChangeOfStandingsIsCounted runs every method of the store that writes, under a guard.
func TestEveryChangeOfStandingsIsCounted(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	execute(t, s, guardAccess)
	guard := func(on string) {
		for _, table := range []string{"members", "bans", "mutes", "participants"} {
			execute(t, s, "ALTER TABLE "+table+" "+on+" TRIGGER guard")
		}
	}
	changes := map[string]int{}
	for name, prepare := range writeTable() {
		guard("DISABLE")
		c := newCast(t, s, false)
		resetCast(c)
		operation := prepare(c)
		before := readValue[int64](t, s, "SELECT access_version FROM rooms WHERE id = ?", c.room.ID)
		guard("ENABLE")
		if err := operation(t.Context()); err != nil && uncounted[name] == "" {
			require.NotContains(t, err.Error(), "nobody has counted", name)
		}
		changes[name] = int(readValue[int64](t, s,
			"SELECT coalesce((SELECT access_version FROM rooms WHERE id = ?), 1000)", c.room.ID) - before)
	}
	for _, counted := range []string{"Kick of the holder", "Ban", "Mute", "QuitRoom by the holder", "SetRole of the guest",
		"LeaveRoom by the holder", "UpdateRoom archives", "UpdateRoom to private", "DeleteRoom of the host", "CloseRoom",
		"AcceptInvitation to the room", "LeaveRoom by the host"} {
		require.Contains(t, changes, counted)
		require.Positive(t, changes[counted], counted)
	}
	for _, harmless := range []string{"PostMessage", "JoinRoom again", "VoteForItem", "ApplyPlaybackCommand"} {
		require.Contains(t, changes, harmless)
		require.Zero(t, changes[harmless], "%s changes nobody's rights", harmless)
	}
	host := newUser(t, s, "guarded")
	room := newRoom(t, s, host, nil)
	_, err := s.db.NewRaw("INSERT INTO members (room_id, user_id, role) VALUES (?, ?, 'viewer')", room.ID, host.ID).
		Exec(t.Context())
	require.ErrorContains(t, err, "nobody has counted", "the guard guards")
}

// TestVersionsOfAccess: each of these operations increments a version, so that processes know that their data is out of
// date.
func TestVersionsOfAccess(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ofRoom := func(c *cast) int64 {
		versions, err := s.LiveVersions(t.Context(), []string{c.room.ID, newID()})
		require.NoError(t, err)
		require.Len(t, versions, 1)
		return versions[0].AccessVersion
	}
	ofAccount := func(c *cast) int64 {
		versions, err := s.AccountVersions(t.Context(), []string{c.holder.ID, newID()})
		require.NoError(t, err)
		require.Len(t, versions, 1)
		return versions[c.holder.ID]
	}
	for _, a := range ofTheRoom {
		c := newCast(t, s, false)
		before := ofRoom(c)
		require.NoError(t, performAct[a](c))
		require.Greater(t, ofRoom(c), before, a)
	}
	for _, a := range []act{suspend, reinstate, deletion, newPassword, resetPassword, signOut} {
		c := newCast(t, s, false)
		before := ofAccount(c)
		require.NoError(t, performAct[a](c))
		require.Greater(t, ofAccount(c), before, a)
	}
	for name, act := range map[string]func(c *cast) error{
		"mute": func(c *cast) error {
			n := watchparty.NewMute{Until: Now().Add(time.Hour)}
			return second(s.Mute(t.Context(), c.room.ID, c.host.ID, c.holder.Username, n, IdempotencyKey{}))
		},
		"lifted mute": func(c *cast) error {
			n := watchparty.NewMute{Until: Now().Add(time.Hour)}
			_, err := s.Mute(t.Context(), c.room.ID, c.host.ID, c.guest.Username, n, IdempotencyKey{})
			require.NoError(t, err)
			before := ofRoom(c)
			require.NoError(t, s.LiftMute(t.Context(), c.room.ID, c.host.ID, c.guest.Username))
			require.Greater(t, ofRoom(c), before)
			return nil
		},
		"lifted ban": func(c *cast) error {
			require.NoError(t, c.ban(nil))
			before := ofRoom(c)
			require.NoError(t, s.LiftBan(t.Context(), c.room.ID, c.host.ID, c.holder.Username))
			require.Greater(t, ofRoom(c), before)
			return nil
		},
		"control":    func(c *cast) error { return c.share(watchparty.Everyone, watchparty.Everyone) },
		"queue":      func(c *cast) error { return c.share(watchparty.ModeratorsOnly, watchparty.HostOnly) },
		"slow mode":  func(c *cast) error { c.changeRoom(watchparty.RoomChange{SlowMode: ptr(time.Minute)}); return nil },
		"succession": (*cast).succeedHost,
	} {
		c := newCast(t, s, false)
		before := ofRoom(c)
		require.NoError(t, act(c))
		require.Greater(t, ofRoom(c), before, name)
	}
	c := newCast(t, s, false)
	before := ofAccount(c)
	token := signIn(t, s, c.holder, time.Hour)
	require.Equal(t, before, ofAccount(c), "a sign-in more")
	require.NoError(t, s.RevokeSession(t.Context(), token))
	require.Greater(t, ofAccount(c), before)
}

func (c *cast) share(control, queue watchparty.AccessLevel) error {
	c.changeRoom(watchparty.RoomChange{Control: &control, Queue: &queue})
	return nil
}
