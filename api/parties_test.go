package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// partyIn is the body of a request for a party that starts after a time.
func partyIn(after time.Duration, change map[string]any) map[string]any {
	body := map[string]any{"starts_at": time.Now().Add(after).UTC().Format(time.RFC3339), "time_zone": "Europe/Berlin"}
	for name, v := range change {
		body[name] = v
	}
	return body
}

// partyStage has a room with people of each kind, and one party in it.
type partyStage struct {
	*bundle
	host, guest, outside person
	room, party          string
}

func newPartyStage(t *testing.T, properties map[string]any) *partyStage {
	t.Helper()
	b := setup(t)
	s := &partyStage{bundle: b, host: b.user(t, "host"), guest: b.user(t, "guest"), outside: b.user(t, "outside")}
	s.room = b.room(t, s.host, nil)
	b.join(t, s.room, s.guest)
	if properties != nil {
		require.Equal(t, 200, b.do(t, "PATCH", "/rooms/"+s.room, s.host.token, properties).status)
	}
	a := b.do(t, "POST", s.parties(), s.host.token, partyIn(2*time.Hour, nil))
	require.Equal(t, 201, a.status, a)
	s.party = "/parties/" + a.data()["id"].(string)
	return s
}

func (s *partyStage) parties() string { return "/rooms/" + s.room + "/parties" }

func TestSchedulePartyAnswers(t *testing.T) {
	t.Parallel()
	s := newPartyStage(t, nil)
	schedule := func(by person, body map[string]any) answer { return s.do(t, "POST", s.parties(), by.token, body) }
	for field, change := range map[string]map[string]any{
		"title":     {"title": strings.Repeat("é", watchparty.MaxPartyTitle+1)},
		"time_zone": {"time_zone": "Mars/Olympus_Mons"},
		"starts_at": {"starts_at": time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)},
	} {
		schedule(s.host, partyIn(4*time.Hour, change)).requireField(t, 400, field)
	}
	schedule(s.host, partyIn(367*24*time.Hour, nil)).requireProblem(t, 400, "party_time")
	s.do(t, "PATCH", s.party, s.host.token, partyIn(367*24*time.Hour, nil)).requireProblem(t, 400, "party_time")
	schedule(s.host, partyIn(2*time.Hour+time.Minute, nil)).requireProblem(t, 409, "party_too_close")
	schedule(s.host, partyIn(4*time.Hour, map[string]any{"movie_id": s.room})).requireProblem(t, 400, "unknown_movie")
	schedule(s.host, partyIn(4*time.Hour, map[string]any{"movie_id": s.addMovie(t, "Faust")})).
		requireProblem(t, 409, "movie_without_stream")
	schedule(s.guest, partyIn(4*time.Hour, nil)).requireProblem(t, 403, "forbidden")
	schedule(person{}, partyIn(4*time.Hour, nil)).requireProblem(t, 401, "unauthenticated")
	for n := range watchparty.MaxParties - 1 {
		require.Equal(t, 201, schedule(s.host, partyIn(time.Duration(n+4)*time.Hour, nil)).status)
	}
	schedule(s.host, partyIn(90*time.Hour, nil)).requireProblem(t, 409, "too_many_parties")
	require.Len(t, s.do(t, "GET", s.parties(), "", nil).list(), watchparty.MaxParties)

	// The same instant, however its zone is written.
	at := time.Now().AddDate(0, 0, 30).Truncate(time.Second).In(time.FixedZone("", -5*3600))
	a := s.do(t, "PATCH", s.party, s.host.token,
		map[string]any{"starts_at": at.Format(time.RFC3339), "time_zone": "America/New_York"})
	require.Equal(t, 200, a.status, a)
	require.Equal(t, at.UTC().Format(time.RFC3339), a.data()["starts_at"])

	s.exec(t, "INSERT INTO mutes (id, room_id, user_id, until) SELECT id, ?, id, now() + interval '1 hour' FROM users "+
		"WHERE id = ?", s.room, s.host.id)
	schedule(s.host, partyIn(100*time.Hour, nil)).requireProblem(t, 403, "muted")
	s.do(t, "PATCH", s.party, s.host.token, map[string]any{"title": "x"}).requireProblem(t, 403, "muted")
	s.do(t, "DELETE", s.party, s.host.token, nil).requireProblem(t, 403, "muted")
	s.exec(t, "DELETE FROM mutes")
	a = s.do(t, "PATCH", "/rooms/"+s.room, s.host.token, map[string]any{"state": "archived"})
	require.Equal(t, 200, a.status, a)
	schedule(s.host, partyIn(100*time.Hour, nil)).requireProblem(t, 409, "room_archived")
}

