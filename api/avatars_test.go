package api

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

const avatarPath = "/users/me/avatar"

// pictures are one of each format that is taken.
func pictures(t *testing.T) map[string][]byte {
	t.Helper()
	var jpg, gifs bytes.Buffer
	require.NoError(t, jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 8, 8)), nil))
	require.NoError(t, gif.Encode(&gifs, image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black}), nil))
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	require.NoError(t, err)
	return map[string][]byte{
		"image/png":  picture(8, 8),
		"image/jpeg": jpg.Bytes(),
		"image/gif":  gifs.Bytes(),
		"image/webp": webp,
	}
}

func TestAvatarLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	file := picture(8, 8)
	b.do(t, "GET", avatarPath, alice.token, nil).requireProblem(t, 404, "not_found")

	a := b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", file}))
	require.Equal(t, 202, a.status, a)
	require.Equal(t, []any{"processing", "queued", 1.0}, []any{a.data()["status"], a.data()["step"], a.data()["version"]})
	require.Equal(t, generated(alice), a.data()["avatar"])
	require.Equal(t, a.data(), b.do(t, "GET", avatarPath, alice.token, nil).data())
	upload := watchparty.Avatar{UserID: alice.id, Version: 1}
	stored, err := b.bucket.ReadAll(t.Context(), upload.OriginalObject())
	require.NoError(t, err)
	require.Equal(t, file, stored)
	var events int
	require.NoError(
		t,
		b.store.DB().
			NewRaw("SELECT count(*) FROM outbox WHERE workflow_id = ?", "avatar/"+alice.id+"/1").
			Scan(t.Context(), &events),
	)
	require.Equal(t, 1, events)

	require.NoError(t, b.bucket.WriteAll(t.Context(), upload.Object(watchparty.MediumFile), []byte("RIFF medium"), nil))
	_, err = b.store.BeginAvatar(t.Context(), alice.id, 1)
	require.NoError(t, err)
	require.Equal(t, "rendering", b.do(t, "GET", avatarPath, alice.token, nil).data()["step"])
	files := []string{watchparty.ThumbnailFile, watchparty.MediumFile, watchparty.LargeFile, watchparty.PNGFile}
	require.NoError(t, b.store.MarkAvatarRendered(t.Context(), alice.id, 1, files))
	require.Equal(t, "publishing", b.do(t, "GET", avatarPath, alice.token, nil).data()["step"])
	_, err = b.store.PublishAvatar(t.Context(), alice.id, 1)
	require.NoError(t, err)
	base := "https://party.example/api/files/avatars/" + alice.id + "/1/"
	addresses := map[string]any{
		"default":   false,
		"thumbnail": base + "thumbnail.webp",
		"medium":    base + "medium.webp",
		"large":     base + "large.webp",
		"plain":     base + "medium.png",
	}
	ready := b.do(t, "GET", avatarPath, alice.token, nil).data()
	require.Equal(t, []any{"ready", nil}, []any{ready["status"], ready["step"]})
	require.Equal(t, addresses, b.do(t, "GET", "/users/me", alice.token, nil).data()["avatar"])
	require.Equal(t, addresses, b.do(t, "GET", "/users/alice", "", nil).data()["avatar"])
	file1 := strings.TrimPrefix(addresses["medium"].(string), "https://party.example/api")
	require.Equal(t, 200, b.do(t, "GET", file1, "", nil).status)

	second := b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", file}))
	require.EqualValues(t, 2, second.data()["version"])
	require.Equal(t, addresses, second.data()["avatar"], "the first stays until the second is ready")
	require.NoError(t, b.store.FailAvatar(t.Context(), alice.id, 2, "The picture is damaged."))
	failed := b.do(t, "GET", avatarPath, alice.token, nil).data()
	require.Equal(t, []any{"failed", "The picture is damaged."}, []any{failed["status"], failed["reason"]})

	require.Equal(t, 204, b.do(t, "DELETE", avatarPath, alice.token, nil).status)
	require.Equal(t, generated(alice), b.do(t, "GET", "/users/alice", "", nil).data()["avatar"])
	require.Equal(t, 204, b.do(t, "DELETE", avatarPath, alice.token, nil).status)
	var promised []string
	require.NoError(t,
		b.store.DB().NewRaw("SELECT workflow_id FROM outbox WHERE workflow_id LIKE '%/removal'").Scan(t.Context(), &promised))
	require.Equal(t, []string{"avatar/" + alice.id + "/1/removal"}, promised, "once")

	b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", file}))
	require.Equal(t, 204, b.do(t, "DELETE", avatarPath, alice.token, nil).status)
	b.do(t, "GET", avatarPath, alice.token, nil).requireProblem(t, 404, "not_found")
}

