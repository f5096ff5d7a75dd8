package watchparty_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// wrongFields lists the problems of an error as field:code.
func wrongFields(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *watchparty.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, watchparty.KindInvalid, e.Kind)
	require.Equal(t, "invalid_request", e.Code)
	var out []string
	for _, f := range e.Fields {
		require.NotEmpty(t, f.Message)
		out = append(out, f.Field+":"+f.Code)
	}
	return out
}

const (
	combined = "e\u0301"         // é as two characters
	family   = "👩\u200d👩\u200d👧" // five characters that show as one
	hebrew   = "שלום"
	zeroes   = "\u200b\u200d\u2060\ufeff" // nothing to be seen
)

func TestRegistration(t *testing.T) {
	valid := watchparty.Registration{Username: "ada", Email: "ada@example.org", Password: "ten chars!",
		DisplayName: "Ada", Language: watchparty.English}
	longAddress := strings.Repeat("a", 60) + "@" + strings.Repeat(strings.Repeat("b", 61)+".", 3) + "example"
	require.Len(t, longAddress, 254)
	for _, test := range []struct {
		name   string
		change func(*watchparty.Registration)
		want   []string
	}{
		{"valid", func(*watchparty.Registration) {}, nil},

		{"username of 3", func(r *watchparty.Registration) { r.Username = "abc" }, nil},
		{"username of 2", func(r *watchparty.Registration) { r.Username = "ab" }, []string{"username:too_short"}},
		{"username of 32", func(r *watchparty.Registration) { r.Username = strings.Repeat("a", 32) }, nil},
		{"username of 33", func(r *watchparty.Registration) { r.Username = strings.Repeat("a", 33) },
			[]string{"username:too_long"}},
		{"username with signs", func(r *watchparty.Registration) { r.Username = "A.b_c-9" }, nil},
		{"username of digits", func(r *watchparty.Registration) { r.Username = "007" }, nil},
		{"username starts with a dot", func(r *watchparty.Registration) { r.Username = ".ada" },
			[]string{"username:pattern"}},
		{"username with a space", func(r *watchparty.Registration) { r.Username = "a da" }, []string{"username:pattern"}},
		{"username with a line break", func(r *watchparty.Registration) { r.Username = "ada\n" },
			[]string{"username:pattern"}},
		{"username with a slash", func(r *watchparty.Registration) { r.Username = "a/../b" }, []string{"username:pattern"}},
		{"username in Cyrillic", func(r *watchparty.Registration) { r.Username = "аdа" }, []string{"username:pattern"}},
		{"username with a zero width", func(r *watchparty.Registration) { r.Username = "ad\u200ba" },
			[]string{"username:pattern"}},
		{"username with NUL", func(r *watchparty.Registration) { r.Username = "ad\x00a" }, []string{"username:pattern"}},
		{"username of emoji", func(r *watchparty.Registration) { r.Username = "🎬🎬🎬" }, []string{"username:pattern"}},
		{"username empty", func(r *watchparty.Registration) { r.Username = "" },
			[]string{"username:too_short", "username:pattern"}},

		{"address at one label", func(r *watchparty.Registration) { r.Email = "ada@localhost" }, nil},
		{"address with a tag", func(r *watchparty.Registration) { r.Email = "a.d+a@sub.example.org" }, nil},
		{"address in other scripts", func(r *watchparty.Registration) { r.Email = "用户@例子.广告" }, nil},
		{"address of 254 bytes", func(r *watchparty.Registration) { r.Email = longAddress }, nil},
		{"address of 255 bytes", func(r *watchparty.Registration) { r.Email = "a" + longAddress }, []string{"email:email"}},
		{"address of 254 characters and more bytes", func(r *watchparty.Registration) { r.Email = "ä" + longAddress[1:] },
			[]string{"email:email"}},
		{"address empty", func(r *watchparty.Registration) { r.Email = "" }, []string{"email:email"}},
		{"address without @", func(r *watchparty.Registration) { r.Email = "ada.example.org" }, []string{"email:email"}},
		{"two addresses", func(r *watchparty.Registration) { r.Email = "a@b.org,c@d.org" }, []string{"email:email"}},
		{"two @", func(r *watchparty.Registration) { r.Email = "a@b@c.org" }, []string{"email:email"}},
		{"address with a name", func(r *watchparty.Registration) { r.Email = "Ada <ada@example.org>" },
			[]string{"email:email"}},
		{"address with two dots", func(r *watchparty.Registration) { r.Email = "ada@example..org" }, []string{"email:email"}},
		{"address ends with a dot", func(r *watchparty.Registration) { r.Email = "ada@example.org." },
			[]string{"email:email"}},
		{"address with a header", func(r *watchparty.Registration) { r.Email = "ada@example.org\r\nBcc:x@y.org" },
			[]string{"email:email", "email:line_break"}},
		{"address with NUL", func(r *watchparty.Registration) { r.Email = "a\x00da@example.org" },
			[]string{"email:email", "email:control_character"}},
		{"address with a no-break space", func(r *watchparty.Registration) { r.Email = "a\u00a0da@example.org" },
			[]string{"email:email"}},
		{"address with a zero width", func(r *watchparty.Registration) { r.Email = "a\u200bda@example.org" },
			[]string{"email:email"}},

		{"password of 10", func(r *watchparty.Registration) { r.Password = "ten chars!" }, nil},
		{"password of 9", func(r *watchparty.Registration) { r.Password = "123456789" }, []string{"password:too_short"}},
		{"password of 10 emoji", func(r *watchparty.Registration) { r.Password = strings.Repeat("🔑", 10) }, nil},
		{"password of 9 emoji", func(r *watchparty.Registration) { r.Password = strings.Repeat("🔑", 9) },
			[]string{"password:too_short"}},
		{"password of 128", func(r *watchparty.Registration) { r.Password = strings.Repeat("界", 128) }, nil},
		{"password of 129", func(r *watchparty.Registration) { r.Password = strings.Repeat("界", 129) },
			[]string{"password:too_long"}},
		{"password of spaces", func(r *watchparty.Registration) { r.Password = strings.Repeat(" ", 10) }, nil},

		{"display name of 64", func(r *watchparty.Registration) { r.DisplayName = strings.Repeat("界", 64) }, nil},
		{"display name of 65", func(r *watchparty.Registration) { r.DisplayName = strings.Repeat("界", 65) },
			[]string{"display_name:too_long"}},
		{"display name with emoji", func(r *watchparty.Registration) { r.DisplayName = family + " Ada" }, nil},
		{"display name from right to left", func(r *watchparty.Registration) { r.DisplayName = hebrew }, nil},
		{"display name with combining marks", func(r *watchparty.Registration) { r.DisplayName = combined }, nil},
		{"display name with a line break", func(r *watchparty.Registration) { r.DisplayName = "Ada\nAdmin" },
			[]string{"display_name:line_break"}},
		{"display name with NUL", func(r *watchparty.Registration) { r.DisplayName = "A\x00" },
			[]string{"display_name:control_character"}},
		{"display name with an escape", func(r *watchparty.Registration) { r.DisplayName = "\x1b[31mAda" },
			[]string{"display_name:control_character"}},
		{"display name that is no UTF-8", func(r *watchparty.Registration) { r.DisplayName = "Ada\xff" },
			[]string{"display_name:control_character"}},
		{"display name of zero widths", func(r *watchparty.Registration) { r.DisplayName = zeroes },
			[]string{"display_name:blank"}},
		{"another language", func(r *watchparty.Registration) { r.Language = "tlh" }, []string{"language:unknown"}},

		{"everything", func(r *watchparty.Registration) { *r = watchparty.Registration{} }, []string{
			"username:too_short", "username:pattern", "email:email", "password:too_short", "display_name:too_short",
			"language:unknown",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := valid
			test.change(&r)
			require.Equal(t, test.want, wrongFields(t, r.Validate()))
		})
	}
}

