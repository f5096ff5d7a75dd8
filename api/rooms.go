package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

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
		Key: fmt.Sprintf(
			"rooms:%s%s:%d",
			order.key,
			p.After,
			p.Limit,
		),
		Tags: []string{coherence.TagRooms},
		TTL:  s.cfg.Cache.Rooms,
	}
	if f != (watchparty.RoomFilter{}) { // cache keys are logged, and must not have what people search for
		q.Key += fmt.Sprintf(":%x", s.digests.Sum("room-filter", f.Search, f.MovieID, strconv.FormatBool(f.Available)))
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		rooms, err := order.read(ctx, f, more(p))
		rooms, next := cut(rooms, p, order.keys)
		return list{Data: convert(rooms, room), NextCursor: next}, err
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
	answer := room(created)
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
	if t := exchangeOf(ctx).target; t != nil {
		t.key = roomKey(r.RoomID)
	}
	return answer, err
}

// visibleRoom reads a room and decides whether the viewer may see it: a private room is a 404 for everyone but its
// members, and a banned user gets a 403. The cached entry is the same for all.
func (s *Server) visibleRoom(ctx context.Context, roomID string) (cached, error) {
	id, err := viewer(ctx)
	if err != nil {
		return cached{}, err
	}
	if t := exchangeOf(ctx).target; t != nil {
		t.roomID = roomID
	}
	q := cache.Query{
		Key: roomKey(roomID), Tags: []string{coherence.TagRoom(roomID)},
		TTL: s.cfg.Cache.Rooms, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
	entry, hit, err := s.get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		found, err := s.store.Room(ctx, roomID)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(single{Data: room(found)})
		return cache.Loaded{Body: body, Meta: fmt.Sprint(found.Version, " ", found.Visibility)}, err
	})
	if err != nil {
		return cached{}, err
	}
	version, err := versionOf(entry.Meta)
	if err != nil {
		return cached{}, err
	}
	_, visibility, _ := strings.Cut(entry.Meta, " ")
	standing, err := s.standing(ctx, roomID, id.UserID)
	if err != nil {
		return cached{}, err
	}
	if standing.Banned {
		return cached{}, watchparty.ErrBanned
	}
	if watchparty.Visibility(visibility) == watchparty.Private && standing.Role == "" {
		return cached{}, watchparty.ErrNotFound
	}
	return cached{entry: entry, hit: hit, version: version}, nil
}

func roomKey(roomID string) string { return "room:" + roomID }

// standing returns what a user is to a room now. Without a user it is the zero value.
func (s *Server) standing(ctx context.Context, roomID, userID string) (watchparty.Standing, error) {
	var standing watchparty.Standing
	if userID == "" {
		return standing, nil
	}
	q := cache.Query{
		Key:  "standing:" + roomID + ":" + userID,
		Tags: []string{coherence.TagStandings(roomID)},
		TTL:  s.cfg.Cache.Rooms,
	}
	entry, _, err := s.get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		found, err := s.store.Standing(ctx, roomID, userID)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(found)
		return cache.Loaded{Body: body}, err
	})
	if err != nil {
		return standing, err
	}
	standing, err = cache.Decoded(entry, func(body []byte) (decoded watchparty.Standing, err error) {
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

func room(r watchparty.Room) contract.Room {
	state := contract.RoomStateOpen
	if !r.ArchivedAt.IsZero() {
		state = contract.RoomStateArchived
	}
	return contract.Room{
		ID: r.ID, Name: r.Name, Description: r.Description, MovieID: pointer(r.MovieID),
		Host: personOf(r.HostID, r.HostUsername), Visibility: contract.Visibility(r.Visibility), Capacity: r.Capacity,
		Participants: r.Participants, SlowModeSeconds: int(r.SlowMode.Seconds()), State: state, Closed: !r.ClosedAt.IsZero(),
		Control: contract.Circle(r.Sharing.Control), Queue: contract.Circle(r.Sharing.Queue),
		QueueOrder: contract.QueueOrder(r.QueueOrder), WaitPolicy: contract.WaitPolicy(r.WaitPolicy),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}
