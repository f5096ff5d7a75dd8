package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// bucketTime bounds the transfer of one file. It is well under the activity's own timeout, so that a bucket that hangs
// leads to a retry and does not count as a picture that makes libvips hang.
const bucketTime = 20 * time.Second

// listFiles returns the names of a user's files. They are few, since each publication removes the earlier ones.
func listFiles(ctx context.Context, bucket *blob.Bucket, prefix string) (names []string, err error) {
	for objects := bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("activities: list files: %w", err)
		}
		names = append(names, object.Key)
	}
}

func removeFile(ctx context.Context, bucket *blob.Bucket, name string) error {
	if err := bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("activities: remove a file: %w", err)
	}
	return nil
}

func removeAll(ctx context.Context, bucket *blob.Bucket, prefix string) error {
	files, err := listFiles(ctx, bucket, prefix)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := removeFile(ctx, bucket, name); err != nil {
			return err
		}
	}
	return nil
}
