package watchparty_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestNewBanAndNewMute(t *testing.T) {
	now := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name      string
		until     time.Time
		reason    string
		ban, mute []string
	}{
		{"a second", now.Add(time.Second), "", nil, nil},
		{"now", now, "", []string{"until:past"}, []string{"until:past"}},
		{"a microsecond ahead", now.Add(time.Microsecond), "", nil, nil},
		{"a nanosecond ahead, which is none", now.Add(time.Nanosecond), "", []string{"until:past"}, []string{"until:past"}},
		{"over", now.Add(-time.Hour), "", []string{"until:past"}, []string{"until:past"}},
		{"never", time.Time{}, "", []string{"until:past"}, []string{"until:past"}},
		{"now, elsewhere", now.In(time.FixedZone("", 3600)), "", []string{"until:past"}, []string{"until:past"}},
		{"30 days", now.Add(30 * 24 * time.Hour), "", nil, nil},
		{"30 days and a second", now.Add(30*24*time.Hour + time.Second), "", nil, []string{"until:too_late"}},
		{"10 years", time.Date(2036, 2, 28, 12, 0, 0, 0, time.UTC), "", nil, []string{"until:too_late"}},
		{"10 years and a second", time.Date(2036, 2, 28, 12, 0, 1, 0, time.UTC), "", []string{"until:too_late"},
			[]string{"until:too_late"}},
		{"the last year", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "", []string{"until:too_late"},
			[]string{"until:too_late"}},

		{"reason of 300", now.Add(time.Hour), strings.Repeat("界", 300), nil, nil},
		{"reason of 301", now.Add(time.Hour), strings.Repeat("界", 301), []string{"reason:too_long"},
			[]string{"reason:too_long"}},
		{"reason of 300 and spaces", now.Add(time.Hour), " " + strings.Repeat("a", 300) + "\n", nil, nil},
		{"reason with a line break", now.Add(time.Hour), "a\nb", []string{"reason:line_break"},
			[]string{"reason:line_break"}},
		{"reason with NUL", now.Add(time.Hour), "a\x00b", []string{"reason:control_character"},
			[]string{"reason:control_character"}},
		{"reason that is no UTF-8", now.Add(time.Hour), "a\xff", []string{"reason:control_character"},
			[]string{"reason:control_character"}},
		{"reason in any script", now.Add(time.Hour), family + hebrew + combined + `<b>'"; DROP`, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			ban := watchparty.NewBan{Until: &test.until, Reason: test.reason}
			ban.Normalise()
			require.Equal(t, test.ban, wrongFields(t, ban.Validate(now)))
			mute := watchparty.NewMute{Until: test.until, Reason: test.reason}
			mute.Normalise()
			require.Equal(t, test.mute, wrongFields(t, mute.Validate(now)))
		})
	}
	require.NoError(t, watchparty.NewBan{}.Validate(now), "a ban needs no end")
	require.Error(t, watchparty.NewMute{}.Validate(now), "a mute does")
}

func TestNewInvitation(t *testing.T) {
	typed := watchparty.NewInvitation{Email: " guest@example.org\n"}
	typed.Normalise()
	require.Equal(t, "guest@example.org", typed.Email)
	for address, want := range map[string][]string{
		"guest@example.org": nil, "用户@例子.广告": nil, "": {"email:email"}, "guest": {"email:email"},
		"a@b.org,c@d.org": {"email:email"}, "guest@example.org\r\nBcc:x@y.org": {"email:email", "email:line_break"},
		strings.Repeat("a", 65) + "@example.org": {"email:email"}, strings.Repeat("a", 64) + "@example.org": nil,
	} {
		require.Equal(t, want, wrongFields(t, watchparty.NewInvitation{Email: address}.Validate()), "%q", address)
	}
}
