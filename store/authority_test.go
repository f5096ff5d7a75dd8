package store

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

// Authority lives as long as its basis. The table below has a cell for each grant that is stored and each act that may
// end its basis. The test drives the store through every cell but those that cannot happen; and it fails when the code
// has an act, a kind of email, a kind of link, a workflow or a table that the table below does not know.

// verdict says what becomes of a grant by an act.
type verdict int

const (
	ended   verdict = iota + 1 // for good
	waits                      // it is of no use while the act's effect lasts
	remains                    // with a reason
	cannot                     // happen, with a reason
)

// act is what may end the basis of a grant.
type act string

const (
	kick          act = "kick"
	banForEver    act = "ban"
	banUntil      act = "ban that has run out"
	demote        act = "demotion"
	quit          act = "quit"
	leave         act = "leave"
	handOver      act = "hand-over"
	suspend       act = "suspension"
	reinstate     act = "suspension that was taken back"
	deletion      act = "deletion of the account"
	toPublic      act = "room made public"
	toUnlisted    act = "room made unlisted"
	toPrivate     act = "room made private again"
	archive       act = "archive"
	reopen        act = "archive and reopening"
	deleteRoom    act = "deletion of the room"
	newPassword   act = "change of password"
	resetPassword act = "reset of the password"
	newAddress    act = "change of address"
	unconfirm     act = "address no longer confirmed"
	revokeAdmin   act = "admin revoked"
	signOut       act = "end of all sign-ins"
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
		if _, err := c.s.SuspendUser(c.t.Context(), c.root.ID, c.holder.ID, watchparty.Suspension{Reason: "Noise"}); err != nil {
			return err
		}
		_, err := c.s.ReinstateUser(c.t.Context(), c.root.ID, c.holder.ID)
		return err
	},
	deletion: func(c *cast) error {
		_, err := c.s.DeleteAccount(c.t.Context(), c.holder.ID, "hash of "+c.holder.Username)
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
	_, err := c.s.Ban(c.t.Context(), c.room.ID, c.boss.ID, c.holder.Username, watchparty.NewBan{Until: until}, IdempotencyKey{})
	return err
}

func (c *cast) setRole(actor, target watchparty.User, role watchparty.Role) error {
	_, err := c.s.SetRole(c.t.Context(), c.room.ID, actor.ID, target.Username, role)
	return err
}

func (c *cast) hostOf() string {
	return readValue[string](c.t, c.s, "SELECT host_id FROM rooms WHERE id = ?", c.room.ID)
}

// grant is something that is stored and lets somebody do something later.
type grant struct {
	own  bool                               // in a room of the holder's
	give func(c *cast) (holds func() error) // holds uses it, and fails when it is worth nothing
	// also is what besides is so after an act that ends it.
	also  func(c *cast, a act)
	cells []cells
}

// cells are those with the same verdict.
type cells struct {
	verdict verdict
	why     string // it remains, or cannot happen
	acts    []act
}

var (
	ofTheRoom    = []act{kick, banForEver, banUntil, demote, quit, leave, handOver, toPublic, toUnlisted, toPrivate, archive, reopen, deleteRoom}
	ofTheAccount = []act{suspend, reinstate, deletion, newPassword, resetPassword, newAddress, unconfirm, revokeAdmin, signOut}
	ofSignIns    = []act{newPassword, resetPassword, signOut}
	visibilities = []act{toPublic, toUnlisted, toPrivate}
	expulsions   = []act{kick, banForEver, banUntil}
)

func concatActs(chosen ...any) (all []act) {
	for _, a := range chosen {
		switch a := a.(type) {
		case act:
			all = append(all, a)
		case []act:
			all = append(all, a...)
		}
	}
	return all
}

func withoutActs(all []act, some ...act) []act {
	return slices.DeleteFunc(slices.Clone(all), func(a act) bool { return slices.Contains(some, a) })
}

const (
	notOfRooms   = "it is not about rooms"
	notOfSignIns = "it is a matter of the account, not of one sign-in or password"
	notOfAdmins  = "it does not come from being an admin"
	nobodyAsks   = "the sign-in has ended, so that nobody uses it"
	byRole       = "the role decides, not presence, nor how the room is shown"
	nobodyAbove  = "nobody outranks the host"
	nothingDoes  = "nothing takes a confirmation back, and this does not ask for one"
)

