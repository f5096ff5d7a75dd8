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
			require.False(t, watchparty.Role("").May(p), "who is nothing may nothing")
			require.False(t, watchparty.Role("owner").May(p))
			if watchparty.Viewer.May(p) {
				require.True(t, watchparty.Moderator.May(p))
			}
			require.True(t, watchparty.Host.May(p))
		}
		one.Permissions(watchparty.DefaultSharing)[0] = "changed"
		require.NotEqual(t, watchparty.Permission("changed"), one.Permissions(watchparty.DefaultSharing)[0],
			"the table is nobody's to change")
	}
}

// TestSharing goes over every cell: each role, by each permission, in rooms with each setting.
func TestSharing(t *testing.T) {
	circles := []watchparty.Circle{watchparty.OnlyHost, watchparty.OnlyModerators, watchparty.Everyone}
	contains := map[watchparty.Circle][]watchparty.Role{
		watchparty.OnlyHost:       {watchparty.Host},
		watchparty.OnlyModerators: {watchparty.Host, watchparty.Moderator},
		watchparty.Everyone:       {watchparty.Host, watchparty.Moderator, watchparty.Viewer},
		"":                        nil,
		"nobody":                  nil,
	}
	for circle, roles := range contains {
		for _, role := range append(watchparty.Roles(), "", "owner") {
			require.Equal(t, slices.Contains(roles, role), circle.Contains(role), "%s, %s", circle, role)
		}
	}
	for _, control := range circles {
		for _, queue := range circles {
			sharing := watchparty.Sharing{Control: control, Queue: queue}
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
					require.Equal(t, want, role.MayIn(sharing, p), "%s %s in %+v", role, p, sharing)
					require.Equal(t, want, slices.Contains(role.Permissions(sharing), p))
				}
			}
		}
	}
	for _, role := range watchparty.Roles() {
		for _, p := range watchparty.Permissions() {
			require.Equal(t, role.May(p), role.MayIn(watchparty.DefaultSharing, p), "the table is of the default settings")
		}
	}
}

func TestPermissionsOfAPlace(t *testing.T) {
	everyone := watchparty.Sharing{Control: watchparty.Everyone, Queue: watchparty.Everyone}
	silent := []watchparty.Permission{watchparty.MayPost, watchparty.MayControl, watchparty.MayEditQueue,
		watchparty.MayAddToQueue, watchparty.MayScheduleParty}
	for _, role := range watchparty.Roles() {
		place := watchparty.Place{Role: role, Sharing: everyone}
		require.Equal(t, role.Permissions(everyone), place.Permissions())
		place.MutedUntil = time.Now()
		want := slices.DeleteFunc(role.Permissions(everyone), func(p watchparty.Permission) bool {
			return slices.Contains(silent, p)
		})
		require.Equal(t, want, place.Permissions())
		require.True(t, place.May(watchparty.MayVote))
		require.False(t, place.May(watchparty.MayControl))
	}
}

// meanings say in words what each permission is for.
var meanings = map[watchparty.Permission]string{
	watchparty.MayPost:          "post messages",
	watchparty.MaySkipSlowMode:  "post without waiting in slow mode",
	watchparty.MayDeleteMessage: "delete messages of those below",
	watchparty.MayKick:          "put out those below",
	watchparty.MayMute:          "mute those below, list and lift mutes",
	watchparty.MayBan:           "ban those below, list and lift bans",
	watchparty.MayInvite:        "invite, list and revoke invitations",
	watchparty.MayEditRoom:      "change, archive and reopen the room",
	watchparty.MayDeleteRoom:    "delete the room",
	watchparty.MaySetRole:       "make moderators and viewers",
	watchparty.MayHandOver:      "hand the room over",
	watchparty.MayReadLog:       "read the room's log",
	watchparty.MayControl:       "play, pause, seek, load, skip, set the rate",
	watchparty.MayEditQueue:     "move items of the queue, remove those of others, play an address of the room's own",
	watchparty.MayAddToQueue:    "add to the queue, remove one's own items",
	watchparty.MayVote:          "vote for items of the queue, and to skip",
	watchparty.MayScheduleParty: "schedule parties, change and cancel them",
}

