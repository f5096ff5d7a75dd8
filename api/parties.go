package api

import (
	"context"
	"net/http"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	ical "github.com/watchparty/watchparty/calendar"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/web"
)

// ScheduleParty schedules a party in a room.
func (s *Server) ScheduleParty(
	ctx context.Context,
	r contract.SchedulePartyRequestObject,
) (contract.SchedulePartyResponseObject, error) {
	n := watchparty.NewParty{
		Title: value(r.Body.Title), MovieID: value(r.Body.MovieID), StartsAt: r.Body.StartsAt, TimeZone: r.Body.TimeZone,
	}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "scheduleParty", r.Params.IdempotencyKey, []any{r.RoomID, n})
	if err != nil {
		return nil, err
	}
	scheduled, err := s.store.ScheduleParty(ctx, r.RoomID, caller(ctx).UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := contract.PartyAnswer{Data: s.party(scheduled)}
	made, err := madeAt("/parties/"+scheduled.ID, scheduled.Version, answer)
	return contract.ScheduleParty201JSONResponse{
		Body: answer, Headers: contract.ScheduleParty201ResponseHeaders(made),
	}, err
}

// ListParties lists the scheduled parties of a room.
func (s *Server) ListParties(
	ctx context.Context,
	r contract.ListPartiesRequestObject,
) (contract.ListPartiesResponseObject, error) {
	if _, err := s.visibleRoom(ctx, r.RoomID); err != nil {
		return nil, err
	}
	id, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	parties, err := s.store.Parties(ctx, r.RoomID, id.UserID)
	return contract.ListParties200JSONResponse{Data: convert(parties, s.party)}, err
}

// visibleParty reads a party, and decides whether the viewer may see its room.
func (s *Server) visibleParty(ctx context.Context, id string) (watchparty.Party, error) {
	by, err := viewer(ctx)
	if err != nil {
		return watchparty.Party{}, err
	}
	found, err := s.store.Party(ctx, id, by.UserID)
	if err != nil {
		return found, err
	}
	_, err = s.visibleRoom(ctx, found.RoomID)
	return found, err
}

// GetParty answers with a party.
func (s *Server) GetParty(
	ctx context.Context,
	r contract.GetPartyRequestObject,
) (contract.GetPartyResponseObject, error) {
	found, err := s.visibleParty(ctx, r.PartyID)
	if err != nil {
		return nil, err
	}
	answer := tagged{contract.PartyAnswer{Data: s.party(found)}, r.Params.IfNoneMatch}
	return versioned{answer, found.Version, r.Params.IfMatch}, nil
}

