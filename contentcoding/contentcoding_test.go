package contentcoding_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/contentcoding"
)

func TestAccepted(t *testing.T) {
	const identity, gzip, zstd = contentcoding.Identity, contentcoding.Gzip, contentcoding.Zstd
	for _, test := range []struct {
		headers []string
		want    contentcoding.Coding
	}{
		{nil, identity},
		{[]string{""}, identity},
		{[]string{"gzip"}, gzip},
		{[]string{"GZip"}, gzip},
		{[]string{"x-gzip"}, gzip},
		{[]string{"gzip, deflate, br, zstd"}, zstd},
		{[]string{"gzip, deflate, br"}, gzip},
		{[]string{"gzip", "zstd"}, zstd},
		{[]string{"br, deflate"}, identity},
		{[]string{"*"}, zstd},
		{[]string{"*;q=0.1, zstd;q=0"}, gzip},
		{[]string{"*;q=0"}, identity},
		{[]string{"zstd;q=0.5, gzip;q=0.8"}, gzip},
		{[]string{"zstd ; q=0.8 , gzip ; Q=0.8"}, zstd},
		{[]string{"gzip;q=0"}, identity},
		{[]string{"gzip;q=0.000"}, identity},
		{[]string{"gzip;q=0.001"}, gzip},
		{[]string{"gzip;q=1.000"}, gzip},
		{[]string{"identity, gzip;q=0.5"}, identity},
		{[]string{"identity;q=0.5, gzip"}, gzip},
		{[]string{"identity;q=0"}, identity},
		{[]string{"gzip;q=2"}, identity},
		{[]string{"gzip;q=-1"}, identity},
		{[]string{"gzip;q=NaN"}, identity},
		{[]string{"gzip;q="}, identity},
		{[]string{"gzip;level=9"}, identity},
		{[]string{"gzip2, xgzip, zstdx"}, identity},
		{[]string{", ,gzip,,"}, gzip},
	} {
		got := contentcoding.Accepted(http.Header{"Accept-Encoding": test.headers})
		assert.Equal(t, test.want, got, "%q", test.headers)
	}
}

func TestEncode(t *testing.T) {
	readers := map[string]func(io.Reader) (io.Reader, error){
		"":     func(r io.Reader) (io.Reader, error) { return r, nil },
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderMaxMemory(2<<20)) },
	}
	contents := [][]byte{nil, []byte("{}"), []byte(strings.Repeat(`{"id":"0190","username":"alice"},`, 40_000))}
	var group sync.WaitGroup
	for _, coding := range append(contentcoding.All[:], contentcoding.Identity) {
		for _, content := range contents {
			for range 4 { // encoders are shared
				group.Go(func() {
					reader, err := readers[coding.String()](bytes.NewReader(coding.Encode(content)))
					if !assert.NoError(t, err) {
						return
					}
					decoded, err := io.ReadAll(reader)
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(content, decoded), coding.String())
				})
			}
		}
	}
	group.Wait()
	long := contents[len(contents)-1]
	for _, coding := range contentcoding.All {
		require.Less(t, len(coding.Encode(long)), len(long)/10, coding.String())
	}
}
