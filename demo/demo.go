// Package demo fills a development database with movies, accounts and a room to try things with, and serves clips.
package demo

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/demo/clip"
	"github.com/watchparty/watchparty/store"
)

// Password is the password of every demo account.
const Password = "watchparty-demo"

// Admin is the email address of the demo account that is an admin.
const Admin = "admin@watchparty.test"

// Accounts returns the email addresses of the demo accounts.
func Accounts() []string {
	emails := make([]string, 0, len(accounts))
	for _, a := range accounts {
		emails = append(emails, a.Email)
	}
	return emails
}

var accounts = []watchparty.Registration{
	{Username: "admin", Email: Admin, DisplayName: "Ada Admin"},
	{Username: "alice", Email: "alice@watchparty.test", DisplayName: "Alice"},
	{Username: "bob", Email: "bob@watchparty.test", DisplayName: "Bob"},
}

//go:embed movies.json
var moviesJSON []byte

// Fill adds the movies, the accounts and the room that do not exist yet. The base is the address at which the API
// serves Media.
func Fill(ctx context.Context, s *store.Store, passwords *auth.Passwords, base string) error {
	movies, err := Movies(base)
	if err != nil {
		return err
	}
	if err := s.AddMovies(ctx, movies); err != nil {
		return err
	}
	for _, account := range accounts {
		if err := addAccount(ctx, s, passwords, account); err != nil {
			return fmt.Errorf("demo account %s: %w", account.Username, err)
		}
	}
	if err := addRoom(ctx, s); err != nil {
		return fmt.Errorf("demo room: %w", err)
	}
	_, err = s.GrantAdmin(ctx, Admin)
	return err
}

// addAccount creates an account with a confirmed address. It also confirms the address of an existing account, since
// the process that created it may have ended in between.
func addAccount(ctx context.Context, s *store.Store, passwords *auth.Passwords, account watchparty.Registration) error {
	if _, _, err := s.Credentials(ctx, account.Email); err == nil {
		return confirm(ctx, s, account.Email)
	}
	hash, err := passwords.Hash(ctx, Password)
	if err != nil {
		return err
	}
	_, err = s.CreateUser(ctx, account, hash)
	if missing := confirm(ctx, s, account.Email); missing != nil { // otherwise another process has created it
		return cmp.Or(err, missing)
	}
	return nil
}

// confirm confirms the account's address, as the link in its email does.
func confirm(ctx context.Context, s *store.Store, email string) error {
	user, _, err := s.Credentials(ctx, email)
	if err != nil || !user.EmailVerifiedAt.IsZero() {
		return err
	}
	asked, err := s.FirstVerification(ctx, user.ID)
	if err == nil {
		err = s.VerifyEmail(ctx, asked.ID)
	}
	if watchparty.IsKind(err, watchparty.KindNotFound) { // confirmed, or its link has expired, which GrantAdmin reports
		err = nil
	}
	return err
}

// Movies returns movies that are in the public domain in the United States, published before 1930 or without a valid
// notice or renewal, and those of the clips, which alone have something to stream. The base is the address at which the
// API serves Media.
func Movies(base string) ([]watchparty.Movie, error) {
	var rows []struct {
		Title          string   `json:"title"`
		Year           int      `json:"year"`
		RuntimeMinutes int      `json:"runtime_minutes"`
		Genres         []string `json:"genres"`
		Description    string   `json:"description"`
		Clip           string   `json:"clip"`
	}
	if err := json.Unmarshal(moviesJSON, &rows); err != nil {
		return nil, fmt.Errorf("demo movies: %w", err)
	}
	movies := make([]watchparty.Movie, 0, len(rows))
	for _, r := range rows {
		m := watchparty.Movie{
			Title: r.Title, Year: r.Year, RuntimeMinutes: r.RuntimeMinutes, Genres: r.Genres, Description: r.Description,
			PosterURL: base + posterPath(r.Title),
		}
		if r.Clip != "" {
			m.StreamURL, m.DurationMS = base+clipPath(r.Clip), clip.Seconds*1000
		}
		movies = append(movies, m)
	}
	return movies, nil
}