func TestRegistrationNormalise(t *testing.T) {
	r := watchparty.Registration{Username: " ada\t", Email: "\nada@example.org ", Password: " kept as typed ",
		DisplayName: "\u3000"}
	r.Normalise()
	require.Equal(t, watchparty.Registration{
		Username: "ada", Email: "ada@example.org", Password: " kept as typed ", DisplayName: "ada",
		Language: watchparty.English,
	}, r)
	r.DisplayName = "  Ada L  "
	r.Normalise()
	require.Equal(t, "Ada L", r.DisplayName)
}

func TestProfileChange(t *testing.T) {
	for _, test := range []struct {
		name, value string
		want        []string
	}{
		{"plain", "Ada", nil},
		{"64", strings.Repeat("é", 64), nil},
		{"65", strings.Repeat("é", 65), []string{"display_name:too_long"}},
		{"64 and spaces", "  " + strings.Repeat("é", 64) + " ", nil},
		{"empty", "", []string{"display_name:too_short"}},
		{"spaces", " \u3000 ", []string{"display_name:too_short"}},
		{"zero widths", zeroes, []string{"display_name:blank"}},
		{"NUL", "A\x00da", []string{"display_name:control_character"}},
		{"line break inside", "A\nda", []string{"display_name:line_break"}},
		{"from right to left", hebrew, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			change := watchparty.ProfileChange{DisplayName: &test.value}
			change.Normalise()
			require.Equal(t, test.want, wrongFields(t, change.Validate()))
		})
	}
	require.NoError(t, watchparty.ProfileChange{}.Validate(), "nothing to change is no problem")
}

