package calendar

import (
	"net/url"
	"time"

	"github.com/watchparty/watchparty"
)

// OfParty is the event of a party. service is the address of this installation, which makes the UID unique, and link
// that of the room.
func OfParty(p watchparty.Party, service, link string) Event {
	host := "watchparty"
	if u, err := url.Parse(service); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	e := Event{
		UID: p.ID + "@" + host, Sequence: p.Version, Cancelled: p.State == watchparty.PartyCancelled, Start: p.StartsAt,
		Duration: time.Duration(p.Movie.RuntimeMinutes) * time.Minute, Stamp: p.UpdatedAt, Summary: p.RoomName,
		Description: p.Movie.Title, URL: link,
	}
	if p.Title != "" {
		e.Summary = p.Title + " (" + p.RoomName + ")"
	}
	return e
}
