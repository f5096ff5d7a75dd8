package migrations_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/migrations"
)

// old is a database whose rows a version wrote that did not know of keys: the key is gone again, as if never computed.
type old struct {
	*bun.DB
	t     *testing.T
	users int
}

func openOld(t *testing.T) *old {
	t.Helper()
	o := &old{DB: openDatabase(t, stacktest.DatabaseURL(t)), t: t}
	_, err := migrations.Up(t.Context(), o.DB)
	require.NoError(t, err)
	return o
}

func (o *old) execute(query string, args ...any) {
	o.t.Helper()
	_, err := o.ExecContext(o.t.Context(), query, args...)
	require.NoError(o.t, err)
}

// addUser adds an account, each younger than the one before, and returns its ID.
func (o *old) addUser(email string, confirmed bool) (id string) {
	o.t.Helper()
	o.users++
	require.NoError(
		o.t,
		o.NewRaw(`INSERT INTO users (id, username, email, display_name, password_hash, created_at, email_verified_at)
		VALUES (gen_random_uuid(), ?, ?, '', '', now() - interval '1 day' + ? * interval '1 s', CASE WHEN ? THEN now() END) RETURNING id`,
			fmt.Sprintf("user%d", o.users), email, o.users, confirmed).Scan(o.t.Context(), &id),
	)
	return id
}

func (o *old) clearKeys() {
	o.t.Helper()
	for _, table := range []string{"users", "invitations", "email_verifications"} {
		o.execute("UPDATE ? SET email_key = NULL", bun.Ident(table))
	}
}

func (o *old) migrateUp() {
	o.t.Helper()
	_, err := migrations.Up(o.t.Context(), o.DB)
	require.NoError(o.t, err)
}

func (o *old) readKey(table, id string) (key string) {
	o.t.Helper()
	require.NoError(o.t, o.NewRaw("SELECT email_key FROM ? WHERE id = ?", bun.Ident(table), id).
		Scan(o.t.Context(), &key))
	return key
}

func TestAddressesGetTheirKeys(t *testing.T) {
	t.Parallel()
	o := openOld(t)
	want := map[string]string{
		o.addUser("Bob@Example.ORG", false):                     "bob@example.org",
		o.addUser("anna@bücher.example", true):                  "anna@xn--bcher-kva.example",
		o.addUser("andre\u0301@example.org", false):             "andr\u00e9@example.org",
		o.addUser("No_Address@foo_bar.example", true):           ":no_address@foo_bar.example",
		o.addUser("0198f2b0-0000@deleted.invalid", false):       ":0198f2b0-0000@deleted.invalid",
		o.addUser("a..b@example.org", false):                    "a..b@example.org",
		o.addUser("hans@xn--bcher-kva.example", false):          ":hans@xn--bcher-kva.example",
		o.addUser("hans@bücher.example", true):                  "hans@xn--bcher-kva.example", // younger, but confirmed
		o.addUser("HANS@bu\u0308cher.example", true):            ":hans@bu\u0308cher.example", // confirmed, but younger
		o.addUser("both@bücher.example", false):                 "both@xn--bcher-kva.example", // the older of two
		o.addUser("both@xn--bcher-kva.example", false):          ":both@xn--bcher-kva.example",
		o.addUser(strings.Repeat("a", 70)+"@example.org", true): ":" + strings.Repeat("a", 70) + "@example.org",
	}
	for range 2 { // again there is nothing to do
		o.clearKeys()
		for range 2 {
			o.migrateUp()
			for id, key := range want {
				require.Equal(t, key, o.readKey("users", id))
			}
		}
	}
}

// Keys of others, already there, count as those in the same batch do.
func TestKeysThatAreTaken(t *testing.T) {
	t.Parallel()
	o := openOld(t)
	first := o.addUser("hans@xn--bcher-kva.example", false)
	o.migrateUp()
	require.Equal(t, "hans@xn--bcher-kva.example", o.readKey("users", first))

	younger := o.addUser("hans@bücher.example", false)
	o.migrateUp()
	require.Equal(t, []string{"hans@xn--bcher-kva.example", ":hans@bücher.example"},
		[]string{o.readKey("users", first), o.readKey("users", younger)})

	o.execute("UPDATE users SET email_verified_at = now() WHERE id = ?", younger)
	o.migrateUp()
	require.Equal(t, []string{":hans@xn--bcher-kva.example", "hans@xn--bcher-kva.example"},
		[]string{o.readKey("users", first), o.readKey("users", younger)})

	o.execute("DELETE FROM users WHERE id = ?", younger)
	o.migrateUp()
	require.Equal(t, "hans@xn--bcher-kva.example", o.readKey("users", first), "once it is free")
}