func TestUpdatePartyAnswers(t *testing.T) {
	t.Parallel()
	s := newPartyStage(t, nil)
	other := s.do(t, "POST", s.parties(), s.host.token, partyIn(4*time.Hour, nil))
	change := func(by person, body map[string]any) answer { return s.do(t, "PATCH", s.party, by.token, body) }
	change(s.host, map[string]any{"starts_at": other.data()["starts_at"]}).requireProblem(t, 409, "party_too_close")
	change(s.host, map[string]any{"movie_id": s.room}).requireProblem(t, 400, "unknown_movie")
	change(s.host, map[string]any{"movie_id": s.addMovie(t, "Faust")}).requireProblem(t, 409, "movie_without_stream")
	change(s.host, map[string]any{"time_zone": nil}).requireField(t, 400, "time_zone")
	change(s.host, map[string]any{"starts_at": nil}).requireField(t, 400, "starts_at")
	change(s.guest, map[string]any{"title": "x"}).requireProblem(t, 403, "forbidden")
	s.do(t, "DELETE", s.party, s.guest.token, nil).requireProblem(t, 403, "forbidden")
	same := change(s.host, map[string]any{"title": nil}) // it has none
	require.Equal(t, 200, same.status, same)
	r := s.request(t, "PATCH", s.party, s.host.token, map[string]any{"title": "x"})
	r.Header.Set("If-Match", `"7"`)
	s.send(t, r).requireProblem(t, 412, "precondition_failed")
	r = s.request(t, "PATCH", s.party, s.host.token, map[string]any{"title": "x"})
	r.Header.Set("If-Match", same.header.Get("ETag"))
	require.Equal(t, 200, s.send(t, r).status)
	require.Equal(t, 204, s.do(t, "DELETE", s.party, s.host.token, nil).status)
	change(s.host, map[string]any{"title": "y"}).requireProblem(t, 409, "party_ended")
	s.do(t, "DELETE", s.party, s.host.token, nil).requireProblem(t, 409, "party_ended")
	s.do(t, "PUT", s.party+"/answer", s.guest.token, map[string]any{"answer": "yes"}).requireProblem(t, 409, "party_ended")
	require.Equal(t, "cancelled", s.do(t, "GET", s.party, "", nil).data()["state"])
	require.Contains(t, string(s.do(t, "GET", s.party+"/calendar", "", nil).raw), "STATUS:CANCELLED\r\n")
}

func TestPartyOfTooMany(t *testing.T) {
	t.Parallel()
	s := newPartyStage(t, nil)
	answer := func(by person, reply string) answer {
		return s.do(t, "PUT", s.party+"/answer", by.token, map[string]any{"answer": reply})
	}
	require.Equal(t, 204, answer(s.guest, "yes").status)
	_, err := s.store.DB().ExecContext(t.Context(), `
		WITH people AS (INSERT INTO users (id, username, email, email_key, display_name, password_hash)
			SELECT gen_random_uuid(), 'many' || n, n || '@many.example', n || '@many.example', 'Many', ''
			FROM generate_series(2, ?0) AS n RETURNING id)
		INSERT INTO party_answers (party_id, room_id, user_id, answer) SELECT y.id, y.room_id, p.id, 'no'
			FROM parties AS y, people AS p WHERE y.room_id = ?1`, watchparty.MaxAnswers, s.room)
	require.NoError(t, err)
	answer(s.outside, "yes").requireProblem(t, 409, "too_many_answers")
	require.Equal(t, 204, answer(s.guest, "maybe").status)
	require.Equal(t, "maybe", s.do(t, "GET", s.party, s.guest.token, nil).data()["my_answer"])
	require.Nil(t, s.do(t, "GET", s.party, "", nil).data()["my_answer"])
}

func TestPartyMovedTooOften(t *testing.T) {
	t.Parallel()
	s := newPartyStage(t, nil)
	_, err := s.store.DB().ExecContext(t.Context(), "UPDATE parties SET moves = ? WHERE room_id = ?",
		watchparty.MaxPartyMoves, s.room)
	require.NoError(t, err)
	later := time.Now().Add(48 * time.Hour).Format(time.RFC3339)
	s.do(t, "PATCH", s.party, s.host.token, map[string]any{"starts_at": later}).requireProblem(t, 409, "too_many_moves")
}

// TestPartyOfPrivateRoom: whoever may not know of the room cannot tell its party from one that does not exist.
func TestPartyOfPrivateRoom(t *testing.T) {
	t.Parallel()
	s := newPartyStage(t, map[string]any{"visibility": "private"})
	nowhere := "/parties/" + s.host.id
	for _, test := range []struct {
		method, path string
		body         any
	}{
		{"GET", "", nil}, {"PATCH", "", map[string]any{"title": "x"}}, {"DELETE", "", nil},
		{"PUT", "/answer", map[string]any{"answer": "yes"}}, {"GET", "/answers", nil}, {"GET", "/calendar", nil},
	} {
		hidden := s.do(t, test.method, s.party+test.path, s.outside.token, test.body)
		hidden.requireProblem(t, 404, "not_found")
		unknown := s.do(t, test.method, nowhere+test.path, s.outside.token, test.body)
		unknown.requireProblem(t, 404, "not_found")
		require.Equal(t, unknown.body["detail"], hidden.body["detail"])
	}
	s.do(t, "GET", s.parties(), s.outside.token, nil).requireProblem(t, 404, "not_found")
	s.do(t, "GET", s.party, "", nil).requireProblem(t, 404, "not_found")
	require.Equal(t, 200, s.do(t, "GET", s.party, s.guest.token, nil).status)
	require.Empty(t, s.do(t, "GET", "/users/me/parties", s.outside.token, nil).list())

	banned := s.do(t, "POST", "/rooms/"+s.room+"/bans", s.host.token, map[string]any{"username": "guest"})
	require.Equal(t, 201, banned.status, banned)
	for _, path := range []string{s.party, s.party + "/answers", s.party + "/calendar", s.parties()} {
		s.do(t, "GET", path, s.guest.token, nil).requireProblem(t, 403, "banned")
	}
	s.do(t, "PUT", s.party+"/answer", s.guest.token, map[string]any{"answer": "yes"}).requireProblem(t, 403, "banned")
}
