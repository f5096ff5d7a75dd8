package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// cast are the people of one cell. The holder has the grant. In a room of the host's the holder is a moderator, the
// deputy is one who came later, and the guest is a viewer; in a room of the holder's own the guest and the deputy are
// viewers.
type cast struct {
	t *testing.T
	s *Store

	host, holder, deputy, guest, root watchparty.User
	room                              watchparty.Room
	boss                              watchparty.User // who may do anything in the room
	session                           string          // the holder's
	token                             []byte
	ownRoom                           bool
}

var casts atomic.Int64

func newCast(t *testing.T, s *Store, own bool) *cast {
	n := casts.Add(1)
	c := &cast{t: t, s: s, ownRoom: own}
	for name, user := range map[string]*watchparty.User{
		"host": &c.host, "holder": &c.holder, "deputy": &c.deputy, "guest": &c.guest, "root": &c.root,
	} {
		*user = newUser(t, s, fmt.Sprint(name, n))
	}
	confirmAddresses(t, s, c.host, c.holder, c.deputy, c.guest)
	execute(t, s, "UPDATE users SET is_admin = true, email_verified_at = now() WHERE id = ?", c.root.ID)
	c.boss = c.host
	if own {
		c.boss = c.holder
	}
	c.room = newRoom(t, s, c.boss, makePrivate)
	for user, role := range map[*watchparty.User]watchparty.Role{
		&c.holder: watchparty.Moderator, &c.deputy: watchparty.Moderator, &c.guest: watchparty.Viewer,
	} {
		if user.ID != c.boss.ID {
			setMemberRole(t, s, c.room, *user, role)
		}
	}
	for _, user := range []watchparty.User{c.holder, c.deputy, c.guest} {
		joinRoom(t, s, c.room, user)
	}
	c.token = signIn(t, s, c.holder, time.Hour)
	c.session = readValue[string](t, s, "SELECT family_id FROM sessions WHERE token_hash = ?", c.token)
	return c
}

func (c *cast) changeRoom(changeRoom watchparty.RoomChange) {
	c.t.Helper()
	_, err := c.s.UpdateRoom(c.t.Context(), c.room.ID, c.boss.ID, changeRoom, nil)
	require.NoError(c.t, err)
}

func (c *cast) setVisibility(visibility watchparty.Visibility) {
	c.t.Helper()
	c.changeRoom(watchparty.RoomChange{Visibility: &visibility})
}

func (c *cast) setArchived(archived bool) {
	c.t.Helper()
	c.changeRoom(watchparty.RoomChange{Archived: &archived})
}

// performAct drives the store. The boss acts on the holder, or the holder acts.
var performAct = map[act]func(c *cast) error{
	kick:       func(c *cast) error { return c.s.Kick(c.t.Context(), c.room.ID, c.boss.ID, c.holder.Username) },
	banForEver: func(c *cast) error { return c.ban(nil) },
	banUntil: func(c *cast) error {
		until := Now().Add(time.Hour)
		if err := c.ban(&until); err != nil {
			return err
		}
		execute(c.t, c.s, "UPDATE bans SET until = now() WHERE room_id = ? AND user_id = ?", c.room.ID, c.holder.ID)
		return nil
	},
	demote: func(c *cast) error { return c.setRole(c.boss, c.holder, watchparty.Viewer) },
	quit:   func(c *cast) error { return c.s.QuitRoom(c.t.Context(), c.room.ID, c.holder.ID) },
	leave:  func(c *cast) error { return c.s.LeaveRoom(c.t.Context(), c.room.ID, c.holder.ID) },
	handOver: func(c *cast) error {
		return c.setRole(c.boss, c.deputy, watchparty.Host)
	},
	suspend: func(c *cast) error {
		_, err := c.s.SuspendUser(c.t.Context(), c.root.ID, c.holder.ID, watchparty.Suspension{Reason: "Noise"})
		return err
	},
	reinstate: func(c *cast) error {
		if _, err := c.s.SuspendUser(c.t.Context(), c.root.ID, c.holder.ID,
			watchparty.Suspension{Reason: "Noise"}); err != nil {
			return err
		}
		_, err := c.s.ReinstateUser(c.t.Context(), c.root.ID, c.holder.ID)
		return err
	},
	deletion: func(c *cast) error {
		err := c.s.DeleteAccount(c.t.Context(), c.holder.ID, "hash of "+c.holder.Username)
		return err
	},
	toPublic:   func(c *cast) error { c.setVisibility(watchparty.Public); return nil },
	toUnlisted: func(c *cast) error { c.setVisibility(watchparty.Unlisted); return nil },
	toPrivate: func(c *cast) error {
		c.setVisibility(watchparty.Public)
		c.setVisibility(watchparty.Private)
		return nil
	},
	archive:    func(c *cast) error { c.setArchived(true); return nil },
	reopen:     func(c *cast) error { c.setArchived(true); c.setArchived(false); return nil },
	deleteRoom: func(c *cast) error { return c.s.DeleteRoom(c.t.Context(), c.room.ID, c.boss.ID, nil) },
	newPassword: func(c *cast) error {
		return c.s.ChangePassword(c.t.Context(), c.holder.ID, "hash of "+c.holder.Username, "another", "")
	},
	resetPassword: func(c *cast) error {
		_, err := c.s.ResetPassword(c.t.Context(), requestReset(c.t, c.s, c.holder), "another")
		return err
	},
	newAddress: func(c *cast) error {
		return c.s.VerifyEmail(c.t.Context(), requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@new.example.org"))
	},
	unconfirm: func(c *cast) error {
		execute(c.t, c.s, "UPDATE users SET email_verified_at = NULL WHERE id = ?", c.holder.ID)
		return nil
	},
	revokeAdmin: func(c *cast) error {
		execute(c.t, c.s, "UPDATE users SET is_admin = false WHERE id = ?", c.holder.ID)
		return nil
	},
	signOut: func(c *cast) error { return c.s.EndSessions(c.t.Context(), c.holder.ID, "") },
}

func (c *cast) ban(until *time.Time) error {
	_, err := c.s.Ban(c.t.Context(), c.room.ID, c.boss.ID, c.holder.Username, watchparty.NewBan{Until: until},
		IdempotencyKey{})
	return err
}

func (c *cast) setRole(actor, target watchparty.User, role watchparty.Role) error {
	_, err := c.s.SetRole(c.t.Context(), c.room.ID, actor.ID, target.Username, role)
	return err
}

func (c *cast) hostOf() string {
	return readValue[string](c.t, c.s, "SELECT host_id FROM rooms WHERE id = ?", c.room.ID)
}
