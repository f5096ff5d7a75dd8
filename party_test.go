package watchparty_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestNewParty(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6_789_000, time.FixedZone("", 3600))
	for _, test := range []struct {
		name  string
		party watchparty.NewParty
		want  []string
	}{
		{"no title", watchparty.NewParty{StartsAt: at, TimeZone: "UTC"}, nil},
		{"title of 100", watchparty.NewParty{Title: strings.Repeat("é", 100), StartsAt: at, TimeZone: "Europe/Berlin"}, nil},
		{"title of 101", watchparty.NewParty{Title: strings.Repeat("é", 101), StartsAt: at, TimeZone: "UTC"},
			[]string{"title:too_long"}},
		{"two lines", watchparty.NewParty{Title: "a\nb", StartsAt: at, TimeZone: "UTC"}, []string{"title:line_break"}},
		{"no time", watchparty.NewParty{TimeZone: "UTC"}, []string{"starts_at:required"}},
		{"no zone", watchparty.NewParty{StartsAt: at}, []string{"time_zone:unknown"}},
		{"the machine's zone", watchparty.NewParty{StartsAt: at, TimeZone: "Local"}, []string{"time_zone:unknown"}},
		{"what a machine calls its zone", watchparty.NewParty{StartsAt: at, TimeZone: "localtime"},
			[]string{"time_zone:unknown"}},
		{"a zone with leap seconds", watchparty.NewParty{StartsAt: at, TimeZone: "right/Europe/Berlin"},
			[]string{"time_zone:unknown"}},
		{"a zone that is none", watchparty.NewParty{StartsAt: at, TimeZone: "Europe/Atlantis"},
			[]string{"time_zone:unknown"}},
	} {
		test.party.Normalise()
		require.Equal(t, test.want, wrongFields(t, test.party.Validate()), test.name)
	}
	for zone, ok := range map[string]bool{
		"UTC": true, "Europe/Berlin": true, "America/Argentina/Buenos_Aires": true, "Etc/GMT+3": true,
		"../../etc/passwd": false, "/etc/localtime": false, "./Europe/Berlin": false, "Europe//Berlin": false,
		"Europe/./Berlin": false, "Europe/../Europe/Berlin": false, "Europe/Berlin/": false, "Europe": false, ".": false,
		"Europe\\Berlin": false, "Europe/Berlin\x00": false, "+01:00": false, "zone.tab": false,
	} {
		var want []string
		if !ok {
			want = []string{"time_zone:unknown"}
		}
		scheduled := watchparty.NewParty{StartsAt: at, TimeZone: zone}
		require.Equal(t, want, wrongFields(t, scheduled.Validate()), zone)
		require.Equal(t, want, wrongFields(t, watchparty.PartyChange{TimeZone: &zone}.Validate()), zone)
	}
	n := watchparty.NewParty{Title: "  Second\u00a0part ", StartsAt: at}
	n.Normalise()
	require.Equal(t, "Second part", strings.ReplaceAll(n.Title, "\u00a0", " "))
	require.Equal(t, time.Date(2030, 1, 2, 2, 4, 5, 6_000_000, time.UTC), n.StartsAt)
	require.Equal(t, "Europe/Berlin", watchparty.Party{TimeZone: "Europe/Berlin"}.Zone().String())
	require.Equal(t, time.UTC, watchparty.Party{TimeZone: "Europe/Atlantis"}.Zone())
}
