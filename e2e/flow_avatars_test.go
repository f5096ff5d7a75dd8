package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/webp"
)

func (f *flow) avatar(t *testing.T) {
	require.Equal(t, http.StatusAccepted, f.carol.putAvatar(t, photo(t, color.RGBA{R: 200, A: 255})).status)
	f.awaitAvatar(t, f.carol, 1)
	urls := f.client.get(t, "/users/carol.lovelace").data(t)["avatar"].(map[string]any)
	requirePicture(t, urls["thumbnail"].(string), 128)
	requirePicture(t, urls["medium"].(string), 512)
	require.Equal(t, urls["medium"], urls["large"], "the picture has fewer pixels")
	require.Equal(t, "image/jpeg", fetch(t, urls["plain"].(string)).header.Get("Content-Type"))
}

// requireGenerated wants the picture of those who have none.
func requireGenerated(t *testing.T, profile map[string]any) {
	t.Helper()
	avatar := profile["avatar"].(map[string]any)
	require.Equal(t, true, avatar["default"])
	got := fetch(t, avatar["medium"].(string))
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "image/svg+xml", got.header.Get("Content-Type"))
	require.Contains(t, got.header.Get("Cache-Control"), "immutable")
}

func (f *flow) secondAvatar(t *testing.T) {
	former := f.client.get(t, "/users/carol.lovelace").data(t)["avatar"].(map[string]any)["medium"].(string)
	require.Equal(t, http.StatusAccepted, f.carol.putAvatar(t, photo(t, color.RGBA{B: 200, A: 255})).status)
	f.awaitAvatar(t, f.carol, 2)
	latter := f.client.get(t, "/users/carol.lovelace").data(t)["avatar"].(map[string]any)["medium"].(string)
	require.NotEqual(t, former, latter, "the profile's cached copy is void")
	requirePicture(t, latter, 512)
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, http.StatusNotFound, fetch(c, former).status)
	}, "the former avatar's files are removed")
}

func (f *flow) avatarTakenBack(t *testing.T) {
	require.Equal(t, http.StatusAccepted, f.dan.putAvatar(t, photo(t, color.RGBA{G: 200, A: 255})).status)
	f.awaitAvatar(t, f.dan, 1)
	file := f.client.get(t, "/users/dan-the-viewer").data(t)["avatar"].(map[string]any)["medium"].(string)
	require.Equal(t, http.StatusOK, fetch(t, file).status)
	require.Equal(t, http.StatusNoContent, f.dan.do(t, http.MethodDelete, "/users/me/avatar", nil).status)
	requireGenerated(t, f.client.get(t, "/users/dan-the-viewer").data(t))
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, http.StatusNotFound, fetch(c, file).status)
	}, "its files are removed")
}

func (f *flow) noPicture(t *testing.T) {
	got := f.carol.putAvatar(t, []byte("not a picture at all"))
	require.Equal(t, http.StatusUnsupportedMediaType, got.status)
	require.Equal(t, "avatar_unsupported_format", got.object(t)["code"])
	broken := photo(t, color.White)
	got = f.dan.putAvatar(t, append(broken[:len(broken)/8:len(broken)/8], make([]byte, 100)...))
	require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
	eventually(t, func(c *assert.CollectT) {
		upload := f.dan.get(c, "/users/me/avatar").data(c)
		require.Equal(c, "failed", upload["status"])
		require.NotEmpty(c, upload["reason"])
	}, "the upload has failed")
}

func (f *flow) awaitAvatar(t *testing.T, p person, version int) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		upload := p.get(c, "/users/me/avatar").data(c)
		require.EqualValues(c, version, upload["version"])
		require.Equal(c, "ready", upload["status"])
	}, "the avatar is ready")
}

// photo is a JPEG of one colour.
func photo(t *testing.T, c color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1200, 800))
	for y := range 800 {
		for x := range 1200 {
			picture.Set(x, y, c)
		}
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, picture, nil))
	return buf.Bytes()
}

// requirePicture fetches a WebP file and checks its size and how it may be kept.
func requirePicture(t *testing.T, url string, size int) {
	t.Helper()
	got := fetch(t, url)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "image/webp", got.header.Get("Content-Type"))
	require.Contains(t, got.header.Get("Cache-Control"), "immutable")
	picture, err := webp.Decode(bytes.NewReader(got.body))
	require.NoError(t, err)
	require.Equal(t, image.Pt(size, size), picture.Bounds().Size())
}
