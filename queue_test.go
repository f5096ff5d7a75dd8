package watchparty_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// TestTitlesOfAddresses: without a title, the file's name is shown, and nothing longer than a title may be.
func TestTitlesOfAddresses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 2000)
	for address, want := range map[string]string{
		"https://a.example/holiday.webm":             "holiday.webm",
		"https://a.example/holiday.webm?token=1#t=9": "holiday.webm",
		"https://a.example/":                         "a.example",
		"https://a.example/" + long:                  long[:watchparty.MaxItemTitle],
		"https://a.example/" + long + "/.":           ("https://a.example/" + long)[:watchparty.MaxItemTitle],
	} {
		source := watchparty.Source{StreamURL: address}
		require.NoError(t, source.Validate(), address)
		require.Equal(t, want, source.TitleOr(), address)
	}
	require.Equal(t, "Ours", watchparty.Source{StreamURL: "https://a.example/x.webm", Title: "Ours"}.TitleOr())
}
