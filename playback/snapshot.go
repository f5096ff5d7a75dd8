package playback

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Snapshot is a state with the data that people see of it.
type Snapshot struct {
	State
	Source       watchparty.QueueItem // what Item is; the zero value when idle
	Actor        watchparty.Person    // the account of By; zero when it is deleted
	Missing      []watchparty.Person  // the people for whom the room waits
	QueueVersion int64                // counts the changes of the queue and of its votes
	QueueMovies  int64                // the sum of the versions of the movies in the queue: rises when one is changed
	SkipVotes    int                  // to skip the item of Epoch
	Now          time.Time            // when this was read, by Postgres' clock
}