func TestNewRoom(t *testing.T) {
	valid := watchparty.NewRoom{Name: "Silents", Visibility: watchparty.Public, Capacity: 50}
	for _, test := range []struct {
		name   string
		change func(*watchparty.NewRoom)
		want   []string
	}{
		{"valid", func(*watchparty.NewRoom) {}, nil},
		{"name of 1", func(r *watchparty.NewRoom) { r.Name = "🎬" }, nil},
		{"name of 0", func(r *watchparty.NewRoom) { r.Name = "" }, []string{"name:too_short"}},
		{"name of 100", func(r *watchparty.NewRoom) { r.Name = strings.Repeat("🎬", 100) }, nil},
		{"name of 101", func(r *watchparty.NewRoom) { r.Name = strings.Repeat("🎬", 101) }, []string{"name:too_long"}},
		{"name from right to left", func(r *watchparty.NewRoom) { r.Name = hebrew + " " + combined }, nil},
		{"name with a line break", func(r *watchparty.NewRoom) { r.Name = "a\nb" }, []string{"name:line_break"}},
		{"name with NUL", func(r *watchparty.NewRoom) { r.Name = "a\x00" }, []string{"name:control_character"}},
		{"name of zero widths", func(r *watchparty.NewRoom) { r.Name = zeroes }, []string{"name:blank"}},
		{"description of 1000", func(r *watchparty.NewRoom) { r.Description = strings.Repeat("界", 1000) }, nil},
		{"description of 1001", func(r *watchparty.NewRoom) { r.Description = strings.Repeat("界", 1001) },
			[]string{"description:too_long"}},
		{"description with lines", func(r *watchparty.NewRoom) { r.Description = "a\r\n\tb" }, nil},
		{"description with NUL", func(r *watchparty.NewRoom) { r.Description = "a\x00" },
			[]string{"description:control_character"}},
		{"unlisted", func(r *watchparty.NewRoom) { r.Visibility = watchparty.Unlisted }, nil},
		{"private", func(r *watchparty.NewRoom) { r.Visibility = watchparty.Private }, nil},
		{"secret", func(r *watchparty.NewRoom) { r.Visibility = "secret" }, []string{"visibility:enum"}},
		{"no visibility", func(r *watchparty.NewRoom) { r.Visibility = "" }, []string{"visibility:enum"}},
		{"capacity 2", func(r *watchparty.NewRoom) { r.Capacity = 2 }, nil},
		{"capacity 1", func(r *watchparty.NewRoom) { r.Capacity = 1 }, []string{"capacity:range"}},
		{"capacity 1000", func(r *watchparty.NewRoom) { r.Capacity = 1000 }, nil},
		{"capacity 1001", func(r *watchparty.NewRoom) { r.Capacity = 1001 }, []string{"capacity:range"}},
		{"capacity -1", func(r *watchparty.NewRoom) { r.Capacity = -1 }, []string{"capacity:range"}},
		{"everything", func(r *watchparty.NewRoom) { *r = watchparty.NewRoom{Description: "\x00"} }, []string{
			"name:too_short", "description:control_character", "visibility:enum", "capacity:range",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := valid
			test.change(&r)
			require.Equal(t, test.want, wrongFields(t, r.Validate()))
		})
	}

	t.Run("defaults", func(t *testing.T) {
		r := watchparty.NewRoom{Name: "  Silents ", Description: "\n"}
		r.Normalise()
		require.Equal(t, watchparty.NewRoom{Name: "Silents", Visibility: watchparty.Public, Capacity: 50}, r)
		require.NoError(t, r.Validate())
		r = watchparty.NewRoom{Name: "x", Visibility: watchparty.Private, Capacity: 3}
		r.Normalise()
		require.Equal(t, watchparty.NewRoom{Name: "x", Visibility: watchparty.Private, Capacity: 3}, r)
	})
}

