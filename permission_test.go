package watchparty_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

func TestRoles(t *testing.T) {
	outranks := map[[2]watchparty.Role]bool{
		{watchparty.Host, watchparty.Moderator}:   true,
		{watchparty.Host, watchparty.Viewer}:      true,
		{watchparty.Moderator, watchparty.Viewer}: true,
	}
	for _, one := range watchparty.Roles() {
		for _, other := range watchparty.Roles() {
			require.Equal(t, outranks[[2]watchparty.Role{one, other}], one.Outranks(other), "%s, %s", one, other)
		}
		for _, p := range watchparty.Permissions() {
			require.Contains(t, []bool{true, false}, one.May(p))
			require.False(t, watchparty.Role("").May(p), "no role allows nothing")
			require.False(t, watchparty.Role("owner").May(p))
			if watchparty.Viewer.May(p) {
				require.True(t, watchparty.Moderator.May(p))
			}
			require.True(t, watchparty.Host.May(p))
		}
		one.Permissions(watchparty.DefaultRoomAccess)[0] = "changed"
		require.NotEqual(t, watchparty.Permission("changed"), one.Permissions(watchparty.DefaultRoomAccess)[0],
			"callers cannot change the table")
	}
}

// TestRoomAccess checks each permission of each role in rooms with each setting.
func TestRoomAccess(t *testing.T) {
	levels := []watchparty.AccessLevel{watchparty.HostOnly, watchparty.ModeratorsOnly, watchparty.Everyone}
	contains := map[watchparty.AccessLevel][]watchparty.Role{
		watchparty.HostOnly:       {watchparty.Host},
		watchparty.ModeratorsOnly: {watchparty.Host, watchparty.Moderator},
		watchparty.Everyone:       {watchparty.Host, watchparty.Moderator, watchparty.Viewer},
		"":                        nil,
		"nobody":                  nil,
	}
	for level, roles := range contains {
		for _, role := range append(watchparty.Roles(), "", "owner") {
			require.Equal(t, slices.Contains(roles, role), level.Contains(role), "%s, %s", level, role)
		}
	}
	for _, control := range levels {
		for _, queue := range levels {
			access := watchparty.RoomAccess{Control: control, Queue: queue}
			for _, role := range append(watchparty.Roles(), "") {
				for _, p := range watchparty.Permissions() {
					want := role.May(p)
					switch p {
					case watchparty.MayControl:
						want = control.Contains(role)
					case watchparty.MayAddToQueue:
						want = queue.Contains(role)
					default:
					}
					require.Equal(t, want, role.MayIn(access, p), "%s %s in %+v", role, p, access)
					require.Equal(t, want, slices.Contains(role.Permissions(access), p))
				}
			}
		}
	}
	for _, role := range watchparty.Roles() {
		for _, p := range watchparty.Permissions() {
			require.Equal(
				t,
				role.May(p),
				role.MayIn(watchparty.DefaultRoomAccess, p),
				"the table describes the default settings",
			)
		}
	}
}

func TestPermissionsOfOwnStanding(t *testing.T) {
	everyone := watchparty.RoomAccess{Control: watchparty.Everyone, Queue: watchparty.Everyone}
	silent := []watchparty.Permission{watchparty.MayPost, watchparty.MayControl, watchparty.MayEditQueue,
		watchparty.MayAddToQueue, watchparty.MayScheduleParty}
	for _, role := range watchparty.Roles() {
		own := watchparty.OwnStanding{Role: role, Access: everyone}
		require.Equal(t, role.Permissions(everyone), own.Permissions())
		own.MutedUntil = time.Now()
		want := slices.DeleteFunc(role.Permissions(everyone), func(p watchparty.Permission) bool {
			return slices.Contains(silent, p)
		})
		require.Equal(t, want, own.Permissions())
		require.True(t, own.May(watchparty.MayVote))
		require.False(t, own.May(watchparty.MayControl))
	}
}

// meanings say in words what each permission is for.
var meanings = map[watchparty.Permission]string{
	watchparty.MayPost:          "post messages",
	watchparty.MaySkipSlowMode:  "post without waiting in slow mode",
	watchparty.MayDeleteMessage: "delete messages of people with lower roles",
	watchparty.MayKick:          "remove people with lower roles from the room",
	watchparty.MayMute:          "mute people with lower roles, list and lift mutes",
	watchparty.MayBan:           "ban people with lower roles, list and lift bans",
	watchparty.MayInvite:        "invite, list and revoke invitations",
	watchparty.MayEditRoom:      "change, archive and reopen the room",
	watchparty.MayDeleteRoom:    "delete the room",
	watchparty.MaySetRole:       "make people moderators or viewers",
	watchparty.MayHandOver:      "hand the room over",
	watchparty.MayReadLog:       "read the room's log",
	watchparty.MayControl:       "play, pause, seek, load, skip, set the rate",
	watchparty.MayEditQueue:     "move items of the queue, remove other people's items, play a stream by its address",
	watchparty.MayAddToQueue:    "add items to the queue, remove one's own items",
	watchparty.MayVote:          "vote for items of the queue, and to skip",
	watchparty.MayScheduleParty: "schedule parties, change and cancel them",
}

