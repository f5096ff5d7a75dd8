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
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

// Authority lives as long as its basis. The table below has a cell for each grant that is stored and each act that may
// end its basis. The test drives the store through every cell but those that cannot happen; and it fails when the code
// has an act, a kind of email, a kind of link, a workflow or a table that the table below does not know.

// verdict says what an act does to a grant.
type verdict int

const (
	ended   verdict = iota + 1 // for good
	waits                      // it is of no use while the act's effect lasts
	remains                    // with a reason
	cannot                     // happen, with a reason
)

// act is an operation that may end the basis of a grant.
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

// grant is something that is stored and lets somebody do something later.
type grant struct {
	own  bool                               // in a room of the holder's
	give func(c *cast) (holds func() error) // holds uses it, and fails when it is worth nothing
	// also is what besides is so after an act that ends it.
	also  func(c *cast, a act)
	cells []cells
}

// cells has cells with the same verdict.
type cells struct {
	verdict verdict
	why     string // it remains, or cannot happen
	acts    []act
}

var (
	ofTheRoom = []act{kick, banForEver, banUntil, demote, quit, leave, handOver, toPublic, toUnlisted, toPrivate,
		archive, reopen, deleteRoom}
	ofTheAccount = []act{suspend, reinstate, deletion, newPassword, resetPassword, newAddress, unconfirm, revokeAdmin,
		signOut}
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

// byModerator has the cells of grants of the role moderator.
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

// accountCells has the cells of grants of an account, independent of rooms.
func accountCells(more ...cells) []cells {
	return append([]cells{{remains, notOfRooms, ofTheRoom}, {remains, notOfAdmins, concatActs(revokeAdmin)},
		{ended, "", concatActs(deletion)}}, more...)
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

// nobodysCells has the cells of grants that depend on nobody's standing.
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

// whileQueued fails for an email that is not to be sent any more, or about nothing: useful is what is looked up for it
// then.
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

// requireRevoked checks that every view of the invitation shows it as ended, that its workflow gets a signal, and that
// no email about it is queued.
func (c *cast) requireRevoked(a act) {
	if a == unconfirm { // behind the store's back
		return
	}
	invitations := readValue[string](c.t, c.s, "SELECT string_agg(state, ' ') FROM invitations WHERE inviter_id = ?",
		c.holder.ID)
	require.Equal(c.t, "revoked", invitations)
	id := readValue[string](c.t, c.s, "SELECT id FROM invitations WHERE inviter_id = ?", c.holder.ID)
	require.Equal(c.t, "revoked", readValue[string](c.t, c.s,
		"SELECT signal FROM outbox WHERE workflow_id = ? AND signal <> ''", job.RoomInvitationID(id)))
	require.Zero(c.t, readValue[int](c.t, c.s,
		"SELECT count(*) FROM emails WHERE subject_id = ? AND state IN ('queued', 'sending')", id))
}

func (c *cast) postMessage(key string) error {
	idempotencyKey := IdempotencyKey{}
	if key != "" {
		idempotencyKey = IdempotencyKey{Hash: []byte(key + c.holder.ID), Fingerprint: []byte(key)}
	}
	_, err := c.s.PostMessage(c.t.Context(), c.holder, watchparty.NewMessage{RoomID: c.room.ID, Body: "hello"},
		idempotencyKey)
	return err
}

// succeedHost makes everybody but the holder leave, the host last.
func (c *cast) succeedHost() error {
	people, err := c.s.Participants(c.t.Context(), c.room.ID)
	require.NoError(c.t, err)
	host := c.hostOf()
	slices.SortFunc(people, func(a, b watchparty.Participant) int {
		return strings.Compare(strconv.FormatBool(a.User.ID == host), strconv.FormatBool(b.User.ID == host))
	})
	for _, p := range people {
		if p.User.ID != c.holder.ID {
			require.NoError(c.t, c.s.LeaveRoom(c.t.Context(), c.room.ID, p.User.ID))
		}
	}
	if c.hostOf() != c.holder.ID {
		return fmt.Errorf("the room has passed to nobody, or to another")
	}
	return nil
}

const noReason = ""

// cellsOf finds the one cell of each act.
func cellsOf(t *testing.T, name string, g grant) map[act]cells {
	t.Helper()
	found := map[act]cells{}
	for _, group := range g.cells {
		require.Equal(t, group.verdict == remains || group.verdict == cannot, group.why != "",
			"%s: a reason where one is needed", name)
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

// requireGrant fails if the table of grants lacks one, and names what has it.
func requireGrant(t *testing.T, grant, of string, args ...any) {
	t.Helper()
	if _, ok := grants[grant]; !ok {
		t.Errorf("authority_grants_test.go has no grant %q for %s", grant, fmt.Sprintf(of, args...))
	}
}

// TestAuthorityKnowsEverything fails if the code has a grant or an act that the table lacks.
func TestAuthorityKnowsEverything(t *testing.T) {
	t.Parallel()
	t.Run("acts in rooms", func(t *testing.T) {
		const schedules = "is about a party; whoever changes it is judged with each act"
		const controls = "controls what is played, by a right that is judged with each act"
		known := map[watchparty.RoomAction]any{
			watchparty.ActRoomUpdated: toPrivate, watchparty.ActRoomArchived: archive, watchparty.ActRoomReopened: reopen,
			watchparty.ActRoleSet: demote, watchparty.ActHostHandedOver: handOver, watchparty.ActHostSucceeded: leave,
			watchparty.ActKicked: kick, watchparty.ActBanned: banForEver, watchparty.ActBanLifted: banUntil,
			watchparty.ActMuted: noGrant("takes a voice, and no right"), watchparty.ActMuteLifted: noGrant("gives a voice back"),
			watchparty.ActMessageDeleted: noGrant("is about a message"), watchparty.ActInvited: noGrant("gives a grant"),
			watchparty.ActRoomClosed:         archive,
			watchparty.ActInvitationRevoked:  noGrant("ends one grant itself"),
			watchparty.ActInvitationAccepted: noGrant("uses a grant up"),
			watchparty.ActPlayed:             noGrant(controls), watchparty.ActPaused: noGrant(controls),
			watchparty.ActSought: noGrant(controls), watchparty.ActRateSet: noGrant(controls),
			watchparty.ActLoaded: noGrant(controls), watchparty.ActSkipped: noGrant(controls),
			watchparty.ActPartyScheduled: noGrant(schedules), watchparty.ActPartyChanged: noGrant(schedules),
			watchparty.ActPartyCancelled: noGrant(schedules),
			watchparty.ActStopped:        noGrant(controls), watchparty.ActQueueAdded: noGrant(controls),
			watchparty.ActQueueRemoved: noGrant(controls), watchparty.ActQueueMoved: noGrant(controls),
		}
		for name, value := range constants(t, "..", "RoomAction", "") {
			_, ok := known[watchparty.RoomAction(value)]
			require.True(t, ok, "%s: which grants does it end? Add it to known", name)
		}
	})
	t.Run("acts of admins", func(t *testing.T) {
		known := map[watchparty.AuditAction]any{
			watchparty.AuditUserSuspended: suspend, watchparty.AuditUserReinstated: reinstate,
			watchparty.AuditUserSessionsEnded: signOut, watchparty.AuditUserSessionEnded: signOut,
			watchparty.AuditAdminGranted: noGrant("gives a grant"), watchparty.AuditAdminRevoked: revokeAdmin,
			watchparty.AuditRoomRestored: reopen, watchparty.AuditRoomClosed: archive, watchparty.AuditRoomReopened: reopen,
			watchparty.AuditMessageRemoved:  noGrant("is about a message"),
			watchparty.AuditPrivateRoomRead: noGrant("changes nothing"),
			watchparty.AuditReportResolved:  noGrant("is about a report"),
		}
		about := []string{
			"movie_",
			"cleanup_",
			"schedule_",
			"email_",
			"emails_",
			"job_",
			"queue_",
			"event_",
			"webhook_",
		} // things that no grant rests on
		for name, value := range constants(t, "..", "AuditAction", "") {
			if !slices.ContainsFunc(about, func(prefix string) bool { return strings.HasPrefix(value, prefix) }) {
				_, ok := known[watchparty.AuditAction(value)]
				require.True(t, ok, "%s: which grants does it end? Add it to known", name)
			}
		}
	})
	t.Run("emails", func(t *testing.T) {
		for _, kind := range watchparty.EmailKinds() {
			requireGrant(t, "email: "+string(kind), "an email of the kind %s", kind)
		}
	})
	t.Run("links", func(t *testing.T) {
		known := map[auth.Purpose][]string{
			auth.ForEmail:      {"link that confirms the first address", "link that changes the address"},
			auth.ForReset:      {"link that sets a password"},
			auth.ForInvitation: {"invitation: acceptance", "invitation: lookup"}, auth.ForOptOut: {"opt-out link"},
			auth.ForReport: {"link to a report"},
		}
		for name, value := range constants(t, "../auth", "Purpose", "") {
			require.NotEmpty(t, known[auth.Purpose(value)], name)
		}
		for _, names := range known {
			for _, name := range names {
				requireGrant(t, name, "a link")
			}
		}
	})
	t.Run("workflows", func(t *testing.T) {
		const onlyEmail = "sends an email when it starts; see that kind"
		known := map[string]string{
			job.WorkflowWelcomeEmail:          "email: welcome_reminder",
			job.WorkflowRoomInvitation:        "email: room_invitation_reminder",
			job.WorkflowProcessAvatar:         "upload on its way",
			job.WorkflowVerificationEmail:     onlyEmail,
			job.WorkflowPasswordResetEmail:    onlyEmail,
			job.WorkflowEmailChangedNotice:    onlyEmail,
			job.WorkflowPasswordChangedNotice: onlyEmail,
			job.WorkflowResend:                onlyEmail,
			job.WorkflowReportEmail:           onlyEmail,
			job.WorkflowCleanup:               "an admin's order, which any admin can cancel",
			job.WorkflowDeleteAccount:         "only ends grants",
			job.WorkflowActivityReport:        "counts",
			job.WorkflowScheduledParty:        "email: party_reminder",
			job.WorkflowPartyEmail:            onlyEmail,
			job.WorkflowWebhookDelivery:       "tells a webhook, which is the installation's and not the admin's who registered it",
		}
		for name, value := range constants(t, "../workflows/job", "", "Workflow types.") {
			require.NotEmpty(t, known[value], "%s: what does it do when it has waited? Add it to known", name)
		}
	})
	t.Run("tables", func(t *testing.T) {
		known := map[string]string{
			"users": "admin", "sessions": "sign-in", "rooms": "role of the host", "participants": "place in a room",
			"members": "membership of a private room", "bans": "ban by the holder", "mutes": "mute by the holder",
			"invitations": "invitation: acceptance", "invitation_optouts": "opt-out link", "emails": "email: welcome",
			"email_attempts":      "email: welcome",
			"email_verifications": "link that confirms the first address", "password_resets": "link that sets a password",
			"avatars": "upload on its way", "idempotency_keys": "replay of a message", "reports": "link to a report",
			"report_mails": "email: activity_report",
			"outbox":       "email: room_invitation", "known_clients": "sign-in",
			"party_answers": "email: party_reminder", "party_notices": "email: party_reminder",
			"playbacks": "control of playback", "live_members": "connection to a room",
		}
		without := []string{ // records, and what belongs to nobody
			"messages",
			"read_markers",
			"room_log",
			"audit",
			"movies",
			"cleanup_runs",
			"mail_pauses", "queue_pauses",
			"webhooks", // the installation's, whoever registered them
			"webhook_deliveries", "webhook_attempts",
			"stays",
			"active_users",
			"activity_days",
			"activity_since",
			"abuse_reports",
			"email_budgets",
			"queue_items", // who may remove what is judged with each act
			"queue_votes",
			"parties", // the room's, whoever scheduled them
			"skip_votes",
			"subtitles",
			"live_nodes",
			"cache_changes",
			"cache_members",
			"cache_horizon",
		}
		s := openStore(t)
		var tables []string
		require.NoError(t, s.db.NewRaw(`SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
				AND table_name NOT LIKE '%migration%'`).Scan(context.Background(), &tables))
		for _, table := range tables {
			if !slices.Contains(without, table) {
				requireGrant(t, known[table], "the table %s; add it to known, or to without", table)
			}
		}
	})
}