// UpdateParty changes a scheduled party.
func (s *Server) UpdateParty(
	ctx context.Context,
	r contract.UpdatePartyRequestObject,
) (contract.UpdatePartyResponseObject, error) {
	c := watchparty.PartyChange{
		Title:    patched(r.Body.Title, ""),
		MovieID:  patched(r.Body.MovieID, ""),
		StartsAt: r.Body.StartsAt,
		TimeZone: r.Body.TimeZone,
	}
	c.Normalise()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	updated, playing, err := s.store.UpdateParty(ctx, r.PartyID, caller(ctx).UserID, c, ifMatch(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	s.tell(playing)
	answer := contract.PartyAnswer{Data: s.party(updated)}
	tag, err := tagOf(updated.Version, answer)
	return contract.UpdateParty200JSONResponse{
		Body: answer, Headers: contract.UpdateParty200ResponseHeaders{ETag: tag},
	}, err
}

// CancelParty cancels a scheduled party.
func (s *Server) CancelParty(
	ctx context.Context,
	r contract.CancelPartyRequestObject,
) (contract.CancelPartyResponseObject, error) {
	playing, err := s.store.CancelParty(ctx, r.PartyID, caller(ctx).UserID, ifMatch(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	s.tell(playing)
	return contract.CancelParty204Response{}, nil
}

// AnswerParty stores whether the caller comes.
func (s *Server) AnswerParty(
	ctx context.Context,
	r contract.AnswerPartyRequestObject,
) (contract.AnswerPartyResponseObject, error) {
	answer := watchparty.PartyAnswer(r.Body.Answer)
	if err := s.store.AnswerParty(ctx, r.PartyID, caller(ctx).UserID, answer); err != nil {
		return nil, err
	}
	return contract.AnswerParty204Response{}, nil
}

// ListPartyAnswers lists who has answered.
func (s *Server) ListPartyAnswers(
	ctx context.Context,
	r contract.ListPartyAnswersRequestObject,
) (contract.ListPartyAnswersResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listPartyAnswers", r.PartyID, r.Params.Answer)
	if err != nil {
		return nil, err
	}
	if _, err := s.visibleParty(ctx, r.PartyID); err != nil {
		return nil, err
	}
	guests, err := s.store.PartyGuests(ctx, r.PartyID, watchparty.PartyAnswer(value(r.Params.Answer)), more(p))
	if err != nil {
		return nil, err
	}
	guests, next := cut(guests, p, func(g watchparty.PartyGuest) store.Keys { return store.Keys{g.AnsweredAt, g.User.ID} })
	return contract.ListPartyAnswers200JSONResponse{Data: convert(guests, s.partyGuest), NextCursor: next}, nil
}

// ListMyParties lists the parties of the caller's rooms, and those that the caller has answered.
func (s *Server) ListMyParties(
	ctx context.Context,
	r contract.ListMyPartiesRequestObject,
) (contract.ListMyPartiesResponseObject, error) {
	id := caller(ctx)
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listMyParties", id.UserID)
	if err != nil {
		return nil, err
	}
	parties, err := s.store.MyParties(ctx, id.UserID, more(p))
	if err != nil {
		return nil, err
	}
	parties, next := cut(parties, p, func(p watchparty.Party) store.Keys { return store.Keys{p.StartsAt, p.ID} })
	return contract.ListMyParties200JSONResponse{Data: convert(parties, s.party), NextCursor: next}, nil
}

// GetPartyCalendar answers with a party as a file for calendars.
func (s *Server) GetPartyCalendar(
	ctx context.Context,
	r contract.GetPartyCalendarRequestObject,
) (contract.GetPartyCalendarResponseObject, error) {
	found, err := s.visibleParty(ctx, r.PartyID)
	if err != nil {
		return nil, err
	}
	return calendarFile(ical.OfParty(found, s.cfg.HTTP.PublicURL, web.RoomURL(s.cfg.HTTP.FrontendURL, found.RoomID))), nil
}

// calendarFile is the answer of GetPartyCalendar.
type calendarFile ical.Event

// VisitGetPartyCalendarResponse writes the file.
func (f calendarFile) VisitGetPartyCalendarResponse(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", ical.ContentType)
	h.Set("Content-Disposition", `attachment; filename="party.ics"`)
	_, err := w.Write(ical.Event(f).File())
	return err
}

func (s *Server) party(p watchparty.Party) contract.Party {
	return contract.Party{
		ID: p.ID, RoomID: p.RoomID, RoomName: p.RoomName, Title: p.Title, Movie: roomMovie(p.Movie), StartsAt: p.StartsAt,
		TimeZone: p.TimeZone, State: contract.PartyState(p.State), ScheduledBy: s.person(p.Scheduler),
		Answers:   contract.PartyCounts{Yes: p.Yes, Maybe: p.Maybe, No: p.No},
		MyAnswer:  pointer(contract.PartyReply(p.Answer)),
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func (s *Server) partyGuest(g watchparty.PartyGuest) contract.PartyGuest {
	return contract.PartyGuest{
		User: s.requiredPerson(g.User), Answer: contract.PartyReply(g.Answer), AnsweredAt: g.AnsweredAt,
	}
}

// nextParty returns null for no party.
func nextParty(p watchparty.NextParty) *contract.NextParty {
	if p.ID == "" {
		return nil
	}
	return &contract.NextParty{ID: p.ID, StartsAt: p.StartsAt, Title: p.Title}
}