const permissionsPage = `# Who may do what in a room

` + "`go test . -run TestPermissionsPage -update`" + ` writes this page from permission.go. Tests check every cell of the table.

%s
An act on another person needs a role above theirs: a host can act on moderators and viewers, a moderator on viewers,
and nobody on the host. People edit and delete their own messages without any permission. A role belongs to a person in
a room, whether the person is in the room or not: it is kept when the person leaves and comes back.

The table describes a room with the default settings. The room's setting ` + "`control`" + ` decides who has ` + "`control_playback`" + `,
and its setting ` + "`queue`" + ` decides who has ` + "`add_to_queue`" + `: only the host, the host and moderators, or everyone.

` + "`GET /rooms/{room_id}/me`" + ` lists what the caller may do in the room now. While the caller is muted, the list lacks
` + "`post_message`" + `, ` + "`control_playback`" + `, ` + "`edit_queue`" + `, ` + "`add_to_queue`" + ` and ` + "`schedule_party`" + `, whatever the caller's role
is. A banned caller gets a 403 ` + "`banned`" + ` instead of a list.

## Who sees a room

| | public | unlisted | private |
|---|---|---|---|
| lists and searches | show it while it is open | do not show it | do not show it |
| its host and moderators | see it | see it | see it |
| its members | see it | see it | see it |
| others, signed in or not | see it | see it | **404** |
| people who are banned | **403** | **403** | **403** |

Someone who sees a room can read all that belongs to it: its properties, its people and its messages. The members of a
private room are the people who accepted an invitation, and those who were in the room when it became private.

A person who sees a room, but lacks the permission for an operation, gets a 403. A request without a token gets a 401 if
the operation needs one. A deleted room is a 404 for everyone, also for its host and for people who are banned from it.
The token tells whether a caller is banned. A banned person can therefore still read a public or unlisted room without a
token, as anyone can.

An archived room can be read, but not used: attempts get a 409. Its host can reopen or delete it.

## What admins of the service may do

Admins are not members of rooms. In a room they have the rights of anyone else; the acts below are operations under
` + "`/admin`" + `. Each act is written to the audit log in its own transaction. A room's log shows what was done and why, but not
which admin did it.

- Admins see every room that is not deleted, with its messages, also private rooms and hidden messages. The audit log
  records that an admin reads the messages of a private room, once an hour for each admin and room.
- They close a room, with a reason. A closed room is archived, has ` + "`closed: true`" + `, and its host gets a 409 ` + "`room_closed`" + `
  when trying to open it. Admins can open any room again that has a host, whoever archived it.
- They delete any message, with a reason.
- They suspend an account. By default this hides what the account made: the rooms that it hosts are a 404 for everyone
  but admins, also for the people in them, and its messages look deleted, also where others quote them. Reinstating the
  account shows everything again. If the account is deleted while it is suspended, the hidden content is deleted with
  it. With ` + "`hide_content: false`" + ` nothing is hidden, but no list shows the rooms that the account hosts until they have
  another host. A room gets one at the next heartbeat of a person who is in it.
- They read and resolve reports of abuse. Nobody can see who sent a report, not even an admin. A report keeps a copy of
  what was reported until %d days after it was resolved (` + "`CLEANUP_REPORT_AGE`" + `). If the reported account is deleted, the
  report keeps the copy until it is resolved.
- They make other people admins, and revoke their rights. An admin has a confirmed address. The last admin who is
  neither suspended nor deleted cannot be revoked.

Everyone can report an account, and a room or message that they see: at most %d new reports an hour, and one open report
for each thing.

## Presence

People are present after they have joined, posted, or sent a heartbeat (POST /rooms/{id}/heartbeat, every 30 seconds). A
person who was not seen for %d seconds is still in the room, but absent. A heartbeat within 15 seconds after the
previous one writes nothing.

## The next host

An open room gets another host in three cases: its host leaves it; the host's account is deleted; or the host has not
been seen for %d minutes (` + "`ROOM_HOST_SILENCE`" + `) and another person in the room sends a heartbeat. A host who is not in
the room counts as unseen since the first of the people who are in it now joined. The next host is the person who has
been in the room longest, chosen from the first of these groups that is not empty:

1. the moderators who are present
2. the others who are present
3. the moderators who are in the room, but absent
4. the others who are in the room, but absent

If two people joined at the same moment, the one with the lower ID is chosen. Only groups 1 and 2 count when the host
was not seen for too long. A suspended host is replaced at once, and a suspended account never becomes the host. The
former host becomes a moderator, unless the account is deleted. If there is no next host, the room keeps its host; if
that account is deleted, the room is archived and has no host. The host can also hand the room over to anyone who is in
it (PATCH /rooms/{id}/participants/{username} with the role ` + "`host`" + `).
`