// A version that does not know of keys goes on writing while the new one comes up.
func TestFormerVersionsWrite(t *testing.T) {
	t.Parallel()
	o := openOld(t)
	id := o.addUser("Eve@Bücher.example", false)
	require.Equal(t, ":eve@bücher.example", o.readKey("users", id), "found by its spelling at once")
	o.migrateUp()
	require.Equal(t, "eve@xn--bcher-kva.example", o.readKey("users", id))
	o.execute("UPDATE users SET email = 'Eve@other.example' WHERE id = ?", id)
	require.Equal(t, ":eve@other.example", o.readKey("users", id), "the former key would be another's")
	o.migrateUp()
	require.Equal(t, "eve@other.example", o.readKey("users", id))
	o.execute("UPDATE users SET email = 'eve@third.example', email_key = 'eve@third.example' WHERE id = ?", id)
	require.Equal(t, "eve@third.example", o.readKey("users", id))
}

func TestOtherTablesGetTheirKeys(t *testing.T) {
	t.Parallel()
	o := openOld(t)
	winner, loser := o.addUser("hans@bücher.example", true), o.addUser("hans@xn--bcher-kva.example", false)
	add := func(query string, args ...any) (id string) {
		t.Helper()
		require.NoError(t, o.NewRaw(query+" RETURNING id", args...).Scan(t.Context(), &id))
		return id
	}
	verify := func(user, email string) string {
		return add("INSERT INTO email_verifications (id, user_id, email, expires_at) VALUES (gen_random_uuid(), ?, ?, now())",
			user, email)
	}
	room := add(
		"INSERT INTO rooms (id, name, host_id, visibility, capacity) VALUES (gen_random_uuid(), 'r', ?, 'public', 5)",
		winner,
	)
	// Random IDs are in no order: the first of a room's two is not known before.
	invite := func(email, state string) string {
		return add(
			"INSERT INTO invitations (id, room_id, email, state, expires_at) VALUES (gen_random_uuid(), ?, ?, ?, now())",
			room,
			email,
			state,
		)
	}
	ended, one, two, other := invite("guest@bücher.example", "declined"), invite("guest@bücher.example", "open"),
		invite("Guest@xn--bcher-kva.example", "open"), invite("Other@Bücher.example", "open")
	own, next, same := verify(loser, "HANS@xn--bcher-kva.example"), verify(winner, "Next@Bücher.example"),
		verify(winner, "hans@bücher.example")
	o.clearKeys()
	o.migrateUp()
	require.Equal(t, []string{"guest@xn--bcher-kva.example", "other@xn--bcher-kva.example"},
		[]string{o.readKey("invitations", ended), o.readKey("invitations", other)})
	require.ElementsMatch(t, []bool{true, false}, []bool{
		o.readKey("invitations", one) == "guest@xn--bcher-kva.example",
		o.readKey("invitations", two) == "guest@xn--bcher-kva.example"})
	require.Equal(t, []string{":hans@xn--bcher-kva.example", "next@xn--bcher-kva.example", "hans@xn--bcher-kva.example"},
		[]string{o.readKey("email_verifications", own), o.readKey("email_verifications", next),
			o.readKey("email_verifications", same)})
}

// More than one batch, stopped in the middle: what was not done is done next time.
func TestKeysInBatches(t *testing.T) {
	t.Parallel()
	o := openOld(t)
	const rows = 2500
	o.execute(`INSERT INTO users (id, username, email, display_name, password_hash)
		SELECT gen_random_uuid(), 'name' || n, CASE WHEN n % 2 = 0 THEN 'p' || n || '@BÜCHER.example' ELSE 'p' || n - 1 || '@xn--bcher-kva.example' END, '', ''
		FROM generate_series(0, ? - 1) AS n`, rows)
	o.clearKeys()
	// As if the process had died: the last batches fail.
	o.execute(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no more''; END'`)
	o.execute(
		`CREATE TRIGGER fail BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id >= 'a0000000-0000-0000-0000-000000000000') EXECUTE FUNCTION fail()`,
	)
	_, err := migrations.Up(t.Context(), o.DB)
	require.ErrorContains(t, err, "no more")
	counts := func() (c struct{ Keyed, Spelled, Neither int }) {
		t.Helper()
		require.NoError(
			t,
			o.NewRaw(`SELECT count(*) FILTER (WHERE email_key NOT LIKE ':%') AS keyed, count(*) FILTER (WHERE email_key LIKE ':%') AS spelled,
			count(*) FILTER (WHERE email_key IS NULL) AS neither FROM users`).
				Scan(t.Context(), &c),
		)
		return c
	}
	require.Positive(t, counts().Neither)
	require.Positive(t, counts().Keyed)
	o.execute("DROP TRIGGER fail ON users")
	o.migrateUp()
	require.Equal(t, struct{ Keyed, Spelled, Neither int }{rows / 2, rows / 2, 0}, counts())
}
