package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"
)

const avatarRoute = basePath + "/users/me/avatar"

// uploadsAtOnce is how many uploads are in memory at a time, in each replica. One of 4 MB was seen to take 50 MB there,
// since the contract's validator, the form's reader and the bucket have copies, and the collector comes later.
const uploadsAtOnce = 4

// spool takes a picture to the end of its upload in a file, and then lets a bounded number of them into memory: those
// who send slowly take no memory, and keep nobody else waiting.
func spool() echo.MiddlewareFunc {
	slots := semaphore.NewWeighted(uploadsAtOnce)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Path() != avatarRoute || c.Request().Body == nil {
				return next(c)
			}
			file, err := toFile(c.Request().Body)
			if err != nil {
				return err
			}
			defer file.Close() //nolint:errcheck // it is gone with it
			if err := slots.Acquire(c.Request().Context(), 1); err != nil {
				return fmt.Errorf("api: wait with an upload: %w", err)
			}
			defer slots.Release(1)
			c.Request().Body = io.NopCloser(file)
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