func TestPermissionsPage(t *testing.T) {
	c, err := config.Load([]string{"AUTH_SECRET=" + strings.Repeat("s", config.MinSecretBytes),
		"DATABASE_URL=postgres://h/d",
		"REDIS_URL=redis://h", "SMTP_HOST=h", "BLOB_URL=mem://"})
	require.NoError(t, err)
	var table strings.Builder
	table.WriteString("| permission | |")
	for _, role := range watchparty.Roles() {
		fmt.Fprintf(&table, " %s |", role)
	}
	table.WriteString("\n|---|---|" + strings.Repeat("---|", len(watchparty.Roles())) + "\n")
	contract, err := os.ReadFile("api/openapi.yaml")
	require.NoError(t, err)
	for _, p := range watchparty.Permissions() {
		require.NotEmpty(t, meanings[p], p)
		require.Contains(t, string(contract), fmt.Sprintf("* `%s`: %s\n", p, meanings[p]), "its meaning in the contract")
		fmt.Fprintf(&table, "| `%s` | %s |", p, meanings[p])
		for _, role := range watchparty.Roles() {
			fmt.Fprintf(&table, " %s |", map[bool]string{true: "yes", false: "–"}[role.May(p)])
		}
		table.WriteString("\n")
	}
	want := fmt.Sprintf(permissionsPage, table.String(), int(time.Duration(c.Cleanup.ReportAge).Hours()/24),
		watchparty.MaxHourlyReports, int(watchparty.PresentFor.Seconds()), int(c.Room.HostSilence.Minutes()))
	const file = "docs/permissions.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "go test . -run TestPermissionsPage -update")
}

func TestRoomChange(t *testing.T) {
	text := func(s string) *string { return &s }
	number := func(n int) *int { return &n }
	for _, test := range []struct {
		name   string
		change watchparty.RoomChange
		want   []string
	}{
		{"nothing", watchparty.RoomChange{}, nil},
		{"name of 100", watchparty.RoomChange{Name: text(strings.Repeat("é", 100))}, nil},
		{"name of 101", watchparty.RoomChange{Name: text(strings.Repeat("a", 101))}, []string{"name:too_long"}},
		{"blank name", watchparty.RoomChange{Name: text(" \t ")}, []string{"name:too_short"}},
		{"invisible name", watchparty.RoomChange{Name: text(zeroes)}, []string{"name:blank"}},
		{"NUL in the name", watchparty.RoomChange{Name: text("a\x00b")}, []string{"name:control_character"}},
		{"two lines", watchparty.RoomChange{Name: text("a\nb"), Description: text("a\nb")},
			[]string{"name:line_break"}},
		{"broken UTF-8", watchparty.RoomChange{Description: text("a\xff")}, []string{"description:control_character"}},
		{"Unicode", watchparty.RoomChange{Name: text(family + hebrew + combined)}, nil},
		{"description of 1001", watchparty.RoomChange{Description: text(strings.Repeat("a", 1001))},
			[]string{"description:too_long"}},
		{"capacity of 2", watchparty.RoomChange{Capacity: number(2)}, nil},
		{"capacity of 1", watchparty.RoomChange{Capacity: number(1)}, []string{"capacity:range"}},
		{"capacity of 1001", watchparty.RoomChange{Capacity: number(1001)}, []string{"capacity:range"}},
	} {
		test.change.Normalise()
		require.Equal(t, test.want, wrongFields(t, test.change.Validate()), test.name)
	}
	require.Nil(t, wrongFields(t, watchparty.ValidateSearch(hebrew+family+"'; --")))
	for _, q := range []string{"a\x00", "\xff", "\x1b[0m"} {
		require.Equal(t, []string{"q:control_character"}, wrongFields(t, watchparty.ValidateSearch(q)), "%q", q)
	}
}
