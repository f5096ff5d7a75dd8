package watchparty

import "time"

// Movie is a film that a room can show.
type Movie struct {
	ID             string
	Title          string
	Year           int
	RuntimeMinutes int
	Description    string
	Genres         []string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}
