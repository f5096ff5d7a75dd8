package e2e

import (
	"testing"
)

// pages opens what operators and developers look at.
func (f *flow) pages(t *testing.T) {
	for _, page := range []struct{ name, url, shows string }{
		{"docs", f.settings["PUBLIC_URL"] + "/docs", "Create an account and sign in"},
		{"inbox", f.inboxURL + "/", "Welcome to WatchParty"},
		{"temporal", f.settings["TEMPORAL_UI_URL"], "WelcomeEmail"},
	} {
		t.Run(page.name, func(t *testing.T) {
			p := f.browser.open(t, page.url)
			p.requireShows(t, page.shows)
			p.picture(t, page.name)
		})
	}
}
