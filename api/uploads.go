package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/watchparty/watchparty"
)

const avatarRoute = basePath + "/users/me/avatar"

func isUpload(c echo.Context) bool {
	return c.Path() == avatarRoute && c.Request().Method == http.MethodPut
}

const (
	// maxSpooled is how many uploads are on their way or wait for their turn at a time, in each replica: at 5 MB, 1.3 GB of
	// disk where temporary files are.
	maxSpooled = 256
	// uploadsPerAccount is how many of these may be one account's.
	uploadsPerAccount = 3
	// leastUploadRate is how fast an upload has to come, in bytes a second on average, once uploadGrace is over.
	leastUploadRate = 16 << 10
	uploadGrace     = 10 * time.Second
)

// uploadsAtOnce is how many uploads are in memory at a time, in each replica. They leave half of the cores to other
// requests, and on a machine that has the worker too, to the pictures that are rendered: a burst of uploads would
// otherwise be over before the first of them is an avatar.
func uploadsAtOnce() int { return max(runtime.GOMAXPROCS(0)/2, 1) }

var (
	errTooManyUploads = &watchparty.Error{
		Kind:       watchparty.KindUnavailable,
		Code:       "busy",
		Message:    "Too many pictures are being uploaded. Try again in a moment.",
		RetryAfter: 5 * time.Second,
	}
	errTooManyOwnUploads = &watchparty.Error{
		Kind:       watchparty.KindLimited,
		Code:       "rate_limited",
		Message:    "You are uploading several pictures already. Wait for one of them.",
		RetryAfter: 5 * time.Second,
	}
)

// uploads are the places for pictures on their way.
type uploads struct {
	spooled, inMemory *semaphore.Weighted
	mu                sync.Mutex
	own               map[string]int // how many places each account has
}

func newUploads() *uploads {
	return &uploads{
		spooled:  semaphore.NewWeighted(maxSpooled),
		inMemory: semaphore.NewWeighted(int64(uploadsAtOnce())),
		own:      map[string]int{},
	}
}

// enter takes a place for an account, and returns what gives it back.
func (u *uploads) enter(userID string) (leave func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.own[userID] >= uploadsPerAccount {
		return nil, errTooManyOwnUploads
	}
	if !u.spooled.TryAcquire(1) {
		return nil, errTooManyUploads
	}
	u.own[userID]++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.own[userID]--; u.own[userID] == 0 {
			delete(u.own, userID)
		}
		u.spooled.Release(1)
	}, nil
}

// spool takes a picture to the end of its upload in a file, and then lets a bounded number of them into memory: clients
// that send slowly take no memory, and keep nobody else waiting. Only signed-in clients get that far.
func (s *Server) spool() echo.MiddlewareFunc {
	places := newUploads()
	return func(next echo.HandlerFunc) echo.HandlerFunc { // called for each request
		return func(c echo.Context) error {
			r := c.Request()
			if !isUpload(c) || r.Body == nil {
				return next(c)
			}
			media, parameters, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
			if err != nil || media != echo.MIMEMultipartForm {
				return errContentType
			}
			if parameters["boundary"] == "" {
				return malformedForm(http.ErrMissingBoundary)
			}
			leave, err := places.enter(caller(r.Context()).UserID)
			if err != nil {
				c.Response().Header().Set("Connection", "close") // or the answer would come after the rest of the body
				return err
			}
			defer leave()
			response := http.NewResponseController(c.Response())
			file, size, err := toFile(&paced{
				body:        r.Body,
				begun:       time.Now(),
				last:        time.Now().Add(s.cfg.HTTP.ReadTimeout),
				setDeadline: response.SetReadDeadline,
			})
			// However long that took, there is time for an answer.
			_ = response.SetWriteDeadline(time.Now().Add(s.cfg.HTTP.WriteTimeout))
			if err != nil {
				return err
			}
			defer file.Close() //nolint:errcheck // it is gone with it
			if err := places.inMemory.Acquire(r.Context(), 1); err != nil {
				return fmt.Errorf("api: wait with an upload: %w", err)
			}
			defer places.inMemory.Release(1)
			r = r.WithContext(context.WithValue(r.Context(), uploadSizeKey{}, size))
			r.Body = io.NopCloser(file)
			c.SetRequest(r)
			return next(c)
		}
	}
}

type uploadSizeKey struct{}

// uploadSize is how long the body of an upload is, in bytes.
func uploadSize(ctx context.Context) int64 {
	size, _ := ctx.Value(uploadSizeKey{}).(int64)
	return size
}

// paced is a body whose connection is given up when it comes too slowly, or not by the last moment.
type paced struct {
	body        io.Reader
	begun, last time.Time
	read        int64
	setDeadline func(time.Time) error
}

func (p *paced) Read(b []byte) (int, error) {
	due := p.begun.Add(uploadGrace + time.Duration(p.read)*time.Second/leastUploadRate)
	if due.After(p.last) {
		due = p.last
	}
	_ = p.setDeadline(due) // a recorder in a test has none
	n, err := p.body.Read(b)
	p.read += int64(n)
	return n, err
}

// toFile copies body to a file that has no name any more, so that nothing is left of it whatever happens.
func toFile(body io.Reader) (_ *os.File, size int64, err error) {
	file, err := os.CreateTemp("", "watchparty-upload-")
	if err != nil {
		return nil, 0, fmt.Errorf("api: keep an upload: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := os.Remove(file.Name()); err != nil {
		return nil, 0, fmt.Errorf("api: keep an upload: %w", err)
	}
	size, err = io.Copy(file, body)
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return nil, 0, fmt.Errorf("api: keep an upload: %w", err)
	}
	if err != nil {
		return nil, 0, malformedForm(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, 0, fmt.Errorf("api: keep an upload: %w", err)
	}
	return file, size, nil
}
