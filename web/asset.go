package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
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
	zipped      []byte // the same by gzip; nil for none
}

func newAsset(contentType string, content, zipped []byte) asset {
	sum := sha256.Sum256(content)
	return asset{contentType: contentType, hash: hex.EncodeToString(sum[:16]), content: content, zipped: zipped}
}

// serve answers ranges and conditions, too.
func (a asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	h := w.Header()
	content, etag := a.content, a.hash
	if a.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r.Header) {
			content, etag = a.zipped, a.hash+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", cacheControl)
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip evaluates Accept-Encoding (RFC 9110, 12.5.3).
func takesGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(part, " ", "")), ";")
		if coding == "gzip" {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
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
		all[path.Base(name)] = newAsset(mime.TypeByExtension(path.Ext(name)), content, zip(content))
	}
	return all, nil
}

// zip compresses a file if that makes it smaller, and returns nil otherwise.
func zip(content []byte) []byte {
	var b bytes.Buffer
	writer := gzip.NewWriter(&b)
	_, _ = writer.Write(content) // a buffer never fails
	_ = writer.Close()
	if b.Len() > len(content)*9/10 {
		return nil
	}
	return b.Bytes()
}
