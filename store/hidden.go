package store

// What an account has made is hidden while users.hidden_at is set: the rooms that it hosts, and its messages. Every
// read comes by one of these conditions. They look at the one row of the host or author, by its key: OFFSET 0 keeps the
// planner from making joins of them that it could turn round, and a page costs the same however many accounts are
// hidden.
const (
	// roomThere: the room r is there for people: neither deleted nor hidden.
	roomThere = "r.deleted_at IS NULL AND NOT EXISTS (SELECT FROM users WHERE id = r.host_id AND hidden_at IS NOT NULL OFFSET 0)"
	// roomListed: the room r is in public lists. One whose host is suspended waits for another host; the function is in
	// the migrations, and costs the planner nothing, so that lists are read by the same indexes as without it.
	roomListed = "r.visibility = 'public' AND r.archived_at IS NULL AND NOT account_suspended(r.host_id)"
	// messageThere: the message m of the author u is neither taken back nor hidden.
	messageThere = "m.deleted_at IS NULL AND u.hidden_at IS NULL"
	// messageShown are the columns of a message m and of the one that it answers, q, of the authors u and qu, as people
	// see them: a hidden one looks like one that was taken back.
	messageShown = `CASE WHEN u.hidden_at IS NULL THEN m.body ELSE '' END AS body, coalesce(m.deleted_at, u.hidden_at) AS deleted_at,
		CASE WHEN qu.hidden_at IS NULL THEN left(q.body, ?) ELSE '' END AS excerpt`
	// messageStored are the same as they are stored, for admins.
	messageStored = "m.body, m.deleted_at, u.hidden_at IS NOT NULL AS hidden, left(q.body, ?) AS excerpt"
)