func TestMessage(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"one character", ".", nil},
		{"2000 characters of four bytes", strings.Repeat("🎬", 2000), nil},
		{"2001", strings.Repeat("a", 2001), []string{"body:too_long"}},
		{"empty", "", []string{"body:too_short"}},
		{"spaces", " \t\n\u00a0\u3000", []string{"body:blank"}},
		{"zero widths", zeroes, []string{"body:blank"}},
		{"fillers and selectors", "\u3164\u115f\ufe0f", []string{"body:blank"}},
		{"zero widths and spaces", " " + zeroes + "\n", []string{"body:blank"}},
		{"lines", "a\r\n\tb\n", nil},
		{"emoji of several characters", family, nil},
		{"from right to left, with marks of direction", "\u202b" + hebrew + "\u202c ok", nil},
		{"combining marks", combined + "\u0301\u0302", nil},
		{"NUL", "a\x00b", []string{"body:control_character"}},
		{"bell", "a\ab", []string{"body:control_character"}},
		{"C1 control", "a\u0085b", []string{"body:control_character"}},
		{"delete", "a\x7fb", []string{"body:control_character"}},
		{"no UTF-8", "a\xc3b", []string{"body:control_character"}},
		{"markup is text", "<script>alert('?')</script>", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, wrongFields(t, watchparty.ValidateMessage(test.body)))
		})
	}
}

func TestErrors(t *testing.T) {
	wrapped := fmt.Errorf("store: join room: %w", watchparty.ErrRoomFull)

	t.Run("a wrapped error is its sentinel", func(t *testing.T) {
		require.ErrorIs(t, wrapped, watchparty.ErrRoomFull)
		require.NotErrorIs(t, wrapped, watchparty.ErrRoomArchived, "of the same kind, with another code")
		require.ErrorIs(t, &watchparty.Error{Code: "room_full", Message: "in other words"}, watchparty.ErrRoomFull)
		require.NotErrorIs(t, errors.New("room_full"), watchparty.ErrRoomFull)
		require.False(t, watchparty.ErrRoomFull.Is(errors.New("room_full")))
	})

	t.Run("kinds", func(t *testing.T) {
		require.True(t, watchparty.IsKind(wrapped, watchparty.KindConflict))
		require.False(t, watchparty.IsKind(wrapped, watchparty.KindNotFound))
		require.False(t, watchparty.IsKind(errors.New("plain"), watchparty.KindConflict))
		require.False(t, watchparty.IsKind(nil, watchparty.KindConflict))
		require.True(t, watchparty.IsKind(errors.Join(errors.New("plain"), wrapped), watchparty.KindConflict))
	})

	t.Run("texts", func(t *testing.T) {
		require.Equal(t, "room_full: The room is full.", watchparty.ErrRoomFull.Error())
		require.Equal(t, "username_taken: This username is taken. (username: is taken)", watchparty.ErrUsernameTaken.Error())
		require.Equal(t, "invalid_request: The request is not valid. (a: is missing, b: is too long)", watchparty.Invalid(
			watchparty.FieldError{Field: "a", Message: "is missing"}, watchparty.FieldError{Field: "b", Message: "is too long"},
		).Error())
	})

	t.Run("each has a kind, a text and a code of its own", func(t *testing.T) {
		seen := map[string]bool{}
		for _, e := range []*watchparty.Error{
			watchparty.ErrNotFound, watchparty.ErrUnauthenticated, watchparty.ErrForbidden, watchparty.ErrUsernameTaken,
			watchparty.ErrEmailTaken, watchparty.ErrBadToken, watchparty.ErrWrongPassword, watchparty.ErrSuspended,
			watchparty.ErrBadCredentials, watchparty.ErrBadRefresh, watchparty.ErrRoomFull,
			watchparty.ErrRoomArchived, watchparty.ErrNotParticipant, watchparty.ErrUnknownMovie, watchparty.Invalid(),
		} {
			require.NotZero(t, e.Kind, e.Code)
			require.NotEmpty(t, e.Message, e.Code)
			require.Regexp(t, "^[a-z]+(_[a-z]+)*$", e.Code)
			require.False(t, seen[e.Code], e.Code)
			seen[e.Code] = true
		}
	})
}

