package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// ListRooms lists the open public rooms that match the filters.
func (s *Server) ListRooms(
	ctx context.Context,
	r contract.ListRoomsRequestObject,
) (contract.ListRoomsResponseObject, error) {
	f := watchparty.RoomFilter{
		Search:    value(r.Params.Q),
		MovieID:   value(r.Params.MovieID),
		Available: value(r.Params.Available),
	}
	if err := watchparty.ValidateSearch(f.Search); err != nil {
		return nil, err
	}
	order, err := s.roomOrder(r.Params.Sort, f)
	if err != nil {
		return nil, err
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, order.list, f)
	if err != nil {
		return nil, err
	}
	q := cache.Query{
		Key:  fmt.Sprintf("rooms:%s%s:%d", order.key, p.After, p.Limit),
		Tags: []string{coherence.TagRooms},
		TTL:  s.cfg.Cache.Rooms,
	}
	if f != (watchparty.RoomFilter{}) { // cache keys are logged, and must not have what people search for
		q.Key += fmt.Sprintf(":%x", s.digests.Sum("room-filter", f.Search, f.MovieID, strconv.FormatBool(f.Available)))
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		rooms, err := order.read(ctx, f, more(p))
		rooms, next := cut(rooms, p, order.keys)
		loaded, err := encoded(list{Data: convert(rooms, s.room), NextCursor: next}, err)
		return showing(loaded, rooms...), err
	})
}

// CreateRoom opens a room with the caller as its host.
func (s *Server) CreateRoom(
	ctx context.Context,
	r contract.CreateRoomRequestObject,
) (contract.CreateRoomResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewRoom{
		Name: r.Body.Name, Description: value(r.Body.Description), MovieID: value(r.Body.MovieID),
		Visibility: watchparty.Visibility(value(r.Body.Visibility)), Capacity: value(r.Body.Capacity),
	}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "createRoom", r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	created, err := s.store.CreateRoom(ctx, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := s.room(created)
	made, err := madeAt("/rooms/"+answer.ID, created.Version, single{Data: answer})
	return contract.CreateRoom201JSONResponse{
		Body:    contract.RoomAnswer{Data: answer},
		Headers: contract.CreateRoom201ResponseHeaders(made),
	}, err
}

// GetRoom answers with a room to everyone who may see it.
func (s *Server) GetRoom(ctx context.Context, r contract.GetRoomRequestObject) (contract.GetRoomResponseObject, error) {
	answer, err := s.visibleRoom(ctx, r.RoomID)
	answer.ifMatch, answer.ifNoneMatch = r.Params.IfMatch, r.Params.IfNoneMatch
	if t := requestStateOf(ctx).target; t != nil {
		t.key = roomKey(r.RoomID)
	}
	return answer, err
}

// visibleRoom reads a room and decides whether the viewer may see it; see seenBy.
func (s *Server) visibleRoom(ctx context.Context, roomID string) (cached, error) {
	ctx = s.prefetch(ctx, s.roomQueries(ctx, roomID)...)
	id, err := viewer(ctx)
	if err != nil {
		return cached{}, err
	}
	if t := requestStateOf(ctx).target; t != nil {
		t.roomID = roomID
	}
	entry, hit, err := s.get(ctx, s.roomQuery(roomID), func(ctx context.Context) (cache.Loaded, error) {
		found, err := s.store.Room(ctx, roomID)
		if err != nil {
			return cache.Loaded{}, err
		}
		loaded, err := encoded(single{Data: s.room(found)}, nil)
		loaded.Meta = fmt.Sprint(found.Version, " ", found.Visibility)
		return showing(loaded, found), err
	})
	if err != nil {
		return cached{}, err
	}
	standing, err := s.standing(ctx, roomID, id.UserID)
	if err != nil {
		return cached{}, err
	}
	room, err := seenBy(ctx, standing, entry, hit)
	if err == nil {
		requestStateOf(ctx).room = roomID
	}
	return room, err
}

// decideAgain has a read of what is in a room decide again, after the read, whether the caller may see the room. A read
// may take seconds: the caller may have been banned, and what came after that been read.
func (s *Server) decideAgain(next contract.StrictHandlerFunc, _ string) contract.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		answer, err := next(c, request)
		ctx := c.Request().Context()
		room := requestStateOf(ctx).room
		if err != nil || room == "" || writes(c.Request().Method) {
			return answer, err
		}
		if _, err := s.visibleRoom(ctx, room); err != nil {
			return nil, err
		}
		return answer, nil
	}
}

// seenBy decides whether somebody with that standing may see a room: a private room is a 404 for everyone but its
// members, and a banned user gets a 403. The cached entry is the same for all.
func seenBy(
	ctx context.Context, standing watchparty.Standing, entry *cache.Entry, hit bool,
) (cached, error) {
	version, err := versionOf(entry.Meta)
	if err != nil {
		return cached{}, err
	}
	_, visibility, _ := strings.Cut(entry.Meta, " ")
	if standing.Banned {
		return cached{}, watchparty.ErrBanned
	}
	if watchparty.Visibility(visibility) == watchparty.Private && standing.Role == "" {
		return cached{}, watchparty.ErrNotFound
	}
	return cached{entry: entry, hit: hit, accepted: headers(ctx), version: version}, nil
}

