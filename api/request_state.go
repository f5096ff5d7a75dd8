package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/logging"
)

// requestState has the data of one request and its answer. It is the request's context, so that the request is copied
// only once.
type requestState struct {
	context.Context

	ids      logging.IDs // for the log
	header   http.Header
	client   string // where the request comes from; see client
	identity *identity
	target   *target // the form of the request, if it is a cached read that memory may answer later; see answerFromMemory
	room     string  // ID of the room that visibleRoom has allowed the caller to see
}

// ifNoneMatch is the condition of a plain request, and nil without one.
func (e *requestState) ifNoneMatch() *string {
	if tags := e.header["If-None-Match"]; len(tags) > 0 {
		return &tags[0]
	}
	return nil
}

type requestStateKey struct{}

// Value implements context.Context.
func (e *requestState) Value(key any) any {
	switch key {
	case requestStateKey{}:
		return e
	case logging.IDsKey{}:
		return &e.ids
	}
	return e.Context.Value(key)
}

// requestStateOf returns the state of the request, and the zero state outside of a request.
func requestStateOf(ctx context.Context) *requestState {
	if e, ok := ctx.Value(requestStateKey{}).(*requestState); ok {
		return e
	}
	return &requestState{}
}

func requestID(ctx context.Context) string { return requestStateOf(ctx).ids.Request }

// headers returns all headers of the request, including those that the contract does not name.
func headers(ctx context.Context) http.Header { return requestStateOf(ctx).header }

// header returns one header of the request.
func header(ctx context.Context, name string) string { return headers(ctx).Get(name) }

// clientOf returns the client that sent the request; see client.
func clientOf(ctx context.Context) string { return requestStateOf(ctx).client }

// identity is the caller according to the request's token.
type identity struct {
	// claimed is the account of the token; err is the reason why the token is not valid.
	claimed auth.Identity
	err     error

	inForce func(context.Context, auth.Identity) error
	once    sync.Once
	state   error
}

// confirm checks whether the sign-in is still in force. The check is made once for each request.
func (i *identity) confirm(ctx context.Context) error {
	i.once.Do(func() { i.state = i.inForce(ctx, i.claimed) })
	return i.state
}
