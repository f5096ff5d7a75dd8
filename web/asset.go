package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/watchparty/watchparty/contentcoding"
)

// Values of Cache-Control.
const (
	kept        = "public, max-age=31536000, immutable"
	revalidated = "no-cache"
)

// asset is a file in memory.
type asset struct {
	contentType string
	hash        string
	content     []byte
	encoded     func() map[contentcoding.Coding][]byte // by the codings that make it smaller
}

func newAsset(contentType string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{
		contentType: contentType, hash: hex.EncodeToString(sum[:16]), content: content,
		encoded: sync.OnceValue(func() map[contentcoding.Coding][]byte { return encode(content) }),
	}
}

// serve answers ranges and conditions, too.
func (a asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	h := w.Header()
	content, etag := a.content, a.hash
	if encoded := a.encoded(); len(encoded) > 0 {
		h.Add("Vary", "Accept-Encoding")
		coding := contentcoding.Accepted(r.Header)
		if smaller := encoded[coding]; smaller != nil {
			content, etag = smaller, a.hash+"-"+coding.String()
			h.Set("Content-Encoding", coding.String())
		}
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", cacheControl)
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// readAssets reads the embedded files.
func readAssets() (map[string]asset, error) {
	names, err := fs.Glob(files, "assets/*.*")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	all := map[string]asset{}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		all[path.Base(name)] = newAsset(mime.TypeByExtension(path.Ext(name)), content)
	}
	return all, nil
}

// encode compresses a file in each way that makes it smaller.
func encode(content []byte) map[contentcoding.Coding][]byte {
	encoded := map[contentcoding.Coding][]byte{}
	for _, coding := range contentcoding.All {
		if smaller := coding.Encode(content); len(smaller) < len(content)*9/10 {
			encoded[coding] = smaller
		}
	}
	return encoded
}