// generated has the addresses of the generated avatar of an account.
func generated(p person) map[string]any {
	base := "https://party.example/api/files/avatars/" + p.id + "/"
	picture := base + "default.svg"
	return map[string]any{
		"default":   true,
		"thumbnail": picture,
		"medium":    picture,
		"large":     picture,
		"plain":     base + "default.png",
	}
}

// TestAvatarAddresses: each address leads to an existing file, whichever files exist.
func TestAvatarAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files        []string
		large, plain string
	}{
		"large and opaque": {[]string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}, "large.webp",
			"medium.jpg"},
		"small with holes":         {[]string{"thumbnail.webp", "medium.webp", "medium.png"}, "medium.webp", "medium.png"},
		"of before there was more": {nil, "medium.webp", "medium.webp"},
	} {
		s := &Server{}
		s.cfg.HTTP.PublicURL = "https://party.example"
		urls := s.avatarURLs(watchparty.Person{ID: unknownID, AvatarVersion: 7, AvatarFiles: c.files})
		base := "https://party.example/api/files/avatars/" + unknownID + "/7/"
		require.Equal(
			t,
			contract.AvatarURLs{
				Thumbnail: base + "thumbnail.webp",
				Medium:    base + "medium.webp",
				Large:     base + c.large,
				Plain:     base + c.plain,
			},
			urls,
			name,
		)
	}
}

func TestDefaultAvatar(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway) // nobody is looked up
	get := func(id string, headers ...string) answer {
		r := b.request(t, "GET", "/files/avatars/"+id+"/default.svg", "", nil)
		if len(headers) > 0 {
			r.Header.Set("If-None-Match", headers[0])
		}
		return b.send(t, r)
	}
	a := get(unknownID)
	require.Equal(t, 200, a.status)
	require.Equal(t, "image/svg+xml", a.header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", a.header.Get("Cache-Control"))
	require.Equal(t, "default-src 'none'; frame-ancestors 'none'", a.header.Get("Content-Security-Policy"))
	require.Contains(t, string(a.raw), "<svg ")
	require.NotContains(t, string(a.raw), unknownID)
	require.Equal(t, a.raw, get(unknownID).raw)
	require.NotEqual(t, a.raw, get(strings.ReplaceAll(unknownID, "dead", "beef")).raw)
	require.Equal(t, 304, get(unknownID, a.header.Get("ETag")).status)
	plain := b.do(t, "GET", "/files/avatars/"+unknownID+"/default.png", "", nil)
	require.Equal(t, "image/png", plain.header.Get("Content-Type"))
	require.Equal(t, "image/png", http.DetectContentType(plain.raw))
	require.NotEqual(t, a.header.Get("ETag"), plain.header.Get("ETag"))
	b.do(t, "GET", "/files/avatars/"+unknownID+"/default.gif", "", nil).requireProblem(t, 400, "invalid_request")
	for _, id := range []string{"x", "%3Cscript%3E", unknownID + "0"} {
		require.Equal(t, 400, get(id).status, id)
	}
}

// TestAvatarFilesElsewhere: with a CDN the bucket is not asked.
func TestAvatarFilesElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway, func(s *settings) { s.config.Avatar.CDNURL = "https://cdn.example/party" })
	b.server.bucket = nil
	a := b.do(t, "GET", "/files/avatars/"+unknownID+"/7/medium.jpg", "", nil)
	require.Equal(t, 302, a.status)
	require.Equal(t, "https://cdn.example/party/avatars/"+unknownID+"/7/medium.jpg", a.header.Get("Location"))
	require.Equal(t, "public, max-age=300", a.header.Get("Cache-Control"), "there may be another CDN tomorrow")
	require.Equal(t, 400, b.do(t, "GET", "/files/avatars/"+unknownID+"/7/original", "", nil).status)
	require.Equal(t, 200, b.do(t, "GET", "/files/avatars/"+unknownID+"/default.svg", "", nil).status)
}