// roomQueries are what visibleRoom needs, beside the caller's sign-in.
func (s *Server) roomQueries(ctx context.Context, roomID string) []cache.Query {
	queries := []cache.Query{s.roomQuery(roomID)}
	if id := requestStateOf(ctx).identity; id != nil && id.err == nil {
		queries = append(queries, s.standingQuery(roomID, id.claimed.UserID))
	}
	return queries
}

func (s *Server) roomQuery(roomID string) cache.Query {
	return cache.Query{
		Key: roomKey(roomID), Tags: []string{coherence.TagRoom(roomID)},
		TTL: s.cfg.Cache.Rooms, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
}

func (s *Server) standingQuery(roomID, userID string) cache.Query {
	return cache.Query{
		Key: standingKey(roomID, userID), Tags: []string{coherence.TagStandings(roomID)}, TTL: s.cfg.Cache.Rooms,
	}
}

func roomKey(roomID string) string { return "room:" + roomID }

func standingKey(roomID, userID string) string { return "standing:" + roomID + ":" + userID }

// standing returns what a user is to a room now. Without a user it is the zero value.
func (s *Server) standing(ctx context.Context, roomID, userID string) (watchparty.Standing, error) {
	if userID == "" {
		return watchparty.Standing{}, nil
	}
	entry, _, err := s.get(ctx, s.standingQuery(roomID, userID), func(ctx context.Context) (cache.Loaded, error) {
		found, err := s.store.Standing(ctx, roomID, userID)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(found)
		return cache.Loaded{Body: body}, err
	})
	if err != nil {
		return watchparty.Standing{}, err
	}
	return standingIn(entry)
}

// standingIn reads an entry of standing. It is called for each answer, since bans end by themselves.
func standingIn(entry *cache.Entry) (watchparty.Standing, error) {
	standing, err := cache.Decoded(entry, func(body []byte) (decoded watchparty.Standing, err error) {
		return decoded, json.Unmarshal(body, &decoded)
	})
	if err != nil {
		return standing, fmt.Errorf("api: a standing's entry: %w", err)
	}
	if standing.Banned && !standing.BannedUntil.IsZero() && !standing.BannedUntil.After(store.Now()) {
		standing.Banned, standing.BannedUntil = false, time.Time{} // the ban has ended since the entry was stored
	}
	return standing, nil
}

// showing adds, to what was loaded, the tags of the hosts and movies of the rooms that it shows, and how long those who
// are present there stay so by themselves.
func showing(loaded cache.Loaded, rooms ...watchparty.Room) cache.Loaded {
	for _, r := range rooms {
		loaded.Tags = append(loaded.Tags, tagsOfPeople(r.Host)...)
		if r.Movie.ID != "" {
			loaded.Tags = append(loaded.Tags, coherence.TagMovie(r.Movie.ID))
		}
		if r.PresentUntil.IsZero() {
			continue
		}
		if left := max(r.PresentUntil.Sub(store.Now()), 1); loaded.Lasts == 0 || left < loaded.Lasts {
			loaded.Lasts = left
		}
	}
	return loaded
}

func (s *Server) room(r watchparty.Room) contract.Room {
	return contract.Room{
		ID:              r.ID,
		Name:            r.Name,
		Description:     r.Description,
		Movie:           roomMovie(r.Movie),
		Host:            s.person(r.Host),
		Visibility:      contract.Visibility(r.Visibility),
		Capacity:        r.Capacity,
		Participants:    r.Participants,
		Present:         r.Present,
		SlowModeSeconds: int(r.SlowMode.Seconds()),
		State:           roomState(r),
		Closed:          !r.ClosedAt.IsZero(),
		Control:         contract.AccessLevel(r.Access.Control),
		Queue:           contract.AccessLevel(r.Access.Queue),
		QueueOrder:      contract.QueueOrder(r.QueueOrder),
		WaitPolicy:      contract.WaitPolicy(r.WaitPolicy),
		NowPlaying:      r.NowPlaying,
		NextParty:       nextParty(r.NextParty),
		CreatedAt:       r.CreatedAt,
		UpdatedAt:       r.UpdatedAt,
	}
}

func roomState(r watchparty.Room) contract.RoomState {
	if r.ArchivedAt.IsZero() {
		return contract.RoomStateOpen
	}
	return contract.RoomStateArchived
}

// roomMovie returns null for no movie.
func roomMovie(m watchparty.RoomMovie) *contract.RoomMovie {
	if m.ID == "" {
		return nil
	}
	return &contract.RoomMovie{
		ID: m.ID, Title: m.Title, Year: m.Year, RuntimeMinutes: m.RuntimeMinutes, PosterURL: pointer(m.PosterURL),
	}
}