func TestDeletedNames(t *testing.T) {
	username, email := watchparty.DeletedNames("01890000-0000-7000-8000-00000000dead")
	require.Equal(t, "deleted-0000700080000000"+"0000dead", username)
	require.Equal(t, "01890000-0000-7000-8000-00000000dead@deleted.invalid", email)
	require.Error(t, watchparty.ValidateEmail(email), "nobody can register it")
	r := watchparty.Registration{Username: username, Email: "a@example.org", Password: "correct horse battery",
		DisplayName: "x", Language: watchparty.German}
	require.ErrorContains(t, r.Validate(), "username")
	r.Username = "undeleted"
	require.NoError(t, r.Validate())
}

func TestAvatarObjects(t *testing.T) {
	a := watchparty.Avatar{UserID: "019a", Version: 12}
	require.Equal(t, "uploads/019a/12", a.OriginalObject())
	require.Equal(t, "avatars/019a/12/thumbnail.webp", a.Object(watchparty.ThumbnailFile))
	other := watchparty.Avatar{UserID: "019a", Version: 1}
	require.False(t, strings.HasPrefix(a.Object("x"), other.Prefix()), "removing version 1 spares version 12")
	require.False(t, strings.HasPrefix(a.OriginalObject(), watchparty.AvatarsPrefix(a.UserID)),
		"originals are not served with the avatars")
}

func TestParseAvatarObject(t *testing.T) {
	a := watchparty.Avatar{UserID: "01890000-0000-7000-8000-00000000dead", Version: 12}
	for name, want := range map[string]watchparty.AvatarObject{
		a.OriginalObject():                             {Original: true},
		a.FormerOriginalObject():                       {Original: true},
		a.Object(watchparty.PNGFile):                   {},
		a.Object("a/b"):                                {},
		a.Object("original.webp"):                      {},
		a.OriginalObject() + ".18a3f00b.tmp":           {Original: true, Partial: true},
		a.FormerOriginalObject() + ".18a3f00b.tmp":     {Original: true, Partial: true},
		a.Object(watchparty.PNGFile) + ".18a3f00b.tmp": {Partial: true},
	} {
		want.UserID, want.Version = a.UserID, a.Version
		got, ok := watchparty.ParseAvatarObject(name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{
		"", "avatars", "avatars/", a.Prefix(), "avatars/" + a.UserID + "/12", a.OriginalObject() + "/x",
		"uploads/" + a.UserID + "/",
		"avatars/019a/12/x", "uploads/019a/12", "uploads/" + a.UserID + "/012", "uploads/" + a.UserID + "/-1",
		"uploads/" + a.UserID + "/12 ",
		"uploads/" + a.UserID + "/99999999999", "/" + a.OriginalObject(), "reports/" + a.UserID + "/12",
		strings.ToUpper(a.OriginalObject()),
		a.OriginalObject() + ".tmp", a.OriginalObject() + ".18a3f00b", a.OriginalObject() + ".html",
		"avatars/" + a.UserID + "/12.18a3f00b.tmp",
	} {
		_, ok := watchparty.ParseAvatarObject(name)
		require.False(t, ok, name)
	}
}

func TestAvatarObjectNeeded(t *testing.T) {
	for state, needs := range map[watchparty.AvatarState][2]bool{
		watchparty.AvatarProcessing: {true, true}, watchparty.AvatarReady: {true, false},
		watchparty.AvatarFailed: {}, watchparty.AvatarSuperseded: {}, "": {},
	} {
		a := watchparty.Avatar{State: state}
		require.Equal(t, needs, [2]bool{watchparty.AvatarObject{}.NeededBy(a),
			watchparty.AvatarObject{Original: true}.NeededBy(a)}, state)
		require.False(t, watchparty.AvatarObject{Partial: true}.NeededBy(a), state)
	}
}

func TestPolicies(t *testing.T) {
	policies := watchparty.Policies()
	policies[0] = "changed"
	require.Equal(t, []watchparty.Policy{
		"inactive_participants", "old_messages", "inactive_rooms", "archived_rooms", "unverified_accounts", "expired_tokens",
		"ended_sessions", "ended_invitations", "past_parties", "idempotency_keys", "resolved_reports", "old_emails",
		"old_webhook_deliveries", "started_events", "old_activity", "orphaned_files",
	}, watchparty.Policies())
}