func TestAvatarFormats(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	for format, data := range pictures(t) {
		// The name and type of the file do not matter, only its content.
		for _, says := range []string{
			format, "", "application/octet-stream", "text/plain", "application/json", "image/x-unknown", ";;",
		} {
			a := b.send(t, b.upload(t, alice.token, part{"avatar", "picture", says, data}))
			require.Equal(t, 202, a.status, "%s sent as %q: %s", format, says, a)
		}
	}
	large := append(picture(8, 8), make([]byte, b.cfg.Avatar.MaxUploadBytes)...)[:b.cfg.Avatar.MaxUploadBytes]
	require.Equal(t, 202, b.send(t, b.upload(t, alice.token, part{"avatar", "me.png", "image/png", large})).status,
		"as large as allowed")
	require.Equal(
		t, 202, b.send(t, b.upload(t, alice.token, part{"avatar", "../../\"x\r\n.png", "image/png", picture(8, 8)})).status,
	)
}

func TestAvatarsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	before := b.rows(t)
	limit := int(b.cfg.Avatar.MaxUploadBytes)
	large := append(picture(8, 8), make([]byte, limit)...)
	wide := picture(8, 8)
	binary.BigEndian.PutUint32(wide[16:], 50_000)
	binary.BigEndian.PutUint32(wide[20:], 50_000)
	binary.BigEndian.PutUint32(wide[29:], crc32.ChecksumIEEE(wide[12:29]))
	one := func(data []byte) []part { return []part{{"avatar", "me.jpg", "image/jpeg", data}} }
	cases := map[string]struct {
		parts  []part
		status int
		code   string
	}{
		"one byte too large":   {one(large[:limit+1]), 413, "avatar_too_large"},
		"text":                 {one([]byte("This is no picture.")), 415, "avatar_unsupported_format"},
		"HTML":                 {one([]byte("<html><script>alert(1)</script>")), 415, "avatar_unsupported_format"},
		"SVG":                  {one([]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)), 415, "avatar_unsupported_format"},
		"BMP":                  {one([]byte("BM" + strings.Repeat("\x00", 100))), 415, "avatar_unsupported_format"},
		"PDF":                  {one([]byte("%PDF-1.7\n" + strings.Repeat("x", 100))), 415, "avatar_unsupported_format"},
		"magic bytes alone":    {one([]byte("\x89PNG\r\n\x1a\n")), 400, "avatar_unreadable"},
		"cut in the header":    {one(picture(8, 8)[:20]), 400, "avatar_unreadable"},
		"empty":                {one(nil), 400, "avatar_empty"},
		"too many pixels":      {one(wide), 400, "avatar_too_many_pixels"},
		"no file":              {nil, 400, "invalid_request"},
		"another field":        {[]part{{"picture", "me.png", "image/png", picture(8, 8)}}, 400, "invalid_request"},
		"a field without name": {[]part{{"", "me.png", "image/png", picture(8, 8)}}, 400, "invalid_request"},
		"two files":            {append(one(picture(8, 8)), one(picture(9, 9))...), 400, "invalid_request"},
		"a file too many": {
			append(one(picture(8, 8)), part{"cover", "c.png", "image/png", picture(9, 9)}),
			400,
			"invalid_request",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := b.send(t, b.upload(t, alice.token, c.parts...))
			a.requireProblem(t, c.status, c.code)
			require.NotEmpty(t, a.fields(), a)
			if strings.HasPrefix(c.code, "avatar_") {
				require.Equal(t, []string{"avatar"}, a.fields())
			}
		})
	}
	t.Run("far too large", func(t *testing.T) {
		huge := one(make([]byte, 2*limit))
		announced, chunked, anonymous := b.upload(t, alice.token, huge...), b.upload(t, alice.token, huge...),
			b.upload(t, "", huge...)
		chunked.ContentLength = -1
		for _, r := range []*http.Request{announced, chunked, anonymous} {
			a := b.serve(t, r)
			a.requireProblem(t, 413, "avatar_too_large")
			require.Equal(t, []string{"avatar"}, a.fields())
		}
	})
	t.Run("broken forms", func(t *testing.T) {
		good := b.upload(t, alice.token, one(picture(8, 8))...)
		form, err := io.ReadAll(good.Body)
		require.NoError(t, err)
		boundary := good.Header.Get("Content-Type")
		for name, c := range map[string]struct{ contentType, body string }{
			"cut":              {boundary, string(form[:len(form)-20])},
			"without its end":  {boundary, strings.TrimSuffix(string(form), "--\r\n")},
			"another boundary": {"multipart/form-data; boundary=other", string(form)},
			"no boundary":      {"multipart/form-data", string(form)},
			"empty boundary":   {`multipart/form-data; boundary=""`, string(form)},
			"long boundary":    {"multipart/form-data; boundary=" + strings.Repeat("x", 5000), string(form)},
			"no form":          {boundary, "garbage"},
			"only its end": {boundary, strings.TrimSpace("--" + strings.TrimPrefix(boundary,
				"multipart/form-data; boundary=") + "--")},
			"nothing": {boundary, ""},
			"headers without end": {
				boundary, strings.Replace(string(form), "\r\n\r\n", "\r\nX-Pad: "+strings.Repeat("x", 60_000)+"\r\n", 1),
			},
			"many headers": {boundary, strings.Replace(string(form), "\r\n\r\n",
				strings.Repeat("\r\nX: y", 11_000)+"\r\n\r\n", 1)},
		} {
			t.Run(name, func(t *testing.T) {
				r := b.request(t, "PUT", avatarPath, alice.token, c.body)
				r.Header.Set("Content-Type", c.contentType)
				a := b.send(t, r)
				a.requireProblem(t, 400, "invalid_request")
				require.NotEmpty(t, a.fields(), a)
			})
		}
	})
	t.Run("other content types", func(t *testing.T) {
		for _, contentType := range []string{
			"", "application/json", "image/png", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded",
		} {
			r := b.request(t, "PUT", avatarPath, alice.token, string(picture(8, 8)))
			r.Header.Set("Content-Type", contentType)
			b.send(t, r).requireProblem(t, 415, "unsupported_media_type")
		}
	})
	require.Equal(t, before, b.rows(t), "something was stored")
	_, err := b.bucket.List(nil).Next(t.Context())
	require.ErrorIs(t, err, io.EOF, "a file was stored")
}

