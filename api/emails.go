package api

import (
	"context"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/mail"
	"github.com/watchparty/watchparty/store"
)

// ListEmails lists emails.
func (s *Server) ListEmails(
	ctx context.Context,
	r contract.ListEmailsRequestObject,
) (contract.ListEmailsResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listEmails", r.Params.Kind, r.Params.State,
		r.Params.Reason, r.Params.UserID, r.Params.Address, r.Params.RoomID, r.Params.InvitationID, r.Params.From,
		r.Params.To)
	if err != nil {
		return nil, err
	}
	filter := watchparty.EmailFilter{
		Kind:         watchparty.EmailKind(value(r.Params.Kind)),
		State:        watchparty.EmailState(value(r.Params.State)),
		Reason:       watchparty.EmailReason(value(r.Params.Reason)),
		UserID:       value(r.Params.UserID),
		RoomID:       value(r.Params.RoomID),
		InvitationID: value(r.Params.InvitationID),
		Address:      value(r.Params.Address),
		From:         value(r.Params.From),
		To:           value(r.Params.To),
	}
	emails, err := s.store.Emails(ctx, filter, more(p))
	if err != nil {
		return nil, err
	}
	emails, next := cut(emails, p, func(m watchparty.Email) store.Keys { return store.Keys{m.ID} })
	return contract.ListEmails200JSONResponse{Data: convert(emails, s.email), NextCursor: next}, nil
}

// ListEmailPreviews lists an example of each kind of email.
func (s *Server) ListEmailPreviews(
	_ context.Context,
	r contract.ListEmailPreviewsRequestObject,
) (contract.ListEmailPreviewsResponseObject, error) {
	previews, err := mail.Previews(watchparty.Language(value(r.Params.Language)))
	return contract.ListEmailPreviews200JSONResponse{Data: convert(previews, emailPreview)}, err
}

// GetEmail answers with an email and all attempts to send it.
func (s *Server) GetEmail(
	ctx context.Context,
	r contract.GetEmailRequestObject,
) (contract.GetEmailResponseObject, error) {
	answer, err := s.emailHistory(ctx, r.EmailID)
	if err != nil {
		return nil, err
	}
	return tagged{answer, r.Params.IfNoneMatch}, nil
}

func (s *Server) emailHistory(ctx context.Context, id string) (answer contract.EmailAnswer, err error) {
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		email, err := at.AdminEmail(ctx, id)
		if err != nil {
			return err
		}
		attempts, err := at.EmailAttempts(ctx, id)
		history := convert(attempts, emailAttempt)
		answer.Data = s.email(email)
		answer.Data.History = &history
		return err
	})
	return answer, err
}

// ResendEmail queues another email about the same.
func (s *Server) ResendEmail(
	ctx context.Context,
	r contract.ResendEmailRequestObject,
) (contract.ResendEmailResponseObject, error) {
	id := caller(ctx)
	once, err := s.once(ctx, "resendEmail", r.Params.IdempotencyKey, r.EmailID)
	if err != nil {
		return nil, err
	}
	email, err := s.store.ResendEmail(ctx, id.UserID, r.EmailID, once)
	if err != nil {
		return nil, err
	}
	answer, err := s.emailHistory(ctx, email.ID)
	if err != nil {
		return nil, err
	}
	made, err := madeAt("/admin/emails/"+email.ID, 0, answer)
	return contract.ResendEmail201JSONResponse{Body: answer, Headers: contract.ResendEmail201ResponseHeaders(made)}, err
}

// CancelEmail cancels an email.
func (s *Server) CancelEmail(
	ctx context.Context,
	r contract.CancelEmailRequestObject,
) (contract.CancelEmailResponseObject, error) {
	id := caller(ctx)
	email, err := s.store.CancelEmail(ctx, id.UserID, r.EmailID)
	if err != nil {
		return nil, err
	}
	return contract.CancelEmail200JSONResponse{Data: s.email(email)}, nil
}

// GetEmailPause says whether emails are paused.
func (s *Server) GetEmailPause(
	ctx context.Context,
	_ contract.GetEmailPauseRequestObject,
) (contract.GetEmailPauseResponseObject, error) {
	pause, err := s.emailPause(ctx)
	return contract.GetEmailPause200JSONResponse{Data: pause}, err
}

// PauseEmails pauses all emails.
func (s *Server) PauseEmails(
	ctx context.Context,
	_ contract.PauseEmailsRequestObject,
) (contract.PauseEmailsResponseObject, error) {
	id := caller(ctx)
	if err := s.store.PauseEmails(ctx, id.UserID); err != nil {
		return nil, err
	}
	pause, err := s.emailPause(ctx)
	return contract.PauseEmails200JSONResponse{Data: pause}, err
}

// ResumeEmails resumes them.
func (s *Server) ResumeEmails(
	ctx context.Context,
	_ contract.ResumeEmailsRequestObject,
) (contract.ResumeEmailsResponseObject, error) {
	id := caller(ctx)
	if err := s.store.ResumeEmails(ctx, id.UserID); err != nil {
		return nil, err
	}
	pause, err := s.emailPause(ctx)
	return contract.ResumeEmails200JSONResponse{Data: pause}, err
}

func (s *Server) emailPause(ctx context.Context) (contract.EmailPause, error) {
	pause, err := s.store.EmailPause(ctx)
	return contract.EmailPause{PausedAt: pointer(pause.PausedAt), Waiting: pause.Waiting}, err
}

func (s *Server) email(m watchparty.Email) contract.Email {
	return contract.Email{
		WaitsFor:    pointer(contract.EmailWait(m.WaitsFor)),
		WaitsUntil:  pointer(m.WaitsUntil),
		DeadlineAt:  pointer(m.DeadlineAt),
		RoomID:      pointer(m.RoomID),
		ID:          m.ID,
		Kind:        contract.EmailKind(m.Kind),
		SubjectID:   m.SubjectID,
		Recipient:   s.person(m.Recipient),
		State:       contract.EmailState(m.State),
		Reason:      pointer(contract.EmailReason(m.Reason)),
		Attempts:    m.Attempts,
		LastAnswer:  pointer(m.LastAnswer),
		ResendOf:    pointer(m.ResendOf),
		WorkflowID:  m.WorkflowID,
		TemporalURL: s.temporalURL(m.WorkflowID),
		CreatedAt:   m.CreatedAt,
		UpdatedAt:   m.UpdatedAt,
		SentAt:      pointer(m.SentAt),
	}
}

func emailAttempt(a watchparty.EmailAttempt) contract.EmailAttempt {
	return contract.EmailAttempt{
		Number:    a.Number,
		Outcome:   contract.EmailAttemptOutcome(a.Outcome),
		Answer:    pointer(a.Answer),
		StartedAt: a.StartedAt,
		EndedAt:   pointer(a.EndedAt),
	}
}

func emailPreview(p mail.Preview) contract.EmailPreview {
	return contract.EmailPreview{Kind: contract.EmailKind(p.Kind), Subject: p.Subject, HTML: p.HTML, Text: p.Text}
}
