package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// permitted checks a permission for reading: a 404 for callers who may not see the room, and a 403 without the
// permission. The store decides acts, with the room locked.
func (s *Server) permitted(ctx context.Context, roomID string, p watchparty.Permission) error {
	id := caller(ctx)
	if _, err := s.visibleRoom(ctx, roomID); err != nil {
		return err
	}
	standing, err := s.standing(ctx, roomID, id.UserID)
	if err == nil && !standing.Role.May(p) {
		err = watchparty.ErrForbidden
	}
	return err
}

// KickParticipant removes a person from a room.
func (s *Server) KickParticipant(
	ctx context.Context,
	r contract.KickParticipantRequestObject,
) (contract.KickParticipantResponseObject, error) {
	id := caller(ctx)
	if err := s.store.Kick(ctx, r.RoomID, id.UserID, r.Username); err != nil {
		return nil, err
	}
	return contract.KickParticipant204Response{}, nil
}

// ListBans lists the bans in force.
func (s *Server) ListBans(
	ctx context.Context,
	r contract.ListBansRequestObject,
) (contract.ListBansResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listBans", r.RoomID)
	if err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, r.RoomID, watchparty.MayBan); err != nil {
		return nil, err
	}
	bans, err := s.store.Bans(ctx, r.RoomID, more(p))
	if err != nil {
		return nil, err
	}
	bans, next := cut(bans, p, func(b watchparty.Ban) store.Keys { return store.Keys{b.ID} })
	return contract.ListBans200JSONResponse{Data: convert(bans, s.ban), NextCursor: next}, nil
}

// BanUser bans a person from a room.
func (s *Server) BanUser(ctx context.Context, r contract.BanUserRequestObject) (contract.BanUserResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewBan{Until: r.Body.Until, Reason: value(r.Body.Reason)}
	n.Normalise()
	if err := n.Validate(store.Now()); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "banUser", r.Params.IdempotencyKey, []any{r.RoomID, r.Body.Username, n})
	if err != nil {
		return nil, err
	}
	banned, err := s.store.Ban(ctx, r.RoomID, id.UserID, r.Body.Username, n, once)
	if err != nil {
		return nil, err
	}
	answer := s.ban(banned)
	made, err := madeAt("/rooms/"+r.RoomID+"/bans/"+answer.User.Username, 0, contract.BanAnswer{Data: answer})
	return contract.BanUser201JSONResponse{
		Body:    contract.BanAnswer{Data: answer},
		Headers: contract.BanUser201ResponseHeaders(made),
	}, err
}

// GetBan answers with a ban in force.
func (s *Server) GetBan(ctx context.Context, r contract.GetBanRequestObject) (contract.GetBanResponseObject, error) {
	if err := s.permitted(ctx, r.RoomID, watchparty.MayBan); err != nil {
		return nil, err
	}
	found, err := s.store.BanOf(ctx, r.RoomID, r.Username)
	return tagged{contract.BanAnswer{Data: s.ban(found)}, r.Params.IfNoneMatch}, err
}

// LiftBan ends a ban.
func (s *Server) LiftBan(ctx context.Context, r contract.LiftBanRequestObject) (contract.LiftBanResponseObject, error) {
	id := caller(ctx)
	if err := s.store.LiftBan(ctx, r.RoomID, id.UserID, r.Username); err != nil {
		return nil, err
	}
	return contract.LiftBan204Response{}, nil
}

// ListMutes lists the mutes in force.
func (s *Server) ListMutes(
	ctx context.Context,
	r contract.ListMutesRequestObject,
) (contract.ListMutesResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listMutes", r.RoomID)
	if err != nil {
		return nil, err
	}
	if err := s.permitted(ctx, r.RoomID, watchparty.MayMute); err != nil {
		return nil, err
	}
	mutes, err := s.store.Mutes(ctx, r.RoomID, more(p))
	if err != nil {
		return nil, err
	}
	mutes, next := cut(mutes, p, func(m watchparty.Mute) store.Keys { return store.Keys{m.ID} })
	return contract.ListMutes200JSONResponse{Data: convert(mutes, s.mute), NextCursor: next}, nil
}

// MuteUser mutes a person in a room.
func (s *Server) MuteUser(
	ctx context.Context,
	r contract.MuteUserRequestObject,
) (contract.MuteUserResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewMute{Until: r.Body.Until, Reason: value(r.Body.Reason)}
	n.Normalise()
	if err := n.Validate(store.Now()); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "muteUser", r.Params.IdempotencyKey, []any{r.RoomID, r.Body.Username, n})
	if err != nil {
		return nil, err
	}
	muted, err := s.store.Mute(ctx, r.RoomID, id.UserID, r.Body.Username, n, once)
	if err != nil {
		return nil, err
	}
	answer := s.mute(muted)
	made, err := madeAt("/rooms/"+r.RoomID+"/mutes/"+answer.User.Username, 0, contract.MuteAnswer{Data: answer})
	return contract.MuteUser201JSONResponse{
		Body:    contract.MuteAnswer{Data: answer},
		Headers: contract.MuteUser201ResponseHeaders(made),
	}, err
}

// GetMute answers with a mute in force.
func (s *Server) GetMute(ctx context.Context, r contract.GetMuteRequestObject) (contract.GetMuteResponseObject, error) {
	if err := s.permitted(ctx, r.RoomID, watchparty.MayMute); err != nil {
		return nil, err
	}
	found, err := s.store.MuteOf(ctx, r.RoomID, r.Username)
	return tagged{contract.MuteAnswer{Data: s.mute(found)}, r.Params.IfNoneMatch}, err
}

// LiftMute ends a mute.
func (s *Server) LiftMute(
	ctx context.Context,
	r contract.LiftMuteRequestObject,
) (contract.LiftMuteResponseObject, error) {
	id := caller(ctx)
	if err := s.store.LiftMute(ctx, r.RoomID, id.UserID, r.Username); err != nil {
		return nil, err
	}
	return contract.LiftMute204Response{}, nil
}

func (s *Server) ban(b watchparty.Ban) contract.Ban {
	return contract.Ban{
		User:      s.requiredPerson(b.User),
		BannedBy:  s.person(b.By),
		Reason:    b.Reason,
		Until:     pointer(b.Until),
		CreatedAt: b.CreatedAt,
	}
}

func (s *Server) mute(m watchparty.Mute) contract.Mute {
	return contract.Mute{
		User:      s.requiredPerson(m.User),
		MutedBy:   s.person(m.By),
		Reason:    m.Reason,
		Until:     m.Until,
		CreatedAt: m.CreatedAt,
	}
}
