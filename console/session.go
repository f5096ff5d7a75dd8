package console

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/auth"
)

const (
	// maxSession is how long a sign-in to the console lasts.
	maxSession = 12 * time.Hour
	// maxForm is the size of a form in bytes: a movie's texts, escaped, as they were shown and as they are typed.
	maxForm = 256 << 10
)

type identityKey struct{}

func usernameOf(ctx context.Context) string {
	id, _ := ctx.Value(identityKey{}).(auth.Identity)
	return id.Username
}

// cookie returns a cookie that only this console gets. Browsers accept the prefix __Host- over https only.
func (c *Console) cookie(name, value string, age time.Duration) *http.Cookie {
	cookie := &http.Cookie{ //nolint:gosec // without Secure only if there is no https
		Name: c.cookieName(name), Value: value, Path: Base, MaxAge: int(age.Seconds()), Secure: c.Secure, HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}
	if c.Secure {
		cookie.Path = "/" // as the prefix demands
	}
	return cookie
}

func (c *Console) cookieName(name string) string {
	if c.Secure {
		return "__Host-console-" + name
	}
	return "console-" + name
}

// admins lets a request through only if its account is an admin now. Others are sent to the sign-in.
func (c *Console) admins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(c.cookieName("session"))
		if err != nil {
			c.toSignIn(w, r)
			return
		}
		id, err := c.Session(r.Context(), cookie.Value, maxSession)
		if errors.Is(err, watchparty.ErrUnauthenticated) {
			http.SetCookie(w, c.cookie("session", "", -1))
			c.toSignIn(w, r)
			return
		}
		if err != nil {
			c.failed(w, r, view{Title: "Sign-in"}, err)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), identityKey{}, id))
		var account contract.AccountAnswer
		if err := c.get(r, "/users/me", &account); err != nil {
			c.failed(w, r, view{Title: "Not shown"}, err)
			return
		}
		if !account.Data.IsAdmin {
			c.render(w, r, http.StatusForbidden, view{Title: "Not allowed", Template: "message",
				Problem: "This account is not an admin."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// signInForm is what the page of the sign-in shows.
type signInForm struct {
	Email string
	Next  string // the page that follows
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusOK, view{Title: "Sign in", Template: "sign-in", Data: signInForm{Next: r.FormValue("next")}})
}

// toSignIn asks for a sign-in, which leads back to the page that was asked for, or that a form was on.
func (c *Console) toSignIn(w http.ResponseWriter, r *http.Request) {
	to, next := Base+"/sign-in", r.URL.RequestURI()
	if r.Method == http.MethodPost {
		next = cameFrom(r)
		c.leaveNotice(w, "The sign-in has ended. Nothing was done.")
	}
	if next != "" && next != Base {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// pageOf returns the address of a page of the console, and the overview for any other address.
func pageOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host == "" && strings.HasPrefix(u.Path, Base+"/") {
		return u.RequestURI()
	}
	return Base
}

// signIn signs an admin in. An account without the rights is signed out again at once.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	v := view{Title: "Sign in", Template: "sign-in", Data: signInForm{r.PostFormValue("email"), r.PostFormValue("next")}}
	var in contract.SignedInAnswer
	err := c.send(r, http.MethodPost, "/auth/login",
		contract.LoginRequest{Email: r.PostFormValue("email"), Password: r.PostFormValue("password")}, &in)
	var p *problem
	if errors.As(err, &p) {
		v.Problem = p.Error()
		c.render(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		c.failed(w, r, v, err)
		return
	}
	if !in.Data.User.IsAdmin {
		c.end(r, in.Data.RefreshToken)
		v.Problem = "This account is not an admin."
		c.render(w, r, http.StatusForbidden, v)
		return
	}
	http.SetCookie(w, c.cookie("session", in.Data.RefreshToken, maxSession))
	http.Redirect(w, r, pageOf(r.PostFormValue("next")), http.StatusSeeOther) //nolint:gosec // a page of the console
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(c.cookieName("session")); err == nil {
		c.end(r, cookie.Value)
	}
	http.SetCookie(w, c.cookie("session", "", -1))
	http.Redirect(w, r, Base+"/sign-in", http.StatusSeeOther)
}

// end ends a sign-in.
func (c *Console) end(r *http.Request, token string) {
	err := c.send(r, http.MethodPost, "/auth/logout", contract.LogoutJSONRequestBody{RefreshToken: token}, nil)
	if err != nil {
		c.Log.WarnContext(r.Context(), "console sign-in not ended", slog.Any("error", err))
	}
}

// leaveNotice makes the next page say something.
func (c *Console) leaveNotice(w http.ResponseWriter, text string) {
	http.SetCookie(w, c.cookie("notice", base64.RawURLEncoding.EncodeToString([]byte(text)), time.Minute))
}

func (c *Console) takeNotice(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(c.cookieName("notice"))
	if err != nil {
		return ""
	}
	http.SetCookie(w, c.cookie("notice", "", -1))
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(text) > 500 {
		return ""
	}
	return string(text)
}
