package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
)

// s3 is a bucket that speaks S3, and can hold requests up.
type s3 struct {
	*httptest.Server
	objects gofakes3.Backend

	mu    sync.Mutex
	stops []*stop
}

// stop holds up the requests with that method and that part of the address.
type stop struct {
	method, part string
	reached      chan struct{} // gets a value for each
	pass         chan struct{} // closed: they go on
	drop         chan struct{} // closed: they are dropped
}

const bucketName = "party"

// useS3 gives the system's processes a bucket on S3.
func (s *system) useS3(t testing.TB) *s3 {
	t.Helper()
	b := &s3{objects: s3mem.New()}
	require.NoError(t, b.objects.CreateBucket(bucketName))
	handler := gofakes3.New(b.objects).Server()
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stop := b.stopOf(r); stop != nil {
			stop.reached <- struct{}{}
			select {
			case <-stop.drop:
				panic(http.ErrAbortHandler)
			case <-stop.pass:
			}
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.release()
		b.Close()
	})
	s.environ = append(s.environ, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret",
		"BLOB_URL=s3://"+bucketName+"?region=eu-central-1&use_path_style=true&endpoint="+b.URL)
	return b
}

// stopAt holds up such requests from now on.
func (b *s3) stopAt(method, part string) *stop {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &stop{
		method:  method,
		part:    part,
		reached: make(chan struct{}, 100),
		pass:    make(chan struct{}),
		drop:    make(chan struct{}),
	}
	b.stops = append(b.stops, s)
	return s
}

func (b *s3) stopOf(r *http.Request) *stop {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.stops {
		if r.Method == s.method && strings.Contains(r.URL.Path, s.part) {
			return s
		}
	}
	return nil
}

// release drops what is held up, and holds up nothing more.
func (b *s3) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.stops {
		close(s.drop)
	}
	b.stops = nil
}

// objectNames returns the names of all objects in the bucket.
func (b *s3) objectNames(t require.TestingT) (names []string) {
	list, err := b.objects.ListBucket(bucketName, nil, gofakes3.ListBucketPage{})
	require.NoError(t, err)
	for _, object := range list.Contents {
		names = append(names, object.Key)
	}
	return names
}