const permissionsPage = `# Who may do what in a room

Written by ` + "`go test . -run TestPermissionsPage -update`" + ` from permission.go; a test goes over every cell of the table.

%s
Whatever is done to a person needs a role above theirs: a host acts on moderators and viewers, a moderator on viewers,
nobody on a host. One's own messages need no permission to be edited or deleted. A role belongs to a person and a room, whether
they are in it or not: it survives leaving and coming back.

The table is that of a room with the default settings. ` + "`control`" + ` of a room says who has ` + "`control_playback`" + `, and ` + "`queue`" + ` who
has ` + "`add_to_queue`" + `: the host, the moderators too, or everyone.

` + "`GET /rooms/{room_id}/me`" + ` lists what the caller may do in the room now. While a mute lasts, ` + "`post_message`" + `,
` + "`control_playback`" + `, ` + "`edit_queue`" + `, ` + "`add_to_queue`" + ` and ` + "`schedule_party`" + ` are not in the list, whatever the role. A banned caller has no list: the answer is a 403 ` + "`banned`" + `.

## Who sees a room

| | public | unlisted | private |
|---|---|---|---|
| is in lists and searches | while open | no | no |
| its host and moderators | see it | see it | see it |
| its members | see it | see it | see it |
| others, signed in or not | see it | see it | **404** |
| whoever is banned | **403** | **403** | **403** |

Seeing a room is reading all that belongs to it: its properties, its people, its messages. Members are those whom a private room lets in:
whoever accepted an invitation, or was in it when it became private. Whoever sees a room and lacks a permission there gets a
403; without a token, what needs one is a 401. A deleted room is a 404 for everyone, its host and the banned included.
Who is banned is known by the token: what a public or unlisted room shows to anyone, it shows to them without one.

An archived room can be read, and nothing new happens in it: who tries gets a 409. Its host can open it again, or delete it.

## What admins of the service may do

Admins are no members of rooms: in a room they are what anybody is, and what follows they do under ` + "`/admin`" + `. Each act is audited
in its own transaction; a room's log says what was done and why, and names no admin.

- They see every room that is not deleted, and its messages, private and hidden ones too. That an admin reads the messages of a private
  room is audited, once an hour for each admin and room.
- They close a room, with a reason: it is archived, says ` + "`closed`" + ` to those in it, and its host gets a 409 ` + "`room_closed`" + ` for opening it.
  They open any room again that has a host, whoever archived it.
- They delete any message, with a reason.
- They suspend an account. By default what it made is hidden then: the rooms that it hosts are a 404 for everyone but admins, those in them
  included, and its messages look as if they were taken back, in quotes too. Reinstating shows all of it again; if the account is
  deleted meanwhile, what is hidden is deleted with it. With ` + "`hide_content: false`" + ` nothing is hidden, but the rooms that it
  hosts are in no list until they have another host: the next heartbeat of somebody in the room gives it one.
- They read and resolve reports of abuse. Nobody is shown who reported what. A report keeps what was reported as it was then, until %d
  days after it was resolved (` + "`CLEANUP_REPORT_AGE`" + `); of an account that is deleted, until it is resolved.
- They make other admins, and take their rights. An admin has a confirmed address; the last one who is neither suspended nor deleted stays an admin.

Everyone can report a room or a message that they see, and an account: %d new reports an hour, one open report for each thing.

## Presence

A heartbeat (POST /rooms/{id}/heartbeat, every 30 seconds), posting and joining say that someone is there. Whoever was not seen
for %d seconds is in the room, and not present. A heartbeat within 15 seconds of the one before writes nothing.

## The next host

An open room passes on when its host leaves it, when the host's account is deleted, and when the host has not been seen for
%d minutes (` + "`ROOM_HOST_SILENCE`" + `) and someone else who is in the room sends a heartbeat. A host who left an empty room counts as unseen since the
first of those who are in it now came. The next host is whoever has been in the room longest:

1. of the moderators who are present,
2. else of the others who are present,
3. else of the moderators who are in the room without being present,
4. else of the others who are; of two who came at the same moment, the one with the lower ID.

After silence only those who are present count (1 and 2). A suspended host counts as silent at once; suspended accounts are passed over. The former host is a moderator from then
on, unless the account is gone. With nobody to pass it on to the room keeps its host; if the account is gone, it is archived without one.
The host can also hand the room over, to anyone who is in it (PATCH /rooms/{id}/participants/{username} with the role host).
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
	for _, p := range watchparty.Permissions() {
		require.NotEmpty(t, meanings[p], p)
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
			[]string{"name:control_character"}},
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
	for _, q := range []string{"a\x00", "a\nb", "\xff", "\x1b[0m"} {
		require.Equal(t, []string{"q:control_character"}, wrongFields(t, watchparty.ValidateSearch(q)), "%q", q)
	}
}
