package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var httpClient = &http.Client{Timeout: 60 * time.Second}

// client sends requests to the API as one user, or without a sign-in if it has no token.
type client struct {
	base  string // with /api
	token string
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// decode reads the body as JSON.
func (a answer) decode(t require.TestingT, into any) {
	require.NoError(t, json.Unmarshal(a.body, into), "%s", a.body)
}

// object reads the body as a JSON object.
func (a answer) object(t require.TestingT) map[string]any {
	var o map[string]any
	a.decode(t, &o)
	return o
}

// data is the object under "data".
func (a answer) data(t require.TestingT) map[string]any {
	data, ok := a.object(t)["data"].(map[string]any)
	require.True(t, ok, "%s", a.body)
	return data
}

// list is the array under "data".
func (a answer) list(t require.TestingT) []any {
	data, ok := a.object(t)["data"].([]any)
	require.True(t, ok, "%s", a.body)
	return data
}

// do sends body, if any, as JSON.
func (c client) do(t require.TestingT, method, path string, body any) answer {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, c.base+path, reader)
	require.NoError(t, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.send(t, request)
}

func (c client) get(t require.TestingT, path string) answer {
	return c.do(t, http.MethodGet, path, nil)
}

func (c client) post(t require.TestingT, path string, body any) answer {
	return c.do(t, http.MethodPost, path, body)
}

// postUntilTaken posts again what a busy server refuses, as soon as its answers say.
func (c client) postUntilTaken(t require.TestingT, path string, body any) answer {
	for end := time.Now().Add(longWait); ; {
		got := c.post(t, path, body)
		wait, err := strconv.Atoi(got.header.Get("Retry-After"))
		if got.status != http.StatusServiceUnavailable || err != nil || time.Now().After(end) {
			return got
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

// putAvatar uploads a picture.
func (c client) putAvatar(t require.TestingT, picture []byte) answer {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("avatar", "picture")
	require.NoError(t, err)
	_, err = part.Write(picture)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	request, err := http.NewRequest(http.MethodPut, c.base+"/users/me/avatar", &form)
	require.NoError(t, err)
	request.Header.Set("Content-Type", w.FormDataContentType())
	return c.send(t, request)
}

func (c client) send(t require.TestingT, request *http.Request) answer {
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// fetch reads any address.
func fetch(t require.TestingT, url string) answer {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	return client{}.send(t, request)
}

// signIn reads what register, login and refresh answer.
func (a answer) signIn(t require.TestingT) signedIn {
	var got struct{ Data signedIn }
	a.decode(t, &got)
	return got.Data
}

type signedIn struct {
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Email    string `json:"email"`
	} `json:"user"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

const password = "correct horse battery staple"

// register makes an account and returns a client that acts for it.
func (c client) register(t require.TestingT, username, displayName string) (client, signedIn) {
	got := c.postUntilTaken(t, "/auth/register", map[string]string{
		"username": username, "email": username + "@people.example", "password": password, "display_name": displayName,
	})
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	account := got.signIn(t)
	return client{base: c.base, token: account.AccessToken}, account
}

// login signs in.
func (c client) login(t require.TestingT, email, password string) client {
	got := c.postUntilTaken(t, "/auth/login", map[string]string{"email": email, "password": password})
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	return client{base: c.base, token: got.signIn(t).AccessToken}
}

// emails are what the inbox holds, newest first.
type emails struct {
	Total    int `json:"total"`
	Messages []struct {
		ID        string
		MessageID string
		Subject   string
		To        []struct{ Name, Address string }
	} `json:"messages"`
}

func readInbox(t require.TestingT, base string) emails {
	got := fetch(t, base+"/api/v1/messages?limit=1000")
	require.Equal(t, http.StatusOK, got.status)
	var m emails
	got.decode(t, &m)
	return m
}

// counted says how many emails each address got.
func (m emails) counted() map[string]int {
	counts := map[string]int{}
	for _, message := range m.Messages {
		for _, to := range message.To {
			counts[to.Address]++
		}
	}
	return counts
}

// longWait bounds a wait for what takes seconds on an idle machine. A test that passes does not wait for so long.
const longWait = 2 * time.Minute

// eventually repeats check until it holds.
func eventually(t testing.TB, check func(c *assert.CollectT), message string) {
	t.Helper()
	require.EventuallyWithT(t, check, longWait, 50*time.Millisecond, message)
}