func TestAvatarFiles(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	base := "/files/avatars/" + w.alice.id + "/1/"
	get := func(t *testing.T, name string, headers ...string) answer {
		r := w.request(t, "GET", base+name, "", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return w.send(t, r)
	}
	whole := get(t, "medium.webp")
	require.Equal(t, 200, whole.status)
	require.Equal(t, "RIFF medium.webp", string(whole.raw))
	require.Equal(t, "image/webp", whole.header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", whole.header.Get("Cache-Control"))
	require.Equal(t, "bytes", whole.header.Get("Accept-Ranges"))
	require.Equal(t, "default-src 'none'; frame-ancestors 'none'", whole.header.Get("Content-Security-Policy"))
	for name, contentType := range map[string]string{
		"thumbnail.webp": "image/webp", "large.webp": "image/webp", "medium.jpg": "image/jpeg", "medium.png": "image/png",
	} {
		require.Equal(t, contentType, get(t, name).header.Get("Content-Type"), name)
	}
	etag := whole.header.Get("ETag")
	require.NotEmpty(t, etag)
	require.NotEqual(t, etag, get(t, "thumbnail.webp").header.Get("ETag"))

	t.Run("not modified", func(t *testing.T) {
		for _, header := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
			a := get(t, "medium.webp", "If-None-Match", header)
			require.Equal(t, 304, a.status, header)
			require.Equal(t, etag, a.header.Get("ETag"))
		}
		require.Equal(t, 200, get(t, "medium.webp", "If-None-Match", `"other"`).status)
	})
	t.Run("ranges", func(t *testing.T) {
		for header, want := range map[string]string{
			"bytes=0-3": "RIFF", "bytes=5-": "medium.webp", "bytes=-4": "webp", "bytes=12-9999": "webp",
		} {
			a := get(t, "medium.webp", "Range", header)
			require.Equal(t, 206, a.status, header)
			require.Equal(t, want, string(a.raw))
			require.Regexp(t, `^bytes \d+-\d+/16$`, a.header.Get("Content-Range"))
		}
		// Several at once need not be served as such.
		for _, header := range []string{
			"bytes=0-3,5-7", "bytes=0-3,2-5", "bytes=0-0,-1", "bytes=0-3," + strings.Repeat("1-1,", 500), "bytes=100-,0-1",
		} {
			several := get(t, "medium.webp", "Range", header)
			require.Equal(t, []any{200, whole.raw}, []any{several.status, several.raw}, header)
		}
	})
	t.Run("no such range", func(t *testing.T) {
		for _, header := range []string{
			"bytes=16-", "Bytes=100-200", "bytes=x", "bytes=3-1", "bytes=-0", "bytes=-", "bytes=", "bytes=99999999999999999999-",
		} {
			a := get(t, "medium.webp", "Range", header)
			require.Equal(t, http.StatusRequestedRangeNotSatisfiable, a.status, header)
			require.Equal(t, "range_not_satisfiable", a.code())
			require.Equal(t, "bytes */16", a.header.Get("Content-Range"), header)
			require.Equal(t, 304, get(t, "medium.webp", "Range", header, "If-None-Match", etag).status, header)
		}
	})
	t.Run("other units", func(t *testing.T) {
		for _, header := range []string{
			"lines=0-3", "items=1", "seconds", "", "bytesx=0-3", "none=" + strings.Repeat("x", 1000),
		} {
			a := get(t, "medium.webp", "Range", header)
			require.Equal(t, []any{200, whole.raw}, []any{a.status, a.raw}, header)
		}
		for _, header := range []string{"Bytes=0-3", "BYTES=0-3", "bYtEs=0-3"} {
			require.Equal(t, 206, get(t, "medium.webp", "Range", header).status, header)
		}
	})
	t.Run("if it is still the same", func(t *testing.T) {
		for header, status := range map[string]int{
			etag: 206, "W/" + etag: 200, `"other"`: 200, "garbage": 200, "Wed, 21 Oct 2015 07:28:00 GMT": 200, "*": 200,
		} {
			a := get(t, "medium.webp", "Range", "bytes=0-3", "If-Range", header)
			require.Equal(t, status, a.status, header)
			require.Equal(t, etag, a.header.Get("ETag"))
			require.Equal(t, 200, get(t, "medium.webp", "If-Range", header).status, "without a range it says nothing")
		}
		get(t, "medium.webp", "Range", "bytes=0-3", "If-Match", `"other"`).requireProblem(t, 412, "precondition_failed")
		get(t, "medium.webp", "Range", "bytes=0-3", "If-Match", "W/"+etag).requireProblem(t, 412, "precondition_failed")
		require.Equal(t, 206, get(t, "medium.webp", "Range", "bytes=0-3", "If-Match", `"other", `+etag).status)
	})
	t.Run("the generated picture has parts, too", func(t *testing.T) {
		r := w.request(t, "GET", "/files/avatars/"+w.alice.id+"/default.svg", "", nil)
		r.Header.Set("Range", "Bytes=0-3")
		a := w.send(t, r)
		require.Equal(t, []any{206, "<svg"}, []any{a.status, string(a.raw)})
	})
	t.Run("originals stay inside", func(t *testing.T) {
		for _, name := range []string{
			"original", "original.webp", "..%2f1%2foriginal", "medium.webp%2f..%2foriginal", "%2e%2e/1/original",
			"medium.webp%00",
		} {
			a := get(t, name)
			require.Contains(t, []int{400, 404}, a.status, name)
			require.NotContains(t, string(a.raw), "RIFF")
		}
		for _, path := range []string{"/files/avatars/../avatars/" + w.alice.id + "/1/original", "/files/",
			"/files/avatars/", base,
			"/files/uploads/" + w.alice.id + "/1", "/files/avatars/" + w.alice.id + "/1/..%2f..%2f..%2fuploads%2f" + w.alice.id + "%2f1"} {
			require.Contains(t, []int{301, 400, 404}, w.do(t, "GET", path, w.alice.token, nil).status, path)
		}
	})
	t.Run("version with a sign", func(t *testing.T) {
		for _, version := range []string{"+1", "01", "1.0"} {
			a := w.do(t, "GET", "/files/avatars/"+w.alice.id+"/"+version+"/medium.webp", "", nil)
			require.Less(t, a.status, 500)
		}
	})
}

// The generated picture is a file like others.
func TestRangesOfTheDefaultAvatar(t *testing.T) {
	t.Parallel()
	b := setup(t, databaseAway)
	r := b.request(t, "GET", "/files/avatars/"+unknownID+"/default.svg", "", nil)
	r.Header.Set("Range", "bytes=0-3")
	require.Equal(t, 206, b.send(t, r).status)
	r = b.request(t, "GET", "/files/avatars/"+unknownID+"/default.svg", "", nil)
	r.Header.Set("Range", "bytes=1000000-")
	b.send(t, r).requireProblem(t, 416, "range_not_satisfiable")
}