// byModerator are the cells of what the role of a moderator grants.
func byModerator(unconfirmed verdict) []cells {
	all := []cells{
		{ended, "", concatActs(expulsions, demote, quit, deletion, deleteRoom)},
		{remains, byRole, concatActs(leave, visibilities)},
		{remains, "another host changes no other role", concatActs(handOver)},
		{remains, notOfSignIns, concatActs(ofSignIns)},
		{remains, "the account has another proved address", concatActs(newAddress)},
		{remains, notOfAdmins, concatActs(revokeAdmin)},
	}
	if unconfirmed == cannot {
		return append(all, cells{cannot, nothingDoes, concatActs(unconfirm)})
	}
	return append(all, cells{unconfirmed, "", concatActs(unconfirm)})
}

// invitationCells are those of an open invitation and of what brings it.
func invitationCells(more ...cells) []cells {
	return append(append(byModerator(ended), cells{ended, "", concatActs(suspend, reinstate)}), more...)
}

// accountCells are those of what belongs to an account, whatever it does in rooms.
func accountCells(more ...cells) []cells {
	return append([]cells{{remains, notOfRooms, ofTheRoom}, {remains, notOfAdmins, concatActs(revokeAdmin)}, {ended, "", concatActs(deletion)}}, more...)
}

// toMyAddress are the cells of what an invitation to the holder's confirmed address allows the holder's account.
func toMyAddress(more ...cells) []cells {
	return append([]cells{
		{ended, noReason, concatActs(kick, deletion, deleteRoom, newAddress)},
		{waits, noReason, concatActs(banForEver, unconfirm)},
		{remains, "the ban is over", concatActs(banUntil)},
		{remains, "they may come again as often as they like", concatActs(quit, leave, demote)},
		{remains, "the inviter's right is untouched", concatActs(handOver, visibilities)},
		{remains, notOfSignIns, concatActs(reinstate, ofSignIns, revokeAdmin)},
	}, more...)
}

// nobodysCells are the cells of what nobody's standing bears.
func nobodysCells(why string) []cells {
	return []cells{{remains, why, concatActs(ofTheRoom, ofTheAccount)}}
}

func (c *cast) createInvitation() watchparty.Invitation {
	return createInvitation(c.t, c.s, c.room, c.holder, fmt.Sprintf("invited-by-%s@example.org", c.holder.Username))
}

func emailAbout(t *testing.T, s *Store, kind watchparty.EmailKind, subjectID string) string {
	t.Helper()
	return readValue[string](t, s, "SELECT id FROM emails WHERE kind = ? AND subject_id = ?", string(kind), subjectID)
}

// whileQueued fails for an email that is not to be sent any more, or about nothing: useful is what is looked up for it then.
func (c *cast) whileQueued(emailID string, useful func() error) func() error {
	return func() error {
		if state := readEmail(c.t, c.s, emailID).State; state != watchparty.EmailQueued {
			return fmt.Errorf("the email is %s", state)
		}
		return useful()
	}
}

func (c *cast) lookUpInvitation(i watchparty.Invitation) func() error {
	return func() error {
		_, _, err := c.s.OpenInvitation(c.t.Context(), i.ID)
		return err
	}
}

// queuesReminder fails when no email follows one that was sent.
func (c *cast) queuesReminder(emailID string) func() error {
	beginAttempt(c.t, c.s, emailID)
	markSent(c.t, c.s, emailID)
	return func() error {
		if queueReminder(c.t, c.s, emailID) == "" {
			return fmt.Errorf("no reminder")
		}
		return nil
	}
}

// requireRevoked: whoever sees the invitation sees that it has ended, its workflow hears of it, and no email about it is to
// come.
func (c *cast) requireRevoked(a act) {
	if a == unconfirm { // behind the store's back
		return
	}
	invitations := readValue[string](c.t, c.s, "SELECT string_agg(state, ' ') FROM invitations WHERE inviter_id = ?", c.holder.ID)
	require.Equal(c.t, "revoked", invitations)
	id := readValue[string](c.t, c.s, "SELECT id FROM invitations WHERE inviter_id = ?", c.holder.ID)
	require.Equal(c.t, "revoked", readValue[string](c.t, c.s, "SELECT signal FROM outbox WHERE workflow_id = ? AND signal <> ''", job.RoomInvitationID(id)))
	require.Zero(c.t, readValue[int](c.t, c.s, "SELECT count(*) FROM emails WHERE subject_id = ? AND state IN ('queued', 'sending')", id))
}

