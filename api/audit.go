package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListAuditLog lists the audit log.
func (s *Server) ListAuditLog(
	ctx context.Context,
	r contract.ListAuditLogRequestObject,
) (contract.ListAuditLogResponseObject, error) {
	p, err := s.page(
		"cursor", r.Params.Cursor, r.Params.Limit, "listAuditLog", r.Params.ActorID, r.Params.TargetID, r.Params.Action,
	)
	if err != nil {
		return nil, err
	}
	filter := watchparty.AuditFilter{
		ActorID:  value(r.Params.ActorID),
		TargetID: value(r.Params.TargetID),
		Action:   watchparty.AuditAction(value(r.Params.Action)),
	}
	entries, err := s.store.Audit(ctx, filter, more(p))
	if err != nil {
		return nil, err
	}
	entries, next := cut(entries, p, func(e watchparty.AuditEntry) store.Keys { return store.Keys{e.ID} })
	return contract.ListAuditLog200JSONResponse{Data: convert(entries, s.auditEntry), NextCursor: next}, nil
}

func (s *Server) auditEntry(e watchparty.AuditEntry) contract.AuditEntry {
	return contract.AuditEntry{
		ID:         e.ID,
		Actor:      s.person(e.Actor),
		Action:     contract.AuditAction(e.Action),
		TargetKind: contract.AuditTargetKind(e.TargetKind),
		TargetID:   e.TargetID,
		Target:     s.person(e.Target),
		Details:    e.Details,
		Outcome:    contract.AuditOutcome(e.Outcome),
		CreatedAt:  e.CreatedAt,
	}
}
