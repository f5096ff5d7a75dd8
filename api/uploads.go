package api

import (
	"bytes"
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
	// maxSpooled limits the uploads in each replica that are being received or wait for their turn: at 5 MB each, 1.3 GB,
	// most of it in the folder of temporary files.
	maxSpooled = 256
	// maxBuffered is how many of these are received into memory, which takes less processor time than a file: at 5 MB
	// each, 20 MB. Slow uploads may have all of these places; others are received into files then.
	maxBuffered = 4
	// uploadsPerAccount is how many uploads one account may have.
	uploadsPerAccount = 3
	// leastUploadRate is the slowest rate of an upload after uploadGrace, in bytes per second on average.
	leastUploadRate = 16 << 10
	uploadGrace     = 10 * time.Second
)

// uploadsAtOnce is how many uploads each replica checks and stores at a time. They leave half of the cores to other
// requests and, on a machine that also runs the worker, to rendering: otherwise a burst of uploads would all be
// received before the first of them is rendered.
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

// uploads counts the uploads that are being received.
type uploads struct {
	spooled, buffered, stored *semaphore.Weighted

	buffers sync.Pool // of *bytes.Buffer

	mu  sync.Mutex
	own map[string]int // by account
}

func newUploads() *uploads {
	return &uploads{
		spooled:  semaphore.NewWeighted(maxSpooled),
		buffered: semaphore.NewWeighted(maxBuffered),
		buffers:  sync.Pool{New: func() any { return new(bytes.Buffer) }},
		stored:   semaphore.NewWeighted(int64(uploadsAtOnce())),
		own:      map[string]int{},
	}
}

// enter takes a place for an account, and returns the function that releases it.
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

// spool receives whole uploads, and then lets a limited number of them go on: slow clients take little memory, and do
// not delay others. Only signed-in clients get that far.
func (s *Server) spool() echo.MiddlewareFunc {
	places := newUploads()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
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
				c.Response().Header().Set("Connection", "close") // otherwise the answer would wait for the rest of the body
				return err
			}
			defer leave()
			response := http.NewResponseController(c.Response())
			body, size, err := places.receive(&paced{
				body:        r.Body,
				begun:       time.Now(),
				last:        time.Now().Add(s.cfg.HTTP.ReadTimeout),
				setDeadline: response.SetReadDeadline,
			}, r.ContentLength)
			// Receiving may have taken longer than the write timeout.
			_ = response.SetWriteDeadline(time.Now().Add(s.cfg.HTTP.WriteTimeout))
			if err != nil {
				return err
			}
			defer body.Close() //nolint:errcheck // it is gone with it
			if err := places.stored.Acquire(r.Context(), 1); err != nil {
				return fmt.Errorf("api: wait with an upload: %w", err)
			}
			defer places.stored.Release(1)
			r = r.WithContext(context.WithValue(r.Context(), uploadSizeKey{}, size))
			r.Body = io.NopCloser(body)
			c.SetRequest(r)
			return next(c)
		}
	}
}

type uploadSizeKey struct{}

// uploadSize returns the size of an upload's body in bytes.
func uploadSize(ctx context.Context) int64 {
	size, _ := ctx.Value(uploadSizeKey{}).(int64)
	return size
}

// paced is a body whose connection is closed if it arrives too slowly, or not before the last moment.
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
	_ = p.setDeadline(due) // a recorder in a test has no deadlines
	n, err := p.body.Read(b)
	p.read += int64(n)
	return n, err
}

// receive reads an upload into memory, or into a file if too many are in memory already. The length is -1 if it is not
// known.
func (u *uploads) receive(body io.Reader, length int64) (_ io.ReadCloser, size int64, err error) {
	if !u.buffered.TryAcquire(1) {
		return toFile(body)
	}
	b := &buffered{Buffer: u.buffers.Get().(*bytes.Buffer), of: u}
	b.Grow(int(max(length, 0)) + bytes.MinRead)
	if size, err = b.ReadFrom(body); err != nil {
		_ = b.Close()
		return nil, 0, malformedForm(err)
	}
	return b, size, nil
}

// buffered is an upload in memory.
type buffered struct {
	*bytes.Buffer
	of *uploads
}

func (b *buffered) Close() error {
	b.Reset()
	b.of.buffers.Put(b.Buffer)
	b.of.buffered.Release(1)
	return nil
}

// toFile copies a body to a file that is already unlinked, so that nothing can be left behind.
func toFile(body io.Reader) (_ io.ReadCloser, size int64, err error) {
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