func (c *cast) postMessage(key string) error {
	idempotencyKey := IdempotencyKey{}
	if key != "" {
		idempotencyKey = IdempotencyKey{Hash: []byte(key + c.holder.ID), Fingerprint: []byte(key)}
	}
	_, err := c.s.PostMessage(c.t.Context(), c.holder, watchparty.NewMessage{RoomID: c.room.ID, Body: "hello"}, idempotencyKey)
	return err
}

// succeedHost makes everybody but the holder leave, the host last.
func (c *cast) succeedHost() error {
	people, err := c.s.Participants(c.t.Context(), c.room.ID)
	require.NoError(c.t, err)
	host := c.hostOf()
	slices.SortFunc(people, func(a, b watchparty.Participant) int {
		return strings.Compare(strconv.FormatBool(a.UserID == host), strconv.FormatBool(b.UserID == host))
	})
	for _, p := range people {
		if p.UserID != c.holder.ID {
			require.NoError(c.t, c.s.LeaveRoom(c.t.Context(), c.room.ID, p.UserID))
		}
	}
	if c.hostOf() != c.holder.ID {
		return fmt.Errorf("the room has passed to nobody, or to another")
	}
	return nil
}

const noReason = ""

// grants are all that are stored.
var grants = map[string]grant{
	"invitation: acceptance": {
		give: func(c *cast) func() error {
			invited, newcomer := c.createInvitation(), newUser(c.t, c.s, "newcomer"+c.holder.Username[6:])
			return func() error { return acceptInvitation(c.t, c.s, invited, newcomer) }
		},
		also:  (*cast).requireRevoked,
		cells: invitationCells(cells{waits, noReason, concatActs(archive)}, cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"invitation: lookup": {
		give:  func(c *cast) func() error { return c.lookUpInvitation(c.createInvitation()) },
		also:  (*cast).requireRevoked,
		cells: invitationCells(cells{remains, "the room may be opened again; acceptance waits for that", concatActs(archive, reopen)}),
	},
	"email: room_invitation": {
		give: func(c *cast) func() error {
			i := c.createInvitation()
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailRoomInvitation, i.ID), c.lookUpInvitation(i))
		},
		also:  (*cast).requireRevoked,
		cells: invitationCells(cells{remains, "what sends it looks at the room itself, see the activity's test", concatActs(archive, reopen)}),
	},
	"email: room_invitation_reminder": {
		give: func(c *cast) func() error {
			return c.queuesReminder(emailAbout(c.t, c.s, watchparty.EmailRoomInvitation, c.createInvitation().ID))
		},
		also:  (*cast).requireRevoked,
		cells: invitationCells(cells{waits, noReason, concatActs(archive)}, cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"invitation to the holder": {
		give: func(c *cast) func() error {
			i := createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return c.lookUpInvitation(i)
		},
		cells: []cells{
			{ended, noReason, concatActs(kick, deletion, deleteRoom)},
			{remains, "a ban refuses acceptance while it lasts; whoever is let in again may use it", concatActs(banForEver, banUntil)},
			{remains, "they may come again as often as they like", concatActs(quit, leave, demote)},
			{remains, "the inviter's right is untouched", concatActs(handOver, visibilities)},
			{remains, "the room may be opened again; acceptance waits for that", concatActs(archive, reopen)},
			{remains, nobodyAsks, concatActs(suspend)},
			{remains, "whoever has the token was asked, with whatever account", concatActs(reinstate, ofSignIns, newAddress, unconfirm, revokeAdmin)},
		},
	},
	"invitation to the holder: listed": {
		give: func(c *cast) func() error {
			createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return func() error {
				listed, err := c.s.MyInvitations(c.t.Context(), c.holder.ID, Page{Limit: 2})
				if err != nil {
					return err
				}
				return errorUnless(len(listed) == 1)
			}
		},
		cells: toMyAddress(cells{remains, "the room may be opened again; acceptance waits for that", concatActs(archive, reopen)},
			cells{remains, nobodyAsks, concatActs(suspend)}),
	},
	"invitation to the holder: acceptance in the account": {
		give: func(c *cast) func() error {
			i := createInvitation(c.t, c.s, c.room, c.deputy, strings.ToUpper(c.holder.Email))
			return func() error {
				_, err := c.s.AcceptMyInvitation(c.t.Context(), i.ID, c.holder.ID)
				return err
			}
		},
		cells: toMyAddress(cells{waits, noReason, concatActs(archive, suspend)}, cells{remains, "the room is open again", concatActs(reopen)}),
	},
	"opt-out link": {
		give: func(c *cast) func() error {
			i := c.createInvitation()
			return func() error { return c.s.OptOut(c.t.Context(), i.ID) }
		},
		cells: nobodysCells("whoever got the email may refuse more of them, whatever became of the invitation"),
	},
	"sign-in":       {give: func(c *cast) func() error { return c.readSessionUser }, cells: signInCells},
	"refresh token": {give: func(c *cast) func() error { return c.rotateSession }, cells: signInCells},
	"role of a moderator": {
		give: func(c *cast) func() error {
			return func() error {
				_, err := c.s.Mute(c.t.Context(), c.room.ID, c.holder.ID, c.guest.Username, watchparty.NewMute{Until: Now().Add(time.Hour)}, IdempotencyKey{})
				return err
			}
		},
		cells: append(byModerator(cannot),
			cells{remains, "order is kept in an archived room, too", concatActs(archive, reopen)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "a suspension is no judgement of the room's", concatActs(reinstate)}),
	},
	"replay of an invitation": {
		give: func(c *cast) func() error {
			ask := func() error {
				idempotencyKey := IdempotencyKey{Hash: []byte("invite" + c.holder.ID), Fingerprint: []byte("asked")}
				_, err := c.s.Invite(c.t.Context(), c.room.ID, c.holder.ID, watchparty.NewInvitation{Email: "again@example.org"}, idempotencyKey)
				return err
			}
			require.NoError(c.t, ask())
			return ask
		},
		cells: append(byModerator(ended),
			cells{remains, "it answers what is listed", concatActs(archive, reopen)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "it answers what is listed: an invitation that was revoked", concatActs(reinstate)}),
	},
	"replay of a message": {
		give: func(c *cast) func() error {
			require.NoError(c.t, c.postMessage("post"))
			return func() error { return c.postMessage("post") }
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, deletion, deleteRoom)},
			{remains, "a member may read", concatActs(leave, demote, handOver, visibilities, archive, reopen)},
			{remains, nobodyAsks, concatActs(suspend)},
			{remains, notOfSignIns, concatActs(reinstate, ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"replay of a room": {
		own: true,
		give: func(c *cast) func() error {
			open := func() error {
				idempotencyKey := IdempotencyKey{Hash: []byte("room" + c.holder.ID), Fingerprint: []byte("asked")}
				_, err := c.s.CreateRoom(c.t.Context(), c.holder.ID, watchparty.NewRoom{
					Name: "A room", Visibility: watchparty.Private, Capacity: 10}, idempotencyKey)
				return err
			}
			require.NoError(c.t, open())
			execute(c.t, c.s, "UPDATE idempotency_keys SET resource_id = ? WHERE key_hash = ?", c.room.ID, []byte("room"+c.holder.ID))
			return open
		},
		cells: []cells{
			{cannot, nobodyAbove, concatActs(expulsions, demote)},
			{ended, noReason, concatActs(quit, deletion, deleteRoom)},
			{remains, "the former host is a moderator", concatActs(leave, handOver)},
			{remains, "the host may see it", concatActs(visibilities, archive, reopen)},
			{waits, noReason, concatActs(suspend)},
			{remains, notOfSignIns, concatActs(reinstate, ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"role of the host": {
		own: true,
		give: func(c *cast) func() error {
			return func() error {
				name := "Another name"
				_, err := c.s.UpdateRoom(c.t.Context(), c.room.ID, c.holder.ID, watchparty.RoomChange{Name: &name}, nil)
				return err
			}
		},
		cells: []cells{
			{cannot, nobodyAbove, concatActs(expulsions, demote)},
			{ended, noReason, concatActs(quit, leave, handOver, deletion, deleteRoom)},
			{waits, noReason, concatActs(suspend, archive)},
			{remains, "it is as before", concatActs(visibilities, reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"membership of a private room": {
		give: func(c *cast) func() error {
			require.NoError(c.t, c.setRole(c.boss, c.holder, watchparty.Viewer))
			return func() error {
				if err := c.s.LeaveRoom(c.t.Context(), c.room.ID, c.holder.ID); err != nil {
					return err
				}
				_, err := c.s.JoinRoom(c.t.Context(), c.room.ID, c.holder.ID)
				return err
			}
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, deletion, deleteRoom)},
			{cannot, "there is no lower role", concatActs(demote)},
			{remains, "a member may come and go", concatActs(leave, handOver)},
			{remains, "who was let in stays so, should the room be private again", concatActs(visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"place in a room": {
		give: func(c *cast) func() error { return func() error { return c.postMessage("") } },
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion, deleteRoom)},
			{remains, "a viewer may speak", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"succession": {
		give: func(c *cast) func() error { return c.succeedHost },
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion)},
			{cannot, "the room has no host any more", concatActs(deleteRoom)},
			{remains, "the last who is in the room follows, with whatever role", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"being handed the room": {
		give: func(c *cast) func() error {
			return func() error { return c.setRole(watchparty.User{ID: c.hostOf()}, c.holder, watchparty.Host) }
		},
		cells: []cells{
			{ended, noReason, concatActs(expulsions, quit, leave, deletion)},
			{cannot, "nobody can hand it over", concatActs(deleteRoom)},
			{remains, "it is the host's to say", concatActs(demote, handOver, visibilities)},
			{waits, noReason, concatActs(archive, suspend)},
			{remains, "it is as before", concatActs(reopen, reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress, revokeAdmin)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"ban by the holder": {
		give: func(c *cast) func() error {
			banUser(c.t, c.s, c.room, c.holder, c.guest, nil)
			return func() error {
				standing, err := c.s.Standing(c.t.Context(), c.room.ID, c.guest.ID)
				if err != nil {
					return err
				}
				return errorUnless(standing.Banned)
			}
		},
		cells: sanctionCells,
	},
	"mute by the holder": {
		give: func(c *cast) func() error {
			muteUser(c.t, c.s, c.room, c.holder, c.guest, Now().Add(time.Hour))
			return func() error {
				place, err := c.s.Place(c.t.Context(), c.room.ID, c.guest.ID)
				if err != nil {
					return err
				}
				return errorUnless(!place.MutedUntil.IsZero())
			}
		},
		cells: sanctionCells,
	},
	"upload on its way": {
		give: func(c *cast) func() error {
			version := uploadAvatar(c.t, c.s, c.holder)
			return func() error { return errorUnless(publishAvatar(c.t, c.s, c.holder, version) == watchparty.AvatarReady) }
		},
		cells: accountCells(
			cells{remains, "it is the account's own picture, and shown to nobody anew", concatActs(suspend, reinstate)},
			cells{remains, notOfSignIns, concatActs(ofSignIns, newAddress)},
			cells{cannot, nothingDoes, concatActs(unconfirm)}),
	},
	"admin": {
		give: func(c *cast) func() error {
			execute(c.t, c.s, "UPDATE users SET is_admin = true WHERE id = ?", c.holder.ID)
			return func() error {
				user, err := c.s.User(c.t.Context(), c.holder.ID) // as the API asks, before every act of an admin's
				if err == nil && !user.Admin {
					err = watchparty.ErrForbidden
				}
				if err != nil {
					return err
				}
				return c.s.EndUserSessions(c.t.Context(), c.holder.ID, c.guest.ID)
			}
		},
		cells: []cells{
			{remains, notOfRooms, ofTheRoom},
			{ended, noReason, concatActs(deletion, revokeAdmin)},
			{waits, noReason, concatActs(suspend)},
			{remains, "it is another admin's to revoke", concatActs(reinstate)},
			{remains, notOfSignIns, concatActs(ofSignIns, newAddress)},
			{cannot, nothingDoes, concatActs(unconfirm)},
		},
	},
	"link that confirms the first address": {
		give: func(c *cast) func() error {
			unconfirmHolder(c)
			first := newestVerification(c.t, c.s, c.holder)
			return func() error { return c.s.VerifyEmail(c.t.Context(), first) }
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newAddress)},
			cells{remains, "it proves an address and lets nobody in", concatActs(suspend, reinstate, ofSignIns)},
			cells{cannot, "it is not confirmed", concatActs(unconfirm)}),
	},
	"link that changes the address": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@other.example.org")
			return func() error { return c.s.VerifyEmail(c.t.Context(), id) }
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "it was asked for with the password, and lets nobody in", concatActs(signOut, suspend, reinstate, unconfirm)}),
	},
	"link that sets a password": {
		give: func(c *cast) func() error {
			id := requestReset(c.t, c.s, c.holder)
			return func() error {
				_, err := c.s.ResetUser(c.t.Context(), id)
				return err
			}
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "whoever reads the address's email sets the password; a suspended account is not let in by it",
				concatActs(suspend, reinstate, signOut, unconfirm)}),
	},
	"link to a report": {
		give: func(c *cast) func() error {
			id := addReport(c)
			return func() error {
				_, err := c.s.ActivityReport(c.t.Context(), id)
				return err
			}
		},
		cells: nobodysCells("a report holds counts, and nobody's standing lets them see it"),
	},
	"email: activity_report": {
		give: func(c *cast) func() error {
			report := addReport(c)
			reader, err := watchparty.ParseAddress("reader@example.org")
			require.NoError(c.t, err)
			queued, err := c.s.QueueReportEmails(c.t.Context(), report, []watchparty.Address{reader})
			require.NoError(c.t, err)
			require.Equal(c.t, 1, queued)
			id := readValue[string](c.t, c.s, "SELECT id FROM report_mails WHERE report_id = ?", report)
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailActivityReport, id), func() error {
				_, _, err := c.s.ReportEmail(c.t.Context(), id, []watchparty.Address{reader})
				return err
			})
		},
		cells: nobodysCells("it goes to those whom the settings name when it is sent"),
	},
	"email: welcome": {
		give: func(c *cast) func() error {
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID), func() error {
				_, err := c.s.User(c.t.Context(), c.holder.ID)
				return err
			})
		},
		cells: accountCells(cells{remains, "it greets, at the address that the account has when it is sent", concatActs(
			suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
	"email: welcome_reminder": {
		give: func(c *cast) func() error {
			unconfirmHolder(c)
			return c.queuesReminder(emailAbout(c.t, c.s, watchparty.EmailWelcome, c.holder.ID))
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newAddress, resetPassword)},
			cells{waits, noReason, concatActs(suspend)},
			cells{remains, "the address is not confirmed yet", concatActs(reinstate, newPassword, signOut)},
			cells{cannot, "it is not confirmed", concatActs(unconfirm)}),
	},
	"email: email_verification": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@other.example.org")
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailVerification, id), func() error {
				_, err := c.s.PendingVerification(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "its link works", concatActs(signOut, suspend, reinstate, unconfirm)}),
	},
	"email: password_reset": {
		give: func(c *cast) func() error {
			id := requestReset(c.t, c.s, c.holder)
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailReset, id), func() error {
				_, err := c.s.ResetUser(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(
			cells{ended, noReason, concatActs(newPassword, resetPassword, newAddress)},
			cells{remains, "its link works", concatActs(suspend, reinstate, signOut, unconfirm)}),
	},
	"email: password_changed": {
		give: func(c *cast) func() error {
			hash := "hash of " + c.holder.Username
			require.NoError(c.t, c.s.ChangePassword(c.t.Context(), c.holder.ID, hash, hash, ""))
			id := readValue[string](c.t, c.s, "SELECT id FROM emails WHERE kind = 'password_changed' AND user_id = ?", c.holder.ID)
			return c.whileQueued(id, func() error { return nil })
		},
		cells: accountCells(cells{remains, "it warns the account's owner, whatever happens next", concatActs(suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
	"email: email_changed": {
		give: func(c *cast) func() error {
			id := requestEmailChange(c.t, c.s, c.holder, c.holder.Username+"@changed.example.org")
			require.NoError(c.t, c.s.VerifyEmail(c.t.Context(), id))
			c.holder.Email = c.holder.Username + "@changed.example.org"
			return c.whileQueued(emailAbout(c.t, c.s, watchparty.EmailAddressChanged, id), func() error {
				_, err := c.s.ReplacedAddress(c.t.Context(), id)
				return err
			})
		},
		cells: accountCells(cells{remains, "it warns the former address, whatever happens next", concatActs(suspend, reinstate, ofSignIns, newAddress, unconfirm)}),
	},
}

var (
	signInCells = []cells{
		{remains, notOfRooms, ofTheRoom},
		{ended, noReason, concatActs(suspend, reinstate, deletion, ofSignIns)},
		{remains, "it was asked for with the password", concatActs(newAddress)},
		{remains, "what an admin may do is looked up with each act", concatActs(revokeAdmin)},
		{cannot, nothingDoes, concatActs(unconfirm)},
	}
	sanctionCells = []cells{
		{remains, "it was right when it was given, and the room's moderators can lift it", concatActs(withoutActs(ofTheRoom, deleteRoom), ofTheAccount)},
		{ended, noReason, concatActs(deleteRoom)},
	}
)

func (c *cast) readSessionUser() error {
	_, err := c.s.SessionUser(c.t.Context(), c.session)
	return err
}

func (c *cast) rotateSession() error {
	_, _, err := rotateSession(c.t, c.s, c.token)
	return err
}

func errorUnless(there bool) error {
	if !there {
		return fmt.Errorf("it is not there any more")
	}
	return nil
}

func unconfirmHolder(c *cast) {
	execute(c.t, c.s, "UPDATE users SET email_verified_at = NULL WHERE id = ?", c.holder.ID)
}

func addReport(c *cast) string {
	id := newID()
	start := Now().Add(-time.Duration(casts.Add(1)) * time.Hour)
	execute(c.t, c.s, "INSERT INTO reports (id, kind, period_start, period_end, data) VALUES (?, ?, ?, ?, '{}')",
		id, watchparty.ActivityReportKind, start, start.Add(time.Hour))
	return id
}

// cellsOf finds the one cell of each act.
func cellsOf(t *testing.T, name string, g grant) map[act]cells {
	t.Helper()
	found := map[act]cells{}
	for _, group := range g.cells {
		require.Equal(t, group.verdict == remains || group.verdict == cannot, group.why != "", "%s: a reason where one is needed", name)
		for _, a := range group.acts {
			require.Contains(t, performAct, a, name)
			require.NotContains(t, found, a, "%s has two cells for %s", name, a)
			found[a] = group
		}
	}
	for a := range performAct {
		require.Contains(t, found, a, "%s has no cell for %s", name, a)
	}
	return found
}

func TestAuthorityEndsWithItsBasis(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, g := range grants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCast(t, s, g.own)
			require.NoError(t, g.give(c)(), "without any act it holds")
			for a, cell := range cellsOf(t, name, g) {
				if cell.verdict == cannot {
					continue
				}
				t.Run(string(a), func(t *testing.T) {
					c := newCast(t, s, g.own)
					holds := g.give(c)
					require.NoError(t, performAct[a](c))
					switch err := holds(); cell.verdict {
					case remains:
						require.NoError(t, err, cell.why)
					case waits:
						require.Error(t, err)
					case ended:
						require.Error(t, err)
						if g.also != nil && a != deletion {
							g.also(c, a)
						}
					}
				})
			}
		})
	}
}

// constants are the values of a package's string constants of a type, by their names; without a type, those of the
// block that begins with the comment.
func constants(t *testing.T, dir, typeName, comment string) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			block, ok := d.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST || comment != "" && !strings.HasPrefix(block.Doc.Text(), comment) {
				continue
			}
			for _, spec := range block.Specs {
				v := spec.(*ast.ValueSpec)
				kind, _ := v.Type.(*ast.Ident)
				if typeName != "" && (kind == nil || kind.Name != typeName) || len(v.Values) != 1 {
					continue
				}
				if literal, ok := v.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					value, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					found[v.Names[0].Name] = value
				}
			}
		}
	}
	require.NotEmpty(t, found, typeName+comment)
	return found
}

// noGrant says that something ends no grant's basis, or is no grant.
func noGrant(why string) any { return why }

// TestAuthorityKnowsEverything fails for what is new in the code and has no place in the table.
func TestAuthorityKnowsEverything(t *testing.T) {
	t.Parallel()
	t.Run("acts in rooms", func(t *testing.T) {
		known := map[watchparty.RoomAction]any{
			watchparty.ActRoomUpdated: toPrivate, watchparty.ActRoomArchived: archive, watchparty.ActRoomReopened: reopen,
			watchparty.ActRoleSet: demote, watchparty.ActHostHandedOver: handOver, watchparty.ActHostSucceeded: leave,
			watchparty.ActKicked: kick, watchparty.ActBanned: banForEver, watchparty.ActBanLifted: banUntil,
			watchparty.ActMuted: noGrant("takes a voice, and no right"), watchparty.ActMuteLifted: noGrant("gives a voice back"),
			watchparty.ActMessageDeleted: noGrant("is about a message"), watchparty.ActInvited: noGrant("gives a grant"),
			watchparty.ActRoomClosed:        archive,
			watchparty.ActInvitationRevoked: noGrant("ends one grant itself"), watchparty.ActInvitationAccepted: noGrant("uses a grant up"),
		}
		for name, value := range constants(t, "..", "RoomAction", "") {
			require.Contains(t, known, watchparty.RoomAction(value), "%s: which grants does it end?", name)
		}
	})
	t.Run("acts of admins", func(t *testing.T) {
		known := map[watchparty.AuditAction]any{
			watchparty.AuditUserSuspended: suspend, watchparty.AuditUserReinstated: reinstate, watchparty.AuditUserSessionsEnded: signOut,
			watchparty.AuditAdminGranted: noGrant("gives a grant"), watchparty.AuditAdminRevoked: revokeAdmin,
			watchparty.AuditRoomRestored: reopen, watchparty.AuditRoomClosed: archive, watchparty.AuditRoomReopened: reopen,
			watchparty.AuditMessageRemoved: noGrant("is about a message"), watchparty.AuditPrivateRoomRead: noGrant("changes nothing"),
			watchparty.AuditReportResolved: noGrant("is about a report"),
		}
		about := []string{"movie_", "cleanup_", "schedule_", "mail_", "mails_"} // things that no grant rests on
		for name, value := range constants(t, "..", "AuditAction", "") {
			if !slices.ContainsFunc(about, func(prefix string) bool { return strings.HasPrefix(value, prefix) }) {
				require.Contains(t, known, watchparty.AuditAction(value), "%s: which grants does it end?", name)
			}
		}
	})
	t.Run("emails", func(t *testing.T) {
		for _, kind := range watchparty.EmailKinds() {
			require.Contains(t, grants, "email: "+string(kind))
		}
	})
	t.Run("links", func(t *testing.T) {
		known := map[auth.Purpose][]string{
			auth.ForEmail: {"link that confirms the first address", "link that changes the address"}, auth.ForReset: {"link that sets a password"},
			auth.ForInvitation: {"invitation: acceptance", "invitation: lookup"}, auth.ForOptOut: {"opt-out link"}, auth.ForReport: {"link to a report"},
		}
		for name, value := range constants(t, "../auth", "Purpose", "") {
			require.NotEmpty(t, known[auth.Purpose(value)], name)
		}
		for _, names := range known {
			for _, name := range names {
				require.Contains(t, grants, name)
			}
		}
	})
	t.Run("workflows", func(t *testing.T) {
		const onlyEmail = "sends an email when it starts; see that kind"
		known := map[string]string{
			job.WorkflowWelcomeEmail: "email: welcome_reminder", job.WorkflowRoomInvitation: "email: room_invitation_reminder", job.WorkflowProcessAvatar: "upload on its way",
			job.WorkflowVerificationEmail: onlyEmail, job.WorkflowPasswordResetEmail: onlyEmail, job.WorkflowEmailChangedNotice: onlyEmail, job.WorkflowPasswordChangedNotice: onlyEmail, job.WorkflowResend: onlyEmail,
			job.WorkflowReportEmail: onlyEmail, job.WorkflowCleanup: "an admin's order, which any admin can cancel", job.WorkflowDeleteAccount: "only ends grants",
			job.WorkflowActivityReport: "counts",
		}
		for name, value := range constants(t, "../workflows/job", "", "Workflow types.") {
			require.Contains(t, known, value, "%s: what does it do when it has waited?", name)
		}
	})
	t.Run("tables", func(t *testing.T) {
		known := map[string]string{
			"users": "admin", "sessions": "sign-in", "rooms": "role of the host", "participants": "place in a room",
			"members": "membership of a private room", "bans": "ban by the holder", "mutes": "mute by the holder",
			"invitations": "invitation: acceptance", "invitation_optouts": "opt-out link", "emails": "email: welcome", "email_attempts": "email: welcome",
			"email_verifications": "link that confirms the first address", "password_resets": "link that sets a password",
			"avatars": "upload on its way", "idempotency_keys": "replay of a message", "reports": "link to a report", "report_mails": "email: activity_report",
			"outbox": "email: room_invitation", "known_clients": "sign-in",
		}
		without := []string{ // records, and what belongs to nobody
			"messages", "room_log", "audit", "movies", "cleanup_runs", "mail_pauses", "stays", "active_users", "activity_days", "activity_since", "abuse_reports", "email_budgets",
		}
		s := openStore(t)
		var tables []string
		require.NoError(t, s.db.NewRaw(`SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name NOT LIKE '%migration%'`).Scan(context.Background(), &tables))
		for _, table := range tables {
			if !slices.Contains(without, table) {
				require.Contains(t, grants, known[table], "what grants are in the table %s?", table)
			}
		}
	})
}
