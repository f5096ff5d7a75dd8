package store

// The content of an account (the rooms that it hosts, and its messages) is hidden while users.hidden_at is set. Every
// query uses one of these conditions. They read the one row of the host or author by its key. OFFSET 0 keeps the
// planner from turning them into joins, so that a page costs the same however many accounts are hidden.
const (
	// roomThere: the room r is visible to people, that is, neither deleted nor hidden.
	roomThere = "r.deleted_at IS NULL AND NOT EXISTS (SELECT FROM users WHERE id = r.host_id " +
		"AND hidden_at IS NOT NULL OFFSET 0)"
	// roomListed: the room r is in public lists. A room whose host is suspended is not, until another host takes over. The
	// function account_suspended is in the migrations; it costs the planner nothing, so that lists use the same indexes as
	// without it.
	roomListed = "r.visibility = 'public' AND r.archived_at IS NULL AND NOT account_suspended(r.host_id)"
	// messageThere: the message m of the author u is neither deleted nor hidden.
	messageThere = "m.deleted_at IS NULL AND u.hidden_at IS NULL"
	// messageShown are the columns of a message m and of the quoted message q, by the authors u and qu, as people see
	// them: a hidden message looks like a deleted one.
	messageShown = `CASE WHEN u.hidden_at IS NULL THEN m.body ELSE '' END AS body,
		coalesce(m.deleted_at, u.hidden_at) AS deleted_at,
		CASE WHEN qu.hidden_at IS NULL THEN left(q.body, ?) ELSE '' END AS excerpt`
	// messageStored are the same columns without that disguise, for admins.
	messageStored = "m.body, m.deleted_at, u.hidden_at IS NOT NULL AS hidden, left(q.body, ?) AS excerpt"
)
