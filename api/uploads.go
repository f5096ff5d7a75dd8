package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
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
	// uploadsAtOnce is how many uploads are in memory at a time, in each replica. One of 4 MB was seen to take 50 MB there,
	// since the contract's validator, the form's reader and the bucket have copies, and the collector comes later.
	uploadsAtOnce = 4
	// maxSpooled is how many uploads are on their way or wait for their turn at a time, in each replica: at 5 MB, 1.3 GB of
	// disk where temporary files are.
	maxSpooled = 256
)

var errTooManyUploads = &watchparty.Error{
	Kind: watchparty.KindUnavailable, Code: "busy", Message: "Too many pictures are being uploaded. Try again in a moment.", RetryAfter: 5 * time.Second,
}

// spool takes a picture to the end of its upload in a file, and then lets a bounded number of them into memory: those
// who send slowly take no memory, and keep nobody else waiting. Only who is signed in gets that far.
func (s *Server) spool() echo.MiddlewareFunc {
	spooled, slots := semaphore.NewWeighted(maxSpooled), semaphore.NewWeighted(uploadsAtOnce)
	return func(next echo.HandlerFunc) echo.HandlerFunc { // called for each request
		return func(c echo.Context) error {
			r := c.Request()
			if !isUpload(c) || r.Body == nil {
				return next(c)
			}
			if _, err := caller(r.Context()); err != nil {
				return err
			}
			if !spooled.TryAcquire(1) {
				return errTooManyUploads
			}
			defer spooled.Release(1)
			file, err := toFile(r.Body)
			// However long that took, there is time for an answer.
			_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(s.cfg.HTTP.WriteTimeout))
			if err != nil {
				return err
			}
			defer file.Close() //nolint:errcheck // it is gone with it
			if err := slots.Acquire(r.Context(), 1); err != nil {
				return fmt.Errorf("api: wait with an upload: %w", err)
			}
			defer slots.Release(1)
			r.Body = io.NopCloser(file)
			return next(c)
		}
	}
}

// toFile copies body to a file that has no name any more, so that nothing is left of it whatever happens.
func toFile(body io.Reader) (_ *os.File, err error) {
	file, err := os.CreateTemp("", "watchparty-upload-")
	if err != nil {
		return nil, fmt.Errorf("api: keep an upload: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := os.Remove(file.Name()); err != nil {
		return nil, fmt.Errorf("api: keep an upload: %w", err)
	}
	_, err = io.Copy(file, body)
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return nil, fmt.Errorf("api: keep an upload: %w", err)
	}
	if err != nil {
		return nil, malformedForm(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("api: keep an upload: %w", err)
	}
	return file, nil
}
